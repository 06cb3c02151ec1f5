"""SmolVLM2: an image in tiles, each named in the prompt, and the whole image; or a video frame by frame with times."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor
from transformers import SmolVLMForConditionalGeneration

from aim_core.adapters.call import Call
from aim_core.adapters.layout import MediaSpan, consecutive
from aim_core.adapters.tiles import TiledAdapter
from aim_core.adapters.tower import Tower, pool_squares
from aim_core.ops.flops import linear_flops, vision_flops
from aim_core.view import View


class SmolVLMAdapter(TiledAdapter):
    """Wraps a stock `SmolVLMForConditionalGeneration`. Its processor needs the package num2words."""

    model_class = SmolVLMForConditionalGeneration

    def media(self, call: Call) -> list[MediaSpan]:
        """Each tile or frame on its own: the model does not say which belong together."""
        size = math.prod(self.grid)
        num_tiles = sum(map(len, call.output.pooler_output)) // size
        return [MediaSpan(size, (consecutive(View(idx, (0,), self.grid, None), 0),)) for idx in range(num_tiles)]

    @property
    def grid(self) -> tuple[int, int]:
        side = self._side // self.model.config.scale_factor
        return side, side

    def tiles(self, height: int, width: int) -> tuple[int, int]:
        """As the image processor divides what it resized: its longest side to `size`, then up to whole tiles."""
        settings = self.processor.image_processor
        if not settings.do_image_splitting:
            return 1, 1
        patches, rows, columns = settings.get_number_of_image_patches(height, width)
        return (rows, columns) if patches > 1 else (1, 1)

    def tower(self) -> Tower:
        tower = self.model.model.vision_model
        return Tower(tower, tower.encoder.layers[-1].self_attn, layers=tuple(tower.encoder.layers))

    def tower_rows(self, call: Call, patches: Sequence[Tensor]) -> Tensor:
        return pool_squares(patches, self.model.config.scale_factor)

    def vision_flops(self, call: Call) -> int:
        vision = self.model.config.vision_config
        rows = sum(map(len, call.output.pooler_output))
        num_tiles = rows * self.model.config.scale_factor**2 // self._side**2
        patch_dim = vision.num_channels * vision.patch_size**2
        tower = (vision.hidden_size, vision.intermediate_size, vision.num_hidden_layers, patch_dim)
        return vision_flops(num_tiles, self._side**2, *tower) + linear_flops(self.model.model.connector, rows)

    @property
    def _side(self) -> int:
        vision = self.model.config.vision_config
        return vision.image_size // vision.patch_size
