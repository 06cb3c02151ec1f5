"""Qwen2-VL: images and videos in grids of their own shape; two frames share a plane, and positions have three axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen2VLForConditionalGeneration

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import MODALITIES, Call
from aim_core.adapters.layout import MediaSpan, consecutive
from aim_core.adapters.tower import Tower
from aim_core.ops.flops import linear_flops, vision_flops
from aim_core.view import View


class Qwen2VLAdapter(Adapter):
    """Wraps a stock `Qwen2VLForConditionalGeneration`.

    A merged token takes the time, row and column of the cell it was merged into: with fewer cells than the
    grid has, a count could not place them.
    """

    model_class = Qwen2VLForConditionalGeneration
    reads = (("pixel_values", "image_grid_thw"), ("pixel_values_videos", "video_grid_thw"))
    grid_positions = True

    def media(self, call: Call) -> list[MediaSpan]:
        return [self._medium(idx, call.modality, *grid) for idx, grid in enumerate(self._grids(call))]

    def expected_call(self, num_frames: int, height: int, width: int) -> Call:
        """The processor itself says which grid it will make: its rules differ from release to release."""
        frames = torch.empty((num_frames, 3, height, width), dtype=torch.uint8, device="meta")
        if self.kind(frames) == "video":
            own = getattr(self.processor, "videos_kwargs", {})  # Qwen2.5-Omni's stand before its video processor's
            limits = {"size": own["size"]} if "size" in own else {}
            sizes = self.processor.video_processor([frames], do_sample_frames=False, return_tensors="pt", **limits)
        else:
            sizes = self.processor.image_processor(list(frames), return_tensors="pt")
        return Call(self.kind(frames), dict(sizes), None)

    def _grids(self, call: Call) -> list[list[int]]:
        """(planes, rows, columns) of patches of each image or video."""
        return call.arguments[f"{call.modality}_grid_thw"].tolist()

    def _medium(self, idx: int, modality: str, num_planes: int, rows: int, columns: int) -> MediaSpan:
        """Plane after plane of visual tokens, each a square of patches; an odd last frame stands in for its missing
        neighbour."""
        vision = self.model.config.vision_config
        shared = vision.temporal_patch_size if modality == "video" else 1
        grid = rows // vision.spatial_merge_size, columns // vision.spatial_merge_size
        per_plane = grid[0] * grid[1]
        views = [
            consecutive(View(idx, tuple(range(plane * shared, (plane + 1) * shared)), grid), plane * per_plane)
            for plane in range(num_planes)
        ]
        return MediaSpan(num_planes * per_plane, tuple(views))

    def pictures(self, inputs: dict[str, Tensor], kind: str) -> tuple[np.ndarray, ...]:
        """Put together from patches, which come in the order of the tokens that they end in; of a plane its first
        frame."""
        vision, pixels = self.model.config.vision_config, dict(zip(MODALITIES, self.reads, strict=True))[kind]
        patches, grids = (inputs[key] for key in pixels)
        square, size = vision.spatial_merge_size, vision.patch_size
        pictures: list[np.ndarray] = []
        for (planes, rows, columns), own in zip(grids.tolist(), patches.split(grids.prod(-1).tolist()), strict=True):
            shape = planes, rows // square, columns // square, square, square, 3, vision.temporal_patch_size, size, size
            first = own.reshape(shape)[:, :, :, :, :, :, 0]  # (planes, rows, columns, down, across, 3, size, size)
            whole = first.permute(0, 5, 1, 3, 6, 2, 4, 7).reshape(planes, 3, rows * size, columns * size)
            pictures += self.as_pictures(whole, kind)
        return tuple(pictures)

    def tower(self) -> Tower:
        visual = self.model.model.visual
        return Tower(visual, visual.blocks[-1].attn)

    def tower_rows(self, call: Call, patches: Sequence[Tensor]) -> Tensor:
        """Planes come one by one, patches in the order of the tokens that squares of them end in."""
        square = self.model.config.vision_config.spatial_merge_size**2
        return torch.cat([own.flatten(0, 1).unflatten(0, (-1, square)).mean(dim=1) for own in patches])

    def vision_flops(self, call: Call) -> int:
        vision = self.model.config.vision_config
        width = vision.embed_dim
        tower = (width, int(width * vision.mlp_ratio), vision.depth, self._patch_dim)
        planes = sum(vision_flops(planes, rows * columns, *tower) for planes, rows, columns in self._grids(call))
        return planes + self._merger_flops(call)

    def _merger_flops(self, call: Call) -> int:
        """Each patch merger makes one row of a square of patches; Qwen3-VL has one more for each deepstack layer."""
        visual, square = self.model.model.visual, self.model.config.vision_config.spatial_merge_size**2
        rows = sum(planes * rows * columns for planes, rows, columns in self._grids(call)) // square
        mergers = [visual.merger, *getattr(visual, "deepstack_merger_list", [])]
        return sum(linear_flops(merger, rows) for merger in mergers)

    @property
    def _patch_dim(self) -> int:
        vision = self.model.config.vision_config
        return vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
