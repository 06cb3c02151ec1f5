"""Explorer record: the arrays of a trace that the explorer's script needs, packed into JSON."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aim_core.overrides import TokenOverrides
from aim_core.trace import Trace
from page.components.explorer.iterations import steps_record
from page.components.explorer.packing import packed
from page.components.explorer.sound_record import sound_record
from page.components.explorer.view_names import is_crop, view_names
from visual.overlay import patch_means
from visual.view_pictures import view_pictures, view_times


def explorer_record(trace: Trace, overrides: TokenOverrides | None = None, pictures: Sequence[np.ndarray] = ()) -> dict:
    """Everything but pixels: plain numbers, and arrays as `packed` writes them. pictures: as in `Result`.

    row, group: int32 (V, n), as in `Trace`, and so similarity, float32, None where it was not measured; but a patch
    that was dropped before layer 0 has a row of its own after all others, which never enters a layer. rounds: for each
    int32 (V, n_r). mean: uint8 (V, n, 3), the mean colour of each patch. overrides: those applied, by kind. By visual
    row: separator uint8, 1 for a row without patches; last int16, the last layer it entered, or -1; into int32, the row
    that it was folded into after that, or -1. scores: float32 (scored layers, rows), NaN for a row that did not enter
    the layer. early, held: of each scored layer, as in `LayerTrace`. others: "received" and "lastToken", each with its
    own "scores" and "early"; none where not recorded. audio: see `sound_record`.
    """
    row, num_dropped = rows_of_all(trace)
    return {
        "views": views_record(trace, pictures),
        "numLayers": trace.num_layers,
        "retained": trace.retained.tolist(),
        "scored": list(trace.scored_layers),
        "row": packed(row, "<i4"),
        "group": packed(trace.group, "<i4"),
        "mean": packed(_means(trace), "u1"),
        "separator": packed(~np.isin(np.arange(trace.num_rows + num_dropped), row), "u1"),
        "last": packed(np.pad(trace.last_layer_by_row(), (0, num_dropped), constant_values=-1), "<i2"),
        "into": packed(np.pad(trace.folded_into_by_row(), (0, num_dropped), constant_values=-1), "<i4"),
        "scores": _scores(trace, num_dropped, "scores"),
        "similarity": None if trace.similarity is None else packed(trace.similarity, "<f4"),
        "rounds": [packed(new, "<i4") for new in trace.rounds],
        "early": [trace.layers[layer].early for layer in trace.scored_layers],
        "held": [trace.layers[layer].held for layer in trace.scored_layers],
        "others": _others(trace, num_dropped),
        "steps": steps_record(trace),
        "audio": sound_record(trace),
        "overrides": [
            {"kind": kind, "patches": getattr(overrides or TokenOverrides(), kind)} for kind in ("protect", "remove")
        ],
    }


def _scores(trace: Trace, num_dropped: int, name: str) -> str:
    """(scored layers, rows), see `Trace.scores_by_row`; NaN for patches that were dropped before layer 0."""
    return packed(np.pad(trace.scores_by_row(name), ((0, 0), (0, num_dropped)), constant_values=np.nan), "<f4")


def _others(trace: Trace, num_dropped: int) -> dict:
    """What the other scorers say, by their names; nothing where any scored layer lacks it."""
    layers = [trace.layers[layer] for layer in trace.scored_layers]
    if not layers or not all(len(layer.received) and len(layer.last_token) for layer in layers):
        return {}
    return {
        name: {
            "scores": _scores(trace, num_dropped, field),
            "early": [layer.early_of(getattr(layer, field)) for layer in layers],
        }
        for name, field in (("received", "received"), ("lastToken", "last_token"))
    }


def views_record(trace: Trace, pictures: Sequence[np.ndarray] = ()) -> list[dict]:
    """Of each view its grid (rows, columns), size (height, width) in pixels, time as text, name, the size in which the
    model got it, or None, and of a crop its place in its picture: left, top, right, bottom in shares of it."""
    views = trace.all_views
    sizes = [picture.shape[:2] for picture in view_pictures(trace)]
    seen: list[list[int] | None] = [list(picture.shape[:2]) for picture in pictures]
    seen = seen or [None] * len(views)
    columns = zip(views, sizes, view_times(trace), view_names(views), seen, strict=True)
    return [
        {
            "grid": list(view.grid),
            "size": list(size),
            "time": time,
            "name": name,
            "seen": own,
            "place": list(view.box) if view.box and is_crop(view) else None,
        }
        for view, size, time, name, own in columns
    ]


def _means(trace: Trace) -> np.ndarray:
    """(V, n, 3) the mean colour of each patch, 0 where a view has fewer than n."""
    means = np.zeros((*trace.group.shape, 3))
    for own, view, picture in zip(means, trace.all_views, view_pictures(trace), strict=True):
        own[: view.grid[0] * view.grid[1]] = patch_means(picture, view.grid).round()
    return means


def rows_of_all(trace: Trace) -> tuple[np.ndarray, int]:
    """(V, n) the row of each patch, of those that were dropped a row each after all others; and how many these are."""
    row, dropped = trace.rows().copy(), trace.dropped
    num_dropped = int(dropped.sum())
    row[dropped] = trace.num_rows + np.arange(num_dropped)
    return row, num_dropped
