"""Qwen2.5-VL: as Qwen2-VL, with a vision tower that looks at windows in most of its layers."""

from __future__ import annotations

from itertools import product

from transformers import Qwen2_5_VLForConditionalGeneration

from aim_core.adapters.base import Call
from aim_core.adapters.qwen2_vl import Qwen2VLAdapter
from aim_core.ops.flops import vision_flops


class Qwen25VLAdapter(Qwen2VLAdapter):
    """Wraps a stock `Qwen2_5_VLForConditionalGeneration`. Times between planes are the model's own business."""

    model_class = Qwen2_5_VLForConditionalGeneration

    def vision_flops(self, call: Call) -> int:
        planes = sum(planes * self._plane_flops(rows, columns) for planes, rows, columns in self._grids(call))
        return planes + self._merger_flops(call)

    def _plane_flops(self, rows: int, columns: int) -> int:
        """One plane of patches: full attention in a few layers, windows in the others; a gated MLP everywhere."""
        vision = self.model.config.vision_config
        width, gated = vision.hidden_size, vision.intermediate_size * 3 // 2  # three matrices instead of two
        num_full = len(vision.fullatt_block_indexes)
        whole = vision_flops(1, rows * columns, width, gated, num_full, self._patch_dim)
        side = vision.window_size // vision.patch_size
        windows = product(_pieces(rows, side), _pieces(columns, side))
        return whole + sum(vision_flops(1, h * w, width, gated, vision.depth - num_full, 0) for h, w in windows)


def _pieces(length: int, side: int) -> list[int]:
    """`length` in pieces of `side`, the last one what is left."""
    return [min(side, length - start) for start in range(0, length, side)]
