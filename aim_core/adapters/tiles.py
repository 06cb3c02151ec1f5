"""Tiled: families that show an image as equal tiles and the whole of it once more, and a video as single frames."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import Call, features_of, shapes
from aim_core.adapters.crops import Box, tile
from aim_core.view import View


class TiledAdapter(Adapter):
    """The model's call tells tiles, not which image they belong to: views are of no known place until `locate`."""

    @abstractmethod
    def tiles(self, height: int, width: int) -> tuple[int, int]:
        """(rows, columns) of tiles for an image; a whole image of them follows, unless (1, 1) says it is one tile."""

    @property
    @abstractmethod
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of visual tokens of a tile."""

    def expected_call(self, num_frames: int, height: int, width: int) -> Call:
        tiles = len(self._boxes(num_frames, height, width))
        side = self.model.config.vision_config.image_size
        square = side if isinstance(side, list | tuple) else (side, side)
        return Call("image", {"pixel_values": shapes(tiles, 3, *square)}, features_of(tiles, math.prod(self.grid), 1))

    def locate(self, views: Sequence[View], sizes: Sequence[tuple[int, int, int]]) -> tuple[View, ...]:
        """Give each image its tiles and each video its frames, if there is a processor to say how images are cut."""
        if self.processor is None:
            return tuple(views)
        places = [(medium, *place) for medium, size in enumerate(sizes) for place in self._boxes(*size)]
        return tuple(
            replace(view, medium=medium, frames=(frame,), box=box)
            for view, (medium, frame, box) in zip(views, places, strict=True)
        )

    def _boxes(self, num_frames: int, height: int, width: int) -> list[tuple[int, Box]]:
        """For each view of an image or video its frame and its box in it."""
        whole = tile(0, 1, 1)
        if num_frames > 1:
            return [(frame, whole) for frame in range(num_frames)]
        rows, columns = self.tiles(height, width)
        cut = [(0, tile(index, rows, columns)) for index in range(rows * columns)]
        return cut if len(cut) == 1 else [*cut, (0, whole)]
