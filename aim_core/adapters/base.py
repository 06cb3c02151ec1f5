"""Adapter: what the engine must know of a family of models. A family is a subclass and a row of `registry.FAMILIES`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence, Sized
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel, ProcessorMixin
from transformers.video_utils import VideoMetadata

from aim_core.adapters.call import MODALITIES, Call, features_only
from aim_core.adapters.chat import first_turn
from aim_core.adapters.layout import Layout, MediaSpan, assign_media
from aim_core.adapters.tower import FEATURE_LAYER, Tower
from aim_core.config import AimConfig
from aim_core.ops.flops import widths
from aim_core.ops.tower_attention import TowerAttention
from aim_core.reasons import UnfitError
from aim_core.view import View

Shown = np.ndarray | tuple[np.ndarray, ...]  # frames (F, H, W, 3), or several pictures (H, W, 3)


@dataclass(frozen=True, eq=False)
class Early:
    """Where a family merges before its projector (LLaVA-1.5, as released).

    projector: the module whose one input (views, n, d) is merged and whose output keeps the axes.
    metric:    the module whose output (views, [1 +] n, m) similarity is measured on.
    """

    projector: nn.Module
    metric: nn.Module


class Adapter(ABC):
    """Wraps a stock model and its processor; changes nothing on them.

    processor: may be None where only tensors are passed, as under `aim`.
    """

    model_class: type[PreTrainedModel]  # loaded by `loading`, checked by `adapter_for`
    keeps_logits = True  # whether the stock forward itself has `logits_to_keep`
    keeps_tower_states = False  # the model takes its features from the states of all the tower's layers
    grid_positions = False  # M-RoPE: a merged token keeps its destination's cell, and text its number, always
    # arguments of get_*_features, for each of MODALITIES
    reads: tuple[tuple[str, ...], ...] = (("pixel_values",), ("pixel_values_videos",))
    modalities: tuple[str, ...] = MODALITIES  # what it can be asked about
    several_pictures = True  # whether one question may be about more than one picture
    audio_seconds = 0.0  # that an audio token stands for; 0 for a family that does not hear
    hearing: tuple[float, float] | None = None  # seconds, the shortest sound that it takes and the longest
    pooled_by: tuple[str, ...] = ()  # what `tower_rows` uses of the inner model

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin | None = None):
        self.model = model
        self.processor: Any = processor  # each family has its own

    # What a family must say

    @abstractmethod
    def media(self, call: Call) -> list[MediaSpan]:
        """The images or videos behind one call, in order, with the pixels behind every row.

        Called by what the model's own code was given, so that any input the model takes will do: read sizes
        from `call.arguments` and `call.output`, not from the processor.
        """

    @abstractmethod
    def vision_flops(self, call: Call) -> int:
        """Operations of the vision side for one call: of the tower, and of the projector or patch mergers after it."""

    @abstractmethod
    def expected_call(self, num_frames: int, height: int, width: int) -> Call:
        """The call that frames of this size will make, for `media` and `vision_flops` before there are any frames.

        Of pixels and features there are shapes alone, on the meta device. Needs the processor.
        """

    def expected_calls(self, sizes: Sequence[tuple[int, int, int]]) -> list[Call]:
        """The calls that one prompt about several media will make; sizes: (frames, height, width) of each, in order."""
        return [self.expected_call(*size) for size in sizes]

    @classmethod  # noqa: B027 (nothing to check is the rule)
    def check(cls, config: PreTrainedConfig) -> None:
        """Raise ValueError for a model of this type that is built otherwise than the adapter expects."""

    # What most families have in common

    @property
    def decoder(self) -> Any:
        """The language model's stack of decoder layers, a module with `.layers` and `.config`."""
        return self.model.get_decoder()

    @property
    def inner(self) -> nn.Module:
        """The module whose forward embeds the prompt, asks for features and calls the decoder."""
        return self.model.model

    @property
    def num_layers(self) -> int:
        return len(self.decoder.layers)

    @property
    def sizes(self) -> dict[str, int]:
        """Widths for `ops.flops.prefill_flops`."""
        return widths(self.decoder.config)

    @property
    def first_droppable(self) -> int:
        """No token may be missing from the layers before this one (Qwen3-VL: deepstack)."""
        return 0

    @property
    def least_l1(self) -> int:
        """The earliest layer up to which a schedule must keep all tokens."""
        return max(0, self.first_droppable - 1)

    def default_config(self) -> AimConfig:
        """The schedule for this model's depth."""
        return AimConfig.for_depth(self.num_layers)

    def early(self) -> Early | None:
        """Where to merge before the projector; None for merging what the decoder would get."""
        return None

    def tower(self) -> Tower:
        """Where the vision tower attends last. Raises ValueError for a family, or a model of it, that cannot say."""
        raise UnfitError("tower_unknown", model_type=self.model.config.model_type)

    def tower_rows(self, call: Call, patches: Sequence[Tensor]) -> Tensor:
        """What the tower says of each row that a call puts into the prompt, (rows of all media, c).

        patches: (b, n, c) of every picture or plane in turn, as `Tower.read` gives them. They are pooled as the family
        pools its features; a newline has zeros. Here: every patch is a row.
        """
        return torch.cat([own.flatten(0, 1) for own in patches])

    def with_tower(self, call: Call, patches: Sequence[Tensor]) -> Call:
        """The same call with what the tower says of its rows; patches: as in `tower_rows`."""
        if call.arguments.get(FEATURE_LAYER) not in (None, getattr(self.model.config, FEATURE_LAYER, None)):
            raise ValueError(f"this method ranks by the tower's layer of the configuration: leave out {FEATURE_LAYER}")
        rows = self.tower_rows(call, patches)
        return replace(call, tower=TowerAttention(rows[None, :, 0], rows[None, :, 1:]))

    def placeholder_token_ids(self) -> dict[str, int | None]:
        """For each modality the token id that makes place for its visual tokens."""
        config = self.model.config
        return {kind: getattr(config, f"{kind}_token_id", None) for kind in MODALITIES}

    def layouts(self, input_ids: Tensor, calls: list[Call]) -> list[Layout]:
        """A layout for each row of token ids (B, N). Raises ValueError if ids and calls do not match."""
        ids = self.placeholder_token_ids()
        by_kind = []
        for kind in MODALITIES:
            media = [
                medium for call in calls if call.modality == kind for medium in _with_found(self.media(call), call)
            ]
            if not media:
                continue
            if (place := ids[kind]) is None:
                raise ValueError(f"this model's configuration names no {kind}_token_id, and its prompt has {kind}s")
            by_kind.append(assign_media(input_ids.eq(place), media))
        return [_together(parts) for parts in zip(*by_kind, strict=True)]

    def view_tokens(self, calls: Sequence[Call]) -> tuple[Tensor, ...]:
        """The visual tokens of every view that these calls made, in order, (n, width) each, as the decoder gets them
        before any merging; what belongs to no view (newlines) is left out."""
        tokens: list[Tensor] = []
        for call in calls:
            parts = call.output.pooler_output
            rows = torch.cat([part.reshape(-1, part.shape[-1]) for part in parts])  # (rows of all media, width)
            start = 0
            for medium in self.media(call):
                tokens += [rows[start + span.rows.to(rows.device)] for span in medium.views]
                start += medium.num_rows
        return tuple(tokens)

    def locate(self, views: Sequence[View], sizes: Sequence[tuple[int, int, int]]) -> tuple[View, ...]:
        """The same views, with what could not be told before the pictures' sizes were known.

        sizes: (frames, height, width) of every image or video of the prompt, in order.
        Here: a frame that a plane repeats to fill itself up is named once.
        """
        return tuple(
            replace(view, frames=tuple(idx for idx in view.frames if idx < sizes[view.medium][0])) for view in views
        )

    # What the engine asks: media and a question in, tensors for the model's own forward out

    def inputs(
        self, frames: Shown, times: np.ndarray, question: str, audio: np.ndarray | None = None
    ) -> dict[str, Tensor]:
        """What a user would pass to the model, on its device.

        frames: (F, H, W, 3) uint8, times: (F,) in seconds; `kind` says whether they go as an image or a video. Or a
                tuple of several pictures (H, W, 3).
        audio:  (samples,) float32, see `Frames`. Raises ValueError for a family that does not hear.
        """
        parts, media = self.shown(frames, times, audio)
        turns = [first_turn(parts, self.plain(question))]
        text = self.processor.apply_chat_template(turns, add_generation_prompt=True)
        inputs = self.processor(text=text, **media, return_tensors="pt")
        return dict(inputs.to(self.model.device, self.model.dtype))

    def shown(self, frames: Shown, times: np.ndarray, audio: np.ndarray | None) -> tuple[list[str], dict[str, Any]]:
        """What the chat template is told comes before the question, and what the processor is given; as in `inputs`."""
        if audio is not None:
            raise self.deaf()
        if isinstance(frames, tuple):
            if not self.several_pictures:
                raise ValueError(f"this model answers about one picture, and got {len(frames)}: give it one")
            return ["image"] * len(frames), {"images": [list(frames)]}
        kind = self.kind(frames)
        return [kind], _video(frames, times) if kind == "video" else {"images": [list(frames)]}

    def said(self, ids: list[int]) -> str:
        """The text of an answer's tokens, without special ones."""
        return self.processor.tokenizer.decode(ids, skip_special_tokens=True).strip()

    def next_position(self, inputs: dict[str, Tensor]) -> int | None:
        """At which position an answer begins after the prompt `inputs`, where stock's `generate` and forward do not
        agree about that: as `generate` has it. None where they do."""
        return None

    def deaf(self) -> ValueError:
        """What is raised where a family that does not hear is given a sound."""
        return ValueError(f"{self.model.config.model_type} models do not hear: leave out the audio")

    def audio_flops(self, inputs: dict[str, Tensor]) -> int:
        """Operations of the audio encoder for the sounds in `inputs`; 0 for none."""
        return 0

    def expected_audio(self, num_samples: int) -> tuple[tuple[int, ...], int]:
        """Tokens of each chunk of a sound of so many samples, and the operations of the audio encoder for it."""
        return (), 0

    def pictures(self, inputs: dict[str, Tensor], kind: str) -> tuple[np.ndarray, ...]:
        """What the vision tower is given of each view, in the order of `media`, (h, w, 3) uint8 before normalisation.

        inputs: what `inputs` gave; kind: "image" or "video", as what they were shown.
        """
        (pixels,) = (inputs[key] for key in ("pixel_values", "pixel_values_videos") if key in inputs)
        return self.as_pictures(pixels.flatten(0, -4), kind)

    def as_pictures(self, pixels: Tensor, kind: str) -> tuple[np.ndarray, ...]:
        """Normalised pixels (n, 3, h, w) as pictures (h, w, 3) uint8."""
        settings = self.processor.video_processor if kind == "video" else self.processor.image_processor
        pixels = pixels.float().cpu()
        if settings.do_normalize:
            mean, std = (torch.tensor(each)[:, None, None] for each in (settings.image_mean, settings.image_std))
            pixels = pixels * std + mean
        if settings.do_rescale:
            pixels = pixels / settings.rescale_factor
        return tuple(pixels.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy())

    def encode(self, inputs: dict[str, Tensor]) -> dict[str, Any]:
        """Run the vision side alone, as `generate` does; returns the forward's `mm_encoder_outputs`."""
        outputs = {}
        for kind, pixels in zip(MODALITIES, ("pixel_values", "pixel_values_videos"), strict=True):
            if pixels in inputs:
                features = getattr(self.inner, f"get_{kind}_features")
                names = signature(features).parameters
                outputs[kind] = features(**{key: inputs[key] for key in inputs if key in names}, return_dict=True)
        return {kind: features_only(output) for kind, output in outputs.items()}

    def kind(self, frames: Sized) -> str:
        """ "image" or "video": how these frames, or a tuple of pictures, are shown to the model."""
        return "image" if isinstance(frames, tuple) or len(frames) == 1 else "video"

    def num_unknown(self, question: str) -> int:
        """Words of the question that the tokenizer has no token for; 0 for a tokenizer that splits any text."""
        tokenizer = self.processor.tokenizer
        ids = tokenizer(self.plain(question), add_special_tokens=False)["input_ids"]
        return 0 if tokenizer.unk_token_id is None else ids.count(tokenizer.unk_token_id)

    def plain(self, question: str) -> str:
        """The question without control tokens, so that typed text can neither add a video nor end the turn."""
        for token in sorted(self.processor.tokenizer.get_added_vocab(), key=len, reverse=True):
            question = question.replace(token, " ")
        return question.strip()


def step_of(times: np.ndarray) -> float:
    """Seconds between frames, on average; 1 for a single one."""
    return float(np.diff(times).mean()) if len(times) > 1 else 1.0


def _video(frames: np.ndarray, times: np.ndarray) -> dict[str, Any]:
    """Frames that are sampled already, for a processor: times counted as frames of a video of 1000 a second."""
    step = step_of(times)
    length = len(frames) * step  # seconds
    stamps = [round(float(time) * 1000) for time in times]
    about = VideoMetadata(round(length * 1000), 1000.0, duration=length, frames_indices=stamps)
    # nested, since SmolVLM's processor takes a flat list for one prompt's videos only from transformers 5.23 on
    return {"videos": [[frames]], "video_metadata": [about], "do_sample_frames": False}


def _with_found(media: list[MediaSpan], call: Call) -> list[MediaSpan]:
    """The same media, each view with how it was merged before the projector and what the tower says of it, if known."""
    queue, start, found = iter(call.merged), 0, []
    for medium in media:
        views = medium.views
        if call.merged:
            views = tuple(replace(part, merged=next(queue)) for part in views)
        if call.tower is not None:
            views = tuple(replace(part, tower=call.tower.rows(start + part.rows)) for part in views)
        found.append(replace(medium, views=views))
        start += medium.num_rows
    return found


def _together(parts: tuple[Layout, ...]) -> Layout:
    """One layout of the images' and the videos' rows, views in the order of the prompt."""
    views = sorted((view for part in parts for view in part.views), key=lambda patches: int(patches.rows[0]))
    return Layout(tuple(views), torch.cat([part.visual for part in parts]).sort().values)
