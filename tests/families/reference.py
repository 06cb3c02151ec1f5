"""What dropping is checked against: the stock decoder at full length after merging, dropped rows masked layer by layer.

Nothing here uses adapters, layouts or hooks of `aim_core`: rows, positions and masks are put together by hand from
the family's facts. Only the merging of one view's tokens, and the folding of those that leave, are tested functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from aim_core.methods.base import Folder, Steps
from aim_core.ops.merging import merge_tokens


@dataclass(frozen=True, eq=False)
class Prompt:
    """A merged prompt.

    embeds:    (1, n, d); positions: (1, n), or (3, 1, n) with M-RoPE; next_position: that of the first new token.
    visual:    (v,) rows of visual tokens and separators.
    deepstack: features (v, d) added to the visual rows after the first layers; empty for most families.
    audio:     (a,) rows of audio tokens; empty for most prompts.
    """

    embeds: Tensor
    positions: Tensor
    next_position: int
    visual: Tensor
    deepstack: tuple[Tensor, ...]
    audio: Tensor

    def longer(self, token: Tensor) -> Prompt:
        """With one more row of text, (1, 1, d)."""
        new = torch.full_like(self.positions[..., :1], self.next_position)
        positions = torch.cat([self.positions, new], dim=-1)
        embeds = torch.cat([self.embeds, token], dim=1)
        return replace(self, embeds=embeds, positions=positions, next_position=self.next_position + 1)


@torch.inference_mode()
def merged_prompt(
    model: nn.Module,
    inputs: dict,
    views: list[list[int]],
    keep_ratio: float,
    chunks: Sequence[list[int]] = (),
    audio_ratio: float = 1.0,
) -> Prompt:
    """Merge every view and fill the first rows of each; `inputs` as the processor gave them, batch 1.

    chunks: numbers of audio tokens that are merged together; each one left stands where it stood.
    """
    ids = inputs["input_ids"]
    places = visual_places(model, ids)
    merges, features, deep = _features(model, inputs, views, keep_ratio)
    stays = torch.ones(ids.shape[1], dtype=torch.bool)
    source = torch.arange(ids.shape[1])
    rows = features.clone()
    for view, merged in zip(views, merges, strict=True):
        own = torch.tensor(view)
        kept = own[: merged.tokens.shape[1]]
        stays[places[own]] = False
        stays[places[kept]] = True
        rows[kept] = merged.tokens[0]
        source[places[kept]] = places[own[merged.place[0]]]
        deep = [_put(layer, kept, merged.apply(layer[own][None])[0]) for layer in deep]
    heard = heard_features(model, inputs)
    for chunk in chunks:
        own = torch.tensor(chunk)
        merged = merge_tokens(heard[own][None], audio_ratio)
        stays[audio_places(model, ids)[own]] = False
        stays[audio_places(model, ids)[own[merged.place[0]]]] = True
        heard = _put(heard, own[merged.place[0]], merged.tokens[0])
    return _prompt(model, inputs, rows, stays, source, deep, heard)


@torch.inference_mode()
def reduced_prompt(
    model: nn.Module, inputs: dict, blocks: list[list[list[int]]], mergers: list, keep_positions: bool = False
) -> Prompt:
    """Let a merger that gives a `Reduced` work on each block of views; every token stands at its place.

    keep_positions: rows are not numbered anew.
    """
    ids = inputs["input_ids"]
    places = visual_places(model, ids)
    _, features, deep = _features(model, inputs, [view for block in blocks for view in block], 1.0)
    stays, rows = torch.ones(ids.shape[1], dtype=torch.bool), features.clone()
    for block, merger in zip(blocks, mergers, strict=True):
        own = torch.tensor(block)
        reduced = merger(features[own])
        kept = own.flatten()[reduced.place]
        stays[places[own]] = False
        stays[places[kept]] = True
        rows[kept] = reduced.tokens
        member = (reduced.group.flatten() == torch.arange(len(kept))[:, None]) * reduced.weight.flatten()
        deep = [_put(layer, kept, member.to(layer.dtype) @ layer[own].flatten(0, 1)) for layer in deep]
    prompt = _prompt(model, inputs, rows, stays, torch.arange(ids.shape[1]), deep)
    if not keep_positions or prompt.positions.ndim == 3:
        return prompt
    return replace(prompt, positions=stays.nonzero().T, next_position=len(stays))


def _prompt(
    model: nn.Module,
    inputs: dict,
    rows: Tensor,
    stays: Tensor,
    source: Tensor,
    deep: list[Tensor],
    heard: Tensor | None = None,
) -> Prompt:
    """rows: (v, d) what the visual places hold; stays: (N,) bool; source: (N,) the row whose position each has;
    heard: (a, d) what the audio places hold."""
    ids = inputs["input_ids"]
    places = visual_places(model, ids)
    full = model.get_input_embeddings()(ids)
    positions, after = _positions(model, inputs)
    full[0, places] = rows.to(full.dtype)
    visual, audio = torch.zeros_like(stays), torch.zeros_like(stays)
    visual[places] = True
    if heard is not None and len(heard):
        audio[audio_places(model, ids)] = True
        full[0, audio] = heard.to(full.dtype)
    if positions is None:
        positions, after = torch.arange(int(stays.sum()))[None], int(stays.sum())
    else:
        positions = positions[..., source][..., stays]
    deep = tuple(layer[stays[places]] for layer in deep)
    visual, audio = (own[stays].nonzero()[:, 0] for own in (visual, audio))
    return Prompt(full[:, stays], positions, after, visual, deep, audio)


@dataclass(frozen=True, eq=False)
class Folding:
    """folder: of the method; steps: what decides for this prompt instead; scores: for each layer those of kept[i]."""

    folder: Folder | None
    scores: list[Tensor | None]
    steps: Steps | None = None


@torch.inference_mode()
def masked_logits(
    model: nn.Module,
    prompt: Prompt,
    kept: list[Tensor],
    folding: Folding | None = None,
    heard: list[Tensor] | None = None,
    told: list[Tensor] | None = None,
) -> Tensor:
    """Last-row logits (vocabulary,) where layer i sees of the visual rows only those numbered kept[i].

    folding: where rows that leave go on in others; heard: the same for audio rows, None for all; told: for text rows,
    of which all that may ever leave are in told[0].
    """
    return model.get_output_embeddings()(_masked(model, prompt, kept, folding, heard, told).last_hidden_state[:, -1])[0]


@contextmanager
def eager(decoder):
    """Attention that tells its weights."""
    decoder.set_attn_implementation("eager")
    try:
        yield
    finally:
        decoder.set_attn_implementation("sdpa")


@torch.inference_mode()
def masked_weights(
    model: nn.Module, prompt: Prompt, kept: list[Tensor], layer: int, folding: Folding | None = None
) -> Tensor:
    """(heads, n, n), the attention weights of one layer of the same forward; attention must be eager."""
    weights = []
    hook = model.get_decoder().layers[layer].self_attn.register_forward_hook(lambda *call: weights.append(call[-1][1]))
    try:
        _masked(model, prompt, kept, folding)
    finally:
        hook.remove()
    return weights[0][0]


def _masked(
    model: nn.Module,
    prompt: Prompt,
    kept: list[Tensor],
    folding: Folding | None = None,
    heard: list[Tensor] | None = None,
    told: list[Tensor] | None = None,
):
    """The stock decoder's output at full length, dropped rows hidden layer by layer."""
    decoder, length = model.get_decoder(), prompt.embeds.shape[1]
    order = torch.arange(length).float()  # in which rows see each other
    counts = [len(own) for own in kept]

    def folded(layer: int, hidden: Tensor) -> Tensor:
        assert folding is not None
        entered = kept[layer - 1] if layer else torch.arange(len(prompt.visual))
        scores = torch.full((len(prompt.visual),), torch.nan, dtype=torch.float64)
        known = folding.scores[layer - 1] if layer else None
        if known is not None:
            scores[entered] = known.double()
        before = entered[order[prompt.visual[entered]].argsort()]
        rows = prompt.visual[before]
        if folding.steps is not None:
            given = None if known is None else scores[before]
            left = folding.steps.step(layer, hidden[0, rows], given, rows, counts[:layer])
            if left is None:
                return hidden
        else:
            left = folding.folder(hidden[0, rows], scores[before], counts, layer)
        stand = prompt.visual[before[left.place]]
        if left.num_behind:
            behind, others = stand[-left.num_behind :], stand[: -left.num_behind]
            order[behind] = order[others].max() + torch.arange(1, 1 + len(behind)) / (1 + len(behind))
        hidden = hidden.clone()
        hidden[0, stand] = left.tokens
        return hidden

    def hook_for(layer: int):
        gone = torch.zeros(length, dtype=torch.bool)
        gone[prompt.visual] = True
        gone[prompt.visual[kept[layer]]] = False
        if heard is not None:
            gone[prompt.audio] = True
            gone[prompt.audio[heard[layer]]] = False
        if told is not None:
            text = torch.ones(length, dtype=torch.bool)
            text[prompt.visual] = text[prompt.audio] = False
            rows = text.nonzero()[: len(told[0]), 0]
            gone[rows] = True
            gone[rows[told[layer]]] = False

        def hook(_layer, args, kwargs):
            hidden = args[0] if args else kwargs["hidden_states"]
            if folding is not None and (folding.steps or (layer and 0 < counts[layer] < counts[layer - 1])):
                hidden = folded(layer, hidden)
            causal = order[None, :] <= order[:, None]
            allowed = (causal & ~gone[None, :]) | torch.eye(length, dtype=torch.bool)  # no row is empty
            bias = torch.zeros(length, length, dtype=prompt.embeds.dtype).masked_fill(~allowed, -torch.inf)
            given = {name: value for name, value in kwargs.items() if name != "hidden_states"}
            return (hidden, *args[1:]), given | {"attention_mask": bias[None, None]}

        return hook

    extra = {}
    if prompt.deepstack:
        mask = torch.zeros(1, length, dtype=torch.bool)
        mask[0, prompt.visual] = True
        extra = {"visual_pos_masks": mask, "deepstack_visual_embeds": list(prompt.deepstack)}
    with ExitStack() as stack:
        for index, layer in enumerate(decoder.layers):
            stack.enter_context(layer.register_forward_pre_hook(hook_for(index), with_kwargs=True))
        return decoder(inputs_embeds=prompt.embeds, position_ids=prompt.positions, use_cache=False, **extra)


def visual_places(model: nn.Module, ids: Tensor) -> Tensor:
    """(v,) rows of the prompt made for visual tokens."""
    names = ("image_token_id", "video_token_id")
    placeholders = [getattr(model.config, name) for name in names if hasattr(model.config, name)]
    return torch.isin(ids[0], torch.tensor(placeholders)).nonzero()[:, 0]


def audio_places(model: nn.Module, ids: Tensor) -> Tensor:
    """(a,) rows of the prompt made for audio tokens."""
    return ids[0].eq(getattr(model.config, "audio_token_id", -1)).nonzero()[:, 0]


def heard_features(model: nn.Module, inputs: dict) -> Tensor:
    """(a, d) what the stock audio encoder says to these inputs."""
    if "input_features" not in inputs:
        return torch.zeros(0, 0)
    given = {name: inputs[name] for name in ("input_features", "feature_attention_mask")}
    return model.get_audio_features(**given, return_dict=True).last_hidden_state


def _features(model: nn.Module, inputs: dict, views: list[list[int]], keep_ratio: float):
    """A Merged for each view, all rows (v, d) before merging, and deepstack features (v, d)."""
    if model.config.model_type == "llava":
        return (*_llava_1_5(model, inputs["pixel_values"], keep_ratio), [])
    out = encoded(model, inputs)
    rows = _flat(out.pooler_output)
    merges = [merge_tokens(rows[torch.tensor(view)][None], keep_ratio) for view in views]
    return merges, rows, [_flat(layer) for layer in out.get("deepstack_features") or ()]


def encoded(model: nn.Module, inputs: dict):
    """What the stock vision side says to these inputs."""
    video = "pixel_values_videos" in inputs
    names = ["pixel_values", "image_grid_thw", "image_sizes", "batch_num_images", "pixel_attention_mask"]
    if video:
        names = ["pixel_values_videos", "video_grid_thw"]
    encode = model.get_video_features if video else model.get_image_features
    return encode(**{name: inputs[name] for name in names if name in inputs}, return_dict=True)


def _llava_1_5(model: nn.Module, pixels: Tensor, keep_ratio: float):
    """Merge CLIP's tokens of layer −2, matched on the keys its last layer makes of them, then project."""
    tower = model.model.vision_tower
    hidden = tower(pixels, output_hidden_states=True).hidden_states[-2]
    last = tower.encoder.layers[-1]
    keys = last.self_attn.k_proj(last.layer_norm1(hidden))[:, 1:]
    merges = merge_tokens(hidden[:, 1:], keep_ratio, keys).each()
    project = model.model.multi_modal_projector
    projected = [type(one)(project(one.tokens), one.group, one.place, one.weight) for one in merges]
    return projected, project(hidden[:, 1:]).flatten(0, 1)


def _positions(model: nn.Module, inputs: dict) -> tuple[Tensor | None, int]:
    """M-RoPE positions of the full prompt (3, 1, N) and the one after it; (None, 0) for plain ranges."""
    if not hasattr(model.model, "get_rope_index"):
        return None, 0
    names = ("mm_token_type_ids", "image_grid_thw", "video_grid_thw", "second_per_grid_ts")
    if model.config.model_type == "qwen2_5_omni_thinker":
        names = ("image_grid_thw", "video_grid_thw", "attention_mask", "use_audio_in_video")
    given = {name: inputs[name] for name in names if name in inputs}
    if "video_second_per_grid" in inputs:
        given["second_per_grids"] = inputs["video_second_per_grid"]
    if "feature_attention_mask" in inputs:
        given["audio_seqlens"] = inputs["feature_attention_mask"].sum(-1)
    positions, _ = model.model.get_rope_index(inputs["input_ids"], **given)
    return positions, int(positions[..., -1].max()) + 1  # `generate` goes on behind the last row


def _flat(features) -> Tensor:
    """Rows (v, d) of what may be a tensor (media, rows, d), or a list of (rows, d) or of (frames, rows, d)."""
    return torch.cat([part.flatten(0, -2) for part in features])


def _put(rows: Tensor, where: Tensor, what: Tensor) -> Tensor:
    changed = rows.clone()
    changed[where] = what
    return changed
