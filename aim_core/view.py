"""View: a grid of patches and the part of the media that it shows; as arrays in a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class View:
    """A grid of patches over a part of the picture: a frame, two frames that share a plane, an image or a crop of it.

    medium: index of the image or video in the request.
    frames: the frames of it that the patches show; (0,) for an image.
    grid:   (rows, columns) of patches.
    box:    (left, top, right, bottom) of the grid in the picture, in [0, 1]; None where it cannot be known.
    """

    medium: int
    frames: tuple[int, ...]
    grid: tuple[int, int]
    box: tuple[float, float, float, float] | None = (0.0, 0.0, 1.0, 1.0)


def view_arrays(views: tuple[View, ...]) -> dict[str, np.ndarray]:
    """Views as arrays for a file; a place that is not known is NaN, unused room for frames -1."""
    shown = np.full((len(views), max(len(view.frames) for view in views)), -1, dtype=np.int64)
    for index, view in enumerate(views):
        shown[index, : len(view.frames)] = view.frames
    return {
        "view_medium": np.array([view.medium for view in views], dtype=np.int64),
        "view_frames": shown,
        "view_grid": np.array([view.grid for view in views], dtype=np.int64),
        "view_box": np.array([view.box or (np.nan,) * 4 for view in views], dtype=np.float64),
    }


def read_views(data) -> tuple[View, ...]:
    """What `view_arrays` wrote."""
    columns = (data[f"view_{name}"].tolist() for name in ("medium", "frames", "grid", "box"))
    return tuple(
        View(medium, tuple(i for i in frames if i >= 0), tuple(grid), None if np.isnan(box).any() else tuple(box))
        for medium, frames, grid, box in zip(*columns, strict=True)
    )
