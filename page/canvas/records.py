"""Explorer record: a trace as the few small arrays that the page's script needs, packed into JSON."""

from __future__ import annotations

import base64

import numpy as np

from aim_core.trace import Trace
from visual.palette import assign_colours, colour_table, hex_colour


def explorer_record(trace: Trace) -> dict:
    """Everything but the frames: plain numbers, and arrays as base64 of little-endian bytes in C order.

    group: uint16 (F, n); colour: uint8 (F, k), an index into `colours`; last: int16 (rows,), the last layer each
    visual token entered; scores: float32 (scored layers, rows), NaN for a token that did not enter the layer;
    similarity: float32 (F, n), or None where it was not recorded. Rows are those of `Trace`, suffix rows last.
    """
    colour = np.stack([assign_colours(group, trace.grid) for group in trace.group])  # (F, k)
    similarity = getattr(trace, "similarity", None)
    return {
        "grid": list(trace.grid),
        "size": list(trace.frames.shape[1:3]),
        "times": [round(float(time), 3) for time in trace.times],
        "tokensPerFrame": trace.tokens_per_frame,
        "numLayers": trace.num_layers,
        "retained": trace.retained.tolist(),
        "scored": list(trace.scored_layers),
        "colours": [hex_colour(tuple(c)) for c in colour_table(int(colour.max()) + 1).tolist()],
        "group": packed(trace.group, "<u2"),
        "colour": packed(colour, "u1"),
        "last": packed(last_layers(trace), "<i2"),
        "scores": packed(score_table(trace), "<f4"),
        "similarity": None if similarity is None else packed(similarity, "<f4"),
    }


def packed(array: np.ndarray, dtype: str) -> str:
    """The bytes of an array as text."""
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode("ascii")


def last_layers(trace: Trace) -> np.ndarray:
    """(rows,) int64, the last layer each visual token entered; -1 for one that entered none."""
    last = np.full(num_rows(trace), -1, dtype=np.int64)
    for record in trace.layers:
        last[record.kept] = record.layer
    return last


def score_table(trace: Trace) -> np.ndarray:
    """(scored layers, rows) float32, the PageRank of each visual token; NaN where it was not there."""
    table = np.full((len(trace.scored_layers), num_rows(trace)), np.nan, dtype=np.float32)
    for row, layer in zip(table, trace.scored_layers, strict=True):
        row[trace.layers[layer].kept] = trace.layers[layer].importance
    return table


def num_rows(trace: Trace) -> int:
    """Merged tokens and suffix rows together."""
    return max(trace.num_merged, *(int(record.kept.max(initial=-1)) + 1 for record in trace.layers))
