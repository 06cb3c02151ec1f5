"""LLaVA-NeXT-Video: videos of pooled frames, or an image and the same image again from its crops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LlavaNextVideoForConditionalGeneration, PreTrainedConfig
from transformers.image_processing_utils import select_best_resolution

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import Call, features_of, shapes
from aim_core.adapters.crops import anyres, num_crops, put_together
from aim_core.adapters.layout import MediaSpan, ViewSpan, consecutive
from aim_core.adapters.llava_1_5 import check_clip, clip_flops, clip_tower, crop_box
from aim_core.adapters.tower import Tower
from aim_core.ops.flops import linear_flops
from aim_core.reasons import UnfitError
from aim_core.view import View


class LlavaNextVideoAdapter(Adapter):
    """Wraps a stock `LlavaNextVideoForConditionalGeneration` with a CLIP tower."""

    model_class = LlavaNextVideoForConditionalGeneration
    keeps_tower_states = True
    reads = (("pixel_values", "image_sizes"), ("pixel_values_videos",))
    several_pictures = False  # nor was it trained on them
    pooled_by = ("vision_resampler", "pack_image_features")

    @classmethod
    def check(cls, config: PreTrainedConfig) -> None:
        check_clip(config)

    def media(self, call: Call) -> list[MediaSpan]:
        if call.modality == "video":
            return [self._video(idx, rows[..., 0].numel()) for idx, rows in enumerate(call.output.pooler_output)]
        sizes = call.arguments["image_sizes"].tolist()
        return [self._image(idx, tuple(sizes[idx]), len(rows)) for idx, rows in enumerate(call.output.pooler_output)]

    def expected_call(self, num_frames: int, height: int, width: int) -> Call:
        config, side = self.model.config, self._side
        size = config.vision_config.image_size
        if num_frames > 1:
            per_frame = (side // config.spatial_pool_stride) ** 2
            pixels = shapes(1, num_frames, 3, size, size)
            return Call("video", {"pixel_values_videos": pixels}, features_of(1, num_frames * per_frame, 1))
        (rows, columns), _ = anyres((height, width), config.image_grid_pinpoints, size, side)
        canvas = select_best_resolution((height, width), config.image_grid_pinpoints)
        pixels = shapes(1, 1 + math.prod(canvas) // size**2, 3, size, size)
        arguments = {"pixel_values": pixels, "image_sizes": torch.tensor([[height, width]])}
        return Call("image", arguments, features_of(1, side**2 + rows * (columns + 1), 1))

    def _video(self, idx: int, num_rows: int) -> MediaSpan:
        """Frames in a row; what their crop shows depends on their size."""
        side = self._side // self.model.config.spatial_pool_stride
        views = [
            consecutive(View(idx, (frame,), (side, side), None), frame * side**2)
            for frame in range(num_rows // side**2)
        ]
        return MediaSpan(num_rows, tuple(views))

    def _image(self, idx: int, size: tuple[int, int], num_rows: int) -> MediaSpan:
        """The whole image, then the image again from its crops: a newline row ends each row of cells."""
        config, side = self.model.config, self._side
        grid, box = anyres(size, config.image_grid_pinpoints, config.vision_config.image_size, side)
        rows = torch.arange(side**2, num_rows).view(grid[0], grid[1] + 1)[:, :-1].flatten()
        views = (consecutive(View(idx, (0,), (side, side)), 0), ViewSpan(View(idx, (0,), grid, box), rows))
        return MediaSpan(num_rows, views)

    def locate(self, views: Sequence[View], sizes: Sequence[tuple[int, int, int]]) -> tuple[View, ...]:
        """Frames of a video with the processor's crop, if there is a processor."""
        if self.processor is None:
            return tuple(views)
        settings = self.processor.video_processor
        return tuple(
            view if view.box else replace(view, box=crop_box(settings, *sizes[view.medium][1:])) for view in views
        )

    def tower(self) -> Tower:
        if self.model.config.spatial_pool_mode == "conv":
            raise UnfitError("tower_pools")
        return clip_tower(self.model)

    def tower_rows(self, call: Call, patches: Sequence[Tensor]) -> Tensor:
        """By the model's own pooling of frames, or packing of crops."""
        inner: Any = self.inner
        whole = torch.cat(list(patches))
        if call.modality == "video":
            return inner.vision_resampler(whole).flatten(0, 1)
        config, sizes = self.model.config, call.arguments["image_sizes"]
        canvases, crop = config.image_grid_pinpoints, config.vision_config.image_size
        counts = [num_crops(size, canvases, crop) for size in sizes]
        newline = whole.new_zeros(whole.shape[-1])
        packed, _ = inner.pack_image_features(
            whole.split(counts), sizes, config.vision_feature_select_strategy, image_newline=newline
        )
        return torch.cat([own.flatten(0, -2) for own in packed])

    def pictures(self, inputs: dict[str, Tensor], kind: str) -> tuple[np.ndarray, ...]:
        """Of an image its whole, then its crops put together without the padding that the model leaves out."""
        pictures = super().pictures(inputs, kind)
        if kind == "video":
            return pictures
        whole, *crops = pictures
        (size,) = inputs["image_sizes"].tolist()
        return whole, put_together(crops, tuple(size), self.model.config.image_grid_pinpoints, self._side)

    def vision_flops(self, call: Call) -> int:
        """A video's frames are pooled before the projector."""
        is_video, config = call.modality == "video", self.model.config
        num_images = math.prod(call.arguments["pixel_values_videos" if is_video else "pixel_values"].shape[:-3])
        side = self._side // config.spatial_pool_stride if is_video else self._side
        projector = linear_flops(self.model.model.multi_modal_projector, num_images * side**2)
        return clip_flops(config.vision_config, num_images) + projector

    @property
    def _side(self) -> int:
        vision = self.model.config.vision_config
        return vision.image_size // vision.patch_size
