"""InternVL3: an image in tiles with a thumbnail of the whole, or a video frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from transformers import InternVLForConditionalGeneration
from transformers.models.got_ocr2.image_processing_got_ocr2 import get_optimal_tiled_canvas

from aim_core.adapters.call import Call
from aim_core.adapters.layout import MediaSpan, consecutive
from aim_core.adapters.tiles import TiledAdapter
from aim_core.adapters.tower import Tower, pool_squares, read_layers
from aim_core.ops.flops import linear_flops, vision_flops
from aim_core.view import View


class InternVLAdapter(TiledAdapter):
    """Wraps a stock `InternVLForConditionalGeneration`."""

    model_class = InternVLForConditionalGeneration

    def media(self, call: Call) -> list[MediaSpan]:
        """Each tile or frame on its own: the model does not say which belong together."""
        return [
            MediaSpan(len(rows), (consecutive(View(idx, (0,), self.grid, None), 0),))
            for idx, rows in enumerate(call.output.pooler_output)
        ]

    @property
    def grid(self) -> tuple[int, int]:
        vision, ratio = self.model.config.vision_config, self.model.config.downsample_ratio
        (height, width), (patch_height, patch_width) = vision.image_size, vision.patch_size
        return int(height // patch_height * ratio), int(width // patch_width * ratio)

    def tiles(self, height: int, width: int) -> tuple[int, int]:
        settings = self.processor.image_processor  # its `crop_to_patches` is not asked: the processor itself says true
        size = settings.size["height"], settings.size["width"]
        columns, rows = get_optimal_tiled_canvas((height, width), size, settings.min_patches, settings.max_patches)
        return rows, columns

    def tower(self) -> Tower:
        tower = self.model.model.vision_tower
        layers = read_layers(tower.encoder.layer, self.model.config.vision_feature_layer)
        parts = "attention", "layernorm_after", "mlp"
        return Tower(tower, layers[-1].attention, class_token=True, layers=layers, parts=parts)

    def tower_rows(self, call: Call, patches: Sequence[Tensor]) -> Tensor:
        return pool_squares(patches, round(1 / self.model.config.downsample_ratio))

    def vision_flops(self, call: Call) -> int:
        vision = self.model.config.vision_config
        (height, width), (patch_height, patch_width) = vision.image_size, vision.patch_size
        patches, num_tiles = (height // patch_height) * (width // patch_width), len(call.arguments["pixel_values"])
        patch_dim = vision.num_channels * patch_height * patch_width
        tower = (vision.hidden_size, vision.intermediate_size, vision.num_hidden_layers, patch_dim)
        rows = num_tiles * int(patches * self.model.config.downsample_ratio**2)
        projector = linear_flops(self.model.model.multi_modal_projector, rows)
        return vision_flops(num_tiles, patches, *tower, extra=1) + projector  # the class token
