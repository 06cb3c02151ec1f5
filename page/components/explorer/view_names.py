"""View names: what a view is called, as a kind and numbers from 1, from which the locales make a text."""

from __future__ import annotations

from collections.abc import Sequence

from aim_core.view import View

Box = tuple[float, float, float, float]  # left, top, right, bottom, as in `View`


def view_names(views: Sequence[View]) -> list[dict]:
    """For each view a frame, two frames or more, the whole picture, or a crop with its rows and columns of crops; of
    several pictures also which one."""
    several = len({view.medium for view in views}) > 1
    names = [_name(view, [other for other in views if _picture(other) == _picture(view)]) for view in views]
    return [_of_picture(view.medium + 1, name) for view, name in zip(views, names, strict=True)] if several else names


def _of_picture(number: int, name: dict) -> dict:
    if name["kind"] not in ("whole", "crop"):
        return {"kind": "picture", "picture": number}
    return name | {"kind": f"{name['kind']}Of", "picture": number}


def _name(view: View, siblings: list[View]) -> dict:
    first, last = (view.frames[0] + 1, view.frames[-1] + 1) if view.frames else (view.medium + 1,) * 2
    if len(siblings) == 1:
        return {"kind": "frame" if first == last else "frames", "first": first, "last": last}
    boxes = [other.box for other in siblings if other.box and is_crop(other)]
    if view.box is None or not is_crop(view):
        return {"kind": "whole", "rows": view.grid[0], "columns": view.grid[1]}
    row, column = (_span(view.box, boxes, axis) for axis in (1, 0))
    return {"kind": "crop", "number": boxes.index(view.box) + 1, "row": row, "column": column}


def is_crop(view: View) -> bool:
    """Whether a view shows at most half of its picture in one direction."""
    if view.box is None:
        return False
    left, top, right, bottom = view.box
    return min(right - left, bottom - top) <= 0.5 + 1e-6


def _span(own: Box, boxes: list[Box], axis: int) -> str:
    """From which to which row (axis 1) or column (axis 0) of crops a crop reaches: "2" or "1–2"."""
    edges = sorted({round(box[at], 4) for box in boxes for at in (axis, axis + 2)})
    first, last = edges.index(round(own[axis], 4)) + 1, edges.index(round(own[axis + 2], 4))
    return str(first) if first == last else f"{first}–{last}"


def _picture(view: View) -> tuple:
    return view.medium, view.frames
