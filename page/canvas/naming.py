"""Naming: what a view is called, as a kind and numbers from 1 that the page puts into words."""

from __future__ import annotations

from collections.abc import Sequence

from aim_core.trace import View


def view_names(views: Sequence[View]) -> list[dict]:
    """For each view a frame, two frames or more, the whole picture, or a crop with its rows and columns of crops."""
    return [_name(view, [other for other in views if _picture(other) == _picture(view)]) for view in views]


def _name(view: View, siblings: list[View]) -> dict:
    first, last = (view.frames[0] + 1, view.frames[-1] + 1) if view.frames else (view.medium + 1,) * 2
    if len(siblings) == 1:
        return {"kind": "frame" if first == last else "frames", "first": first, "last": last}
    crops = [other for other in siblings if is_crop(other)]
    if view not in crops:
        return {"kind": "whole", "rows": view.grid[0], "columns": view.grid[1]}
    row, column = (_span(view, crops, axis) for axis in (1, 0))
    return {"kind": "crop", "number": crops.index(view) + 1, "row": row, "column": column}


def is_crop(view: View) -> bool:
    """Whether a view shows at most half of its picture in one direction."""
    if view.box is None:
        return False
    left, top, right, bottom = view.box
    return min(right - left, bottom - top) <= 0.5 + 1e-6


def _span(view: View, crops: list[View], axis: int) -> str:
    """From which to which row (axis 1) or column (axis 0) of crops a crop reaches: "2" or "1–2"."""
    edges = sorted({round(crop.box[at], 4) for crop in crops for at in (axis, axis + 2)})
    first, last = edges.index(round(view.box[axis], 4)) + 1, edges.index(round(view.box[axis + 2], 4))
    return str(first) if first == last else f"{first}–{last}"


def _picture(view: View) -> tuple:
    return view.medium, view.frames
