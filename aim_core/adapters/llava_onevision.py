"""LLaVA-OneVision: an image with its crops, several images, or a video with one newline row after it."""

from __future__ import annotations

import math
from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LlavaOnevisionForConditionalGeneration

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import Call, features_of, shapes
from aim_core.adapters.crops import Box, anyres, num_crops, padded_to_square, put_together
from aim_core.adapters.layout import MediaSpan, ViewSpan, consecutive
from aim_core.adapters.tower import Tower, read_layers
from aim_core.ops.flops import linear_flops, vision_flops
from aim_core.view import View


class LlavaOnevisionAdapter(Adapter):
    """Wraps a stock `LlavaOnevisionForConditionalGeneration`.

    As in the released method a newline row counts as visual and may be pruned. The engine shows a single picture whole
    and in crops, several without crops; to a model that knows no crops, a single one is a video of one frame.
    """

    model_class = LlavaOnevisionForConditionalGeneration
    keeps_tower_states = True
    reads = (("pixel_values", "image_sizes"), ("pixel_values_videos",))
    pooled_by = ("apply_pooling", "pack_image_features")

    @property
    def _side(self) -> int:
        """Cells along one side of the vision tower's square grid."""
        vision = self.model.config.vision_config
        return vision.image_size // vision.patch_size

    @property
    def grid(self) -> tuple[int, int]:
        """Cells of a video's frame: the model halves the tower's grid."""
        side = math.ceil(self._side / 2)
        return side, side

    @property
    def _has_crops(self) -> bool:
        """Whether the model knows pictures that are larger than one crop."""
        config = self.model.config
        return any(max(canvas) > config.vision_config.image_size for canvas in config.image_grid_pinpoints)

    def kind(self, frames: Sized) -> str:
        return "image" if isinstance(frames, tuple) or (len(frames) == 1 and self._has_crops) else "video"

    def media(self, call: Call) -> list[MediaSpan]:
        if call.modality == "video":
            return [self._video(idx, len(rows)) for idx, rows in enumerate(call.output.pooler_output)]
        rows = [len(part) for part in call.output.pooler_output]
        sizes = [(int(height), int(width)) for height, width in call.arguments["image_sizes"]]
        return [self._image(idx, sizes[idx], count) for idx, count in enumerate(rows)]

    def expected_call(self, num_frames: int, height: int, width: int) -> Call:
        size = self.model.config.vision_config.image_size
        if num_frames == 1 and self._has_crops:
            (rows, columns), _ = self._stitched((height, width))
            num_images = num_crops((height, width), self.model.config.image_grid_pinpoints, size)
            arguments = {"pixel_values": shapes(1, num_images, 3, size, size)}
            arguments |= {"image_sizes": torch.tensor([[height, width]])}
            return Call("image", arguments, features_of(1, self._side**2 + rows * (columns + 1), 1))
        pixels = shapes(1, num_frames, 3, size, size)
        return Call("video", {"pixel_values_videos": pixels}, features_of(1, num_frames * math.prod(self.grid) + 1, 1))

    def expected_calls(self, sizes: Sequence[tuple[int, int, int]]) -> list[Call]:
        """Several pictures have no crops."""
        if len(sizes) == 1:
            return super().expected_calls(sizes)
        count, size = len(sizes), self.model.config.vision_config.image_size
        arguments = {"pixel_values": shapes(count, 1, 3, size, size)}
        arguments |= {"image_sizes": torch.tensor([own[1:] for own in sizes])}
        return [Call("image", arguments, features_of(count, self._side**2 + 1, 1))]

    def _video(self, idx: int, num_rows: int) -> MediaSpan:
        """Frames in a row, then one newline row."""
        per_frame = self.grid[0] * self.grid[1]
        views = [
            consecutive(View(idx, (frame,), self.grid), frame * per_frame) for frame in range(num_rows // per_frame)
        ]
        return MediaSpan(num_rows, tuple(views))

    def _image(self, idx: int, size: tuple[int, int], num_rows: int) -> MediaSpan:
        """Alone in its prompt the whole image, then the image again from its crops, a newline row after each row of
        cells; among others the image padded to a square, and one newline row."""
        side = self._side
        num_base = side**2
        if num_rows == num_base + 1:
            view = View(idx, (0,), (side, side), padded_to_square(*size))
            return MediaSpan(num_rows, (consecutive(view, 0),))
        grid, box = self._stitched(size)
        rows = torch.arange(num_base, num_rows).view(grid[0], grid[1] + 1)[:, :-1].flatten()
        whole = consecutive(View(idx, (0,), (side, side)), 0)
        return MediaSpan(num_rows, (whole, ViewSpan(View(idx, (0,), grid, box), rows)))

    def _stitched(self, size: tuple[int, int]) -> tuple[tuple[int, int], Box]:
        """Rows and columns of cells put together from the crops of an image of `size` (h, w), and their box."""
        config = self.model.config
        (height, width), box = anyres(size, config.image_grid_pinpoints, config.vision_config.image_size, self._side)
        most = int(config.vision_aspect_ratio.removeprefix("anyres_max_"))
        ratio = math.sqrt(height * width / (most * self._side**2))
        return ((int(height // ratio), int(width // ratio)) if ratio > 1.1 else (height, width)), box

    def pictures(self, inputs: dict[str, Tensor], kind: str) -> tuple[np.ndarray, ...]:
        """Of a single image its whole, then its crops put together without the padding that the model leaves out."""
        pictures = super().pictures(inputs, kind)
        if kind == "video" or len(inputs["image_sizes"]) > 1:
            return pictures
        whole, *crops = pictures
        (size,) = inputs["image_sizes"].tolist()
        return whole, put_together(crops, tuple(size), self.model.config.image_grid_pinpoints, self._side)

    def tower(self) -> Tower:
        tower = self.model.model.vision_tower
        layers = read_layers(tower.encoder.layers, self.model.config.vision_feature_layer)
        return Tower(tower, layers[-1].self_attn, layers=layers)

    def tower_rows(self, call: Call, patches: Sequence[Tensor]) -> Tensor:
        """By the model's own pooling of frames, or packing of crops."""
        inner: Any = self.inner
        whole = torch.cat(list(patches))
        newline = whole.new_zeros(whole.shape[-1])
        if call.modality == "video":
            videos = call.arguments["pixel_values_videos"].shape[0]
            rows = inner.apply_pooling(whole).unflatten(0, (videos, -1)).flatten(1, 2)
            return torch.cat([rows, newline.expand(videos, 1, -1)], dim=1).flatten(0, 1)
        config, sizes = self.model.config, call.arguments["image_sizes"]
        canvases, crop = config.image_grid_pinpoints, config.vision_config.image_size
        pairs = zip(self.media(call), sizes, strict=True)
        counts = [num_crops(size, canvases, crop) if len(medium.views) > 1 else 1 for medium, size in pairs]
        packed, _ = inner.pack_image_features(
            whole.split(counts), sizes, image_newline=newline, vision_aspect_ratio=config.vision_aspect_ratio
        )
        return torch.cat([own.flatten(0, -2) for own in packed])

    def vision_flops(self, call: Call) -> int:
        vision = self.model.config.vision_config
        key = "pixel_values_videos" if call.modality == "video" else "pixel_values"
        num_images = math.prod(call.arguments[key].shape[:2])
        patch_dim = vision.num_channels * vision.patch_size**2
        width, depth = vision.hidden_size, vision.num_hidden_layers
        tower = vision_flops(num_images, self._side**2, width, vision.intermediate_size, depth, patch_dim)
        return tower + linear_flops(self.model.model.multi_modal_projector, num_images * self._side**2)
