"""Qwen2.5-VL: as Qwen2-VL, with a vision tower that looks at windows in most of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration

from aim_core.adapters.call import Call
from aim_core.adapters.qwen2_vl import Qwen2VLAdapter
from aim_core.adapters.tower import Tower
from aim_core.ops.flops import vision_flops


class Qwen25VLAdapter(Qwen2VLAdapter):
    """Wraps a stock `Qwen2_5_VLForConditionalGeneration`. Times between planes are the model's own business."""

    model_class = Qwen2_5_VLForConditionalGeneration

    def tower(self) -> Tower:
        """The last layer in which a patch sees its whole plane; in the released models the last of all."""
        visual = self.model.model.visual
        return Tower(visual, visual.blocks[max(visual.fullatt_block_indexes)].attn)

    def tower_rows(self, call: Call, patches: Sequence[Tensor]) -> Tensor:
        """Inside the tower the tokens of a plane stand window by window."""
        vision = self.model.config.vision_config
        side = vision.window_size // vision.patch_size // vision.spatial_merge_size  # tokens along a window
        rows, start = super().tower_rows(call, patches), 0
        found = torch.empty_like(rows)
        for planes, height, width in self._grids(call):
            order = window_order(height // vision.spatial_merge_size, width // vision.spatial_merge_size, side)
            for _ in range(planes):
                found[start + order.to(rows.device)] = rows[start : start + len(order)]
                start += len(order)
        return found

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


def window_order(rows: int, columns: int, side: int) -> Tensor:
    """(rows * columns,) int64, cells of a grid in raster order, listed window by window of `side` x `side` cells."""
    cells = torch.arange(rows * columns).view(rows, columns)
    return torch.cat([window.flatten() for band in cells.split(side) for window in band.split(side, dim=1)])


def _pieces(length: int, side: int) -> list[int]:
    """`length` in pieces of `side`, the last one what is left."""
    return [min(side, length - start) for start in range(0, length, side)]
