"""Explorer record: the arrays of a trace that the explorer's script needs, packed into JSON."""

from __future__ import annotations

import numpy as np

from aim_core.overrides import TokenOverrides
from aim_core.trace import Trace
from page.components.explorer.iterations import steps_record
from page.components.explorer.packing import packed
from page.components.explorer.view_names import view_names
from visual.palette import assign_colours, colour_table, hex_colour
from visual.view_pictures import view_pictures, view_times


def explorer_record(trace: Trace, overrides: TokenOverrides | None = None) -> dict:
    """Everything but the pictures: plain numbers, and arrays as `packed` writes them.

    row, group: int32 (V, n), as in `Trace`, and so similarity, float32, None where it was not measured. rounds: for
    each int32 (V, n_r). overrides: those applied, by kind. By visual row: colour uint8, an index into `colours`;
    view int16, the view it belongs to, -1 for a separator; last int16, the last layer it entered, -1 for none.
    scores: float32 (scored layers, rows), NaN for a row that did not enter the layer.
    """
    colour, view_of_row = _by_row(trace)
    return {
        "views": _views(trace),
        "numLayers": trace.num_layers,
        "retained": trace.retained.tolist(),
        "scored": list(trace.scored_layers),
        "colours": [hex_colour(tuple(c)) for c in colour_table(int(colour.max()) + 1).tolist()],
        "row": packed(trace.rows(), "<i4"),
        "group": packed(trace.group, "<i4"),
        "colour": packed(colour, "u1"),
        "view": packed(view_of_row, "<i2"),
        "last": packed(trace.last_layer_by_row(), "<i2"),
        "scores": packed(trace.scores_by_row(), "<f4"),
        "similarity": None if trace.similarity is None else packed(trace.similarity, "<f4"),
        "rounds": [packed(new, "<i4") for new in trace.rounds],
        "steps": steps_record(trace),
        "overrides": [
            {"kind": kind, "patches": getattr(overrides or TokenOverrides(), kind)} for kind in ("protect", "remove")
        ],
    }


def _views(trace: Trace) -> list[dict]:
    """Of each view its grid (rows, columns), size (height, width) in pixels, time as text and name."""
    views = trace.all_views
    sizes = [picture.shape[:2] for picture in view_pictures(trace)]
    columns = zip(views, sizes, view_times(trace), view_names(views), strict=True)
    return [
        {"grid": list(view.grid), "size": list(size), "time": time, "name": name} for view, size, time, name in columns
    ]


def _by_row(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """For each visual row its colour and the view it belongs to: two (rows,) arrays."""
    colour, view_of_row = np.zeros(trace.num_rows, dtype=np.int64), np.full(trace.num_rows, -1, dtype=np.int64)
    for index, (view, row, group) in enumerate(zip(trace.all_views, trace.rows(), trace.group, strict=True)):
        n = view.grid[0] * view.grid[1]
        colour[row[:n]], view_of_row[row[:n]] = assign_colours(group[:n], view.grid)[group[:n]], index
    return colour, view_of_row
