"""LLaVA-1.5: a square of each image; merged before the projector by the keys of CLIP's last layer, as released."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import replace
from typing import Any

from transformers import CLIPVisionConfig, LlavaForConditionalGeneration, PreTrainedConfig

from aim_core.adapters.base import Adapter, Early
from aim_core.adapters.call import Call, features_of, shapes
from aim_core.adapters.crops import Box, centre_crop
from aim_core.adapters.layout import MediaSpan, consecutive
from aim_core.adapters.tower import Tower, read_layers
from aim_core.config import AimConfig
from aim_core.ops.flops import linear_flops, vision_flops
from aim_core.view import View

_DEPTH, _L1, _L2, _KEEP_RATIO = 32, 13, 21, 0.4375  # arXiv 2412.03248, LLaVA-1.5-7B


class Llava15Adapter(Adapter):
    """Wraps a stock `LlavaForConditionalGeneration` with a CLIP tower."""

    model_class = LlavaForConditionalGeneration
    keeps_tower_states = True
    modalities = ("image",)

    @classmethod
    def check(cls, config: PreTrainedConfig) -> None:
        check_clip(config)

    def media(self, call: Call) -> list[MediaSpan]:
        side = self._side
        view = View(0, (0,), (side, side), None)  # what the crop shows depends on the picture's size
        return [
            MediaSpan(len(rows), (consecutive(replace(view, medium=idx), 0),))
            for idx, rows in enumerate(call.output.pooler_output)
        ]

    def expected_call(self, num_frames: int, height: int, width: int) -> Call:
        self.kind(range(num_frames))
        size = self.model.config.vision_config.image_size
        return Call("image", {"pixel_values": shapes(1, 3, size, size)}, features_of(1, self._side**2, 1))

    def early(self) -> Early:
        """CLIP's last layer reads the same tokens as the projector: those of layer −2."""
        last = self.model.model.vision_tower.encoder.layers[-1]
        return Early(self.model.model.multi_modal_projector, last.self_attn.k_proj)

    def tower(self) -> Tower:
        return clip_tower(self.model)

    def default_config(self) -> AimConfig:
        """The paper's schedule for LLaVA-1.5 (13, 21 of 32 layers, 43.75 % kept), scaled to this depth."""
        l1 = round(self.num_layers * _L1 / _DEPTH)
        return AimConfig(_KEEP_RATIO, l1, max(l1 + 1, round(self.num_layers * _L2 / _DEPTH)))

    def locate(self, views: Sequence[View], sizes: Sequence[tuple[int, int, int]]) -> tuple[View, ...]:
        """With the processor's crop, if there is a processor."""
        if self.processor is None:
            return tuple(views)
        return tuple(
            replace(view, box=crop_box(self.processor.image_processor, *sizes[view.medium][1:])) for view in views
        )

    def kind(self, frames: Sized) -> str:
        if len(frames) > 1 and not isinstance(frames, tuple):
            raise ValueError(f"LLaVA-1.5 reads pictures, and got {len(frames)} frames: give it one picture")
        return "image"

    def vision_flops(self, call: Call) -> int:
        num_images = len(call.arguments["pixel_values"])
        projected = sum(one.tokens.shape[1] for one in call.merged) if call.merged else num_images * self._side**2
        tower = clip_flops(self.model.config.vision_config, num_images)
        return tower + linear_flops(self.model.model.multi_modal_projector, projected)

    @property
    def _side(self) -> int:
        vision = self.model.config.vision_config
        return vision.image_size // vision.patch_size


def check_clip(config: PreTrainedConfig) -> None:
    """Raise ValueError unless the tower is CLIP's, read without its class token (Pixtral has this model type too)."""
    tower, strategy = config.vision_config.model_type, config.vision_feature_select_strategy
    if tower != "clip_vision_model" or strategy != "default":
        raise ValueError(
            f"a {config.model_type} model must have a CLIP tower read without its class token, got {tower}, {strategy}"
        )


def clip_tower(model: Any) -> Tower:
    """CLIP's layer that features come from, -2 as released, ranked by its class token."""
    tower = model.model.vision_tower
    layers = read_layers(tower.encoder.layers, model.config.vision_feature_layer)
    return Tower(tower, layers[-1].self_attn, class_token=True, by_class=True, layers=layers)


def crop_box(settings: Any, height: int, width: int) -> Box:
    """Where CLIP's crop lies in a picture; `settings`: an image or video processor."""
    if not settings.do_center_crop:
        return 0.0, 0.0, 1.0, 1.0
    crop = settings.crop_size
    return centre_crop(height, width, settings.size["shortest_edge"], (crop["height"], crop["width"]))


def clip_flops(vision: CLIPVisionConfig, num_images: int) -> int:
    """All layers of the tower, also the last, whose output is not used; with the class token."""
    patches = (vision.image_size // vision.patch_size) ** 2
    patch_dim = vision.num_channels * vision.patch_size**2
    tower = (vision.hidden_size, vision.intermediate_size, vision.num_hidden_layers, patch_dim)
    return vision_flops(num_images, patches, *tower, extra=1)
