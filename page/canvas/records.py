"""Explorer record: a trace as the few small arrays that the page's script needs, packed into JSON."""

from __future__ import annotations

import base64

import numpy as np

from aim_core.trace import Trace, View
from visual.palette import assign_colours, colour_table, hex_colour


def explorer_record(trace: Trace) -> dict:
    """Everything but the pictures: plain numbers, and arrays as base64 of little-endian bytes in C order.

    row, group: int32 (V, n), as in `Trace`. By visual row: colour uint8, an index into `colours`; view int16, the
    shown view it belongs to, -1 for a separator; last int16, the last layer it entered, -1 for none.
    scores: float32 (scored layers, rows), NaN for a row that did not enter the layer.
    """
    views = shown_views(trace)
    rows, groups = trace.rows()[views], trace.group[views]  # (V, n)
    colour, home = _by_row(trace, rows, groups)
    return {
        "grid": list(trace.grid),
        "size": list(pictures(trace)[0].shape[:2]),
        "times": view_times(trace),
        "numLayers": trace.num_layers,
        "retained": trace.retained.tolist(),
        "scored": list(trace.scored_layers),
        "colours": [hex_colour(tuple(c)) for c in colour_table(int(colour.max()) + 1).tolist()],
        "row": packed(rows, "<i4"),
        "group": packed(groups, "<i4"),
        "colour": packed(colour, "u1"),
        "view": packed(home, "<i2"),
        "last": packed(last_layers(trace), "<i2"),
        "scores": packed(score_table(trace), "<f4"),
    }


def shown_views(trace: Trace) -> list[int]:
    """Indices of the views that the explorer shows: those with the grid of the first one."""
    return [index for index, view in enumerate(_views(trace)) if view.grid == trace.grid]


def view_times(trace: Trace) -> list[float]:
    """Seconds of each shown view."""
    return [round(float(trace.times[_frame(trace, view)]), 3) for view in shown_views(trace)]


def pictures(trace: Trace) -> list[np.ndarray]:
    """(H, W, 3) uint8 of each shown view: its first frame, or the part of it that the view covers."""
    cut = []
    for index in shown_views(trace):
        frame, box = trace.frames[_frame(trace, index)], _views(trace)[index].box or (0, 0, 1, 1)
        height, width = frame.shape[:2]
        left, top, right, bottom = (round(part * size) for part, size in zip(box, (width, height) * 2, strict=True))
        cut.append(frame[top:bottom, left:right])
    return cut


def packed(array: np.ndarray, dtype: str) -> str:
    """The bytes of an array as text."""
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode("ascii")


def last_layers(trace: Trace) -> np.ndarray:
    """(rows,) int64, the last layer each visual row entered; -1 for one that entered none."""
    last = np.full(num_rows(trace), -1, dtype=np.int64)
    for record in trace.layers:
        last[record.kept] = record.layer
    return last


def score_table(trace: Trace) -> np.ndarray:
    """(scored layers, rows) float32, the PageRank of each visual row; NaN where it was not there."""
    table = np.full((len(trace.scored_layers), num_rows(trace)), np.nan, dtype=np.float32)
    for scores, layer in zip(table, trace.scored_layers, strict=True):
        scores[trace.layers[layer].kept] = trace.layers[layer].importance
    return table


def num_rows(trace: Trace) -> int:
    """Visual rows of the prompt, separators included."""
    return 1 + max(int(trace.rows().max()), *(int(record.kept.max(initial=-1)) for record in trace.layers))


def _by_row(trace: Trace, rows: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each visual row its colour and the shown view it belongs to: two (rows,) arrays."""
    colour, home = np.zeros(num_rows(trace), dtype=np.int64), np.full(num_rows(trace), -1, dtype=np.int64)
    n = trace.grid[0] * trace.grid[1]
    for index, (row, group) in enumerate(zip(rows[:, :n], groups[:, :n], strict=True)):
        colour[row], home[row] = assign_colours(group, trace.grid)[group], index
    return colour, home


def _views(trace: Trace) -> tuple[View, ...]:
    """The views of a trace; in old files view f is frame f."""
    return trace.views or tuple(View(0, (frame,), trace.grid) for frame in range(len(trace.group)))


def _frame(trace: Trace, view: int) -> int:
    """The frame that stands for a view."""
    shown = _views(trace)[view]
    return shown.frames[0] if shown.frames else min(shown.medium, len(trace.frames) - 1)
