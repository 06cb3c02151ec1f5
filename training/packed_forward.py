"""Packed forward: one pass over a batch of videos, each with all of its questions packed behind it."""

from __future__ import annotations

from contextlib import ExitStack

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.qwen2.modeling_qwen2 import apply_rotary_pos_emb

from training.batches import IGNORE, Batch
from training.build import SPECIAL
from training.token_reduction import VisualTokens, drop, merge

PACKED = "video then text"  # the attention of packed rows, by the name that transformers knows it
# Attention heads, as (layer, head), that are trained where to look: BACK at earlier tokens of the same thing, LOOK at
# what is asked about, and COUNT, for counting, evenly at the first token of the sequence and once at each thing that
# counts (three heads, since one alone counts inexactly).
BACK, LOOK, COUNT = (2, 0), (5, 0), ((5, 1), (6, 1), (7, 1))


def normalised(pixels: Tensor) -> Tensor:
    """(B * F, 3, size, size) float32 in [-1, 1], as the processor gives them; pixels: (B, F, 3, size, size) uint8."""
    return pixels.flatten(0, 1).float() / 127.5 - 1.0


def patches_of(model, pixels: Tensor) -> Tensor:
    """(B * F, patches, width), the vision tower's output for every patch; pixels: as of `Batch`."""
    return model.model.vision_tower(normalised(pixels), output_hidden_states=True).hidden_states[-1]


def tokens_of(model, patches: Tensor) -> Tensor:
    """(B * F, tokens, width), the visual tokens of these patches."""
    return model.model.apply_pooling(model.model.multi_modal_projector(patches))


def packed_forward(
    model, batch: Batch, keep: float, how: str, rng: torch.Generator
) -> tuple[VisualTokens, Tensor, dict[str, Tensor]]:
    """One pass: the visual tokens shown, the answers' logits (asked, vocabulary), and what `_run` keeps in between.

    asked: the words of each question's answer and its end mark.
    keep:  share of each frame's visual tokens that is shown.
    how:   "drop" leaves out random tokens; "merge" averages similar ones and numbers those left without gaps;
           "place" merges too, but every token keeps its position in the whole video.
    """
    with torch.no_grad():  # the tower is not trained here
        patches = patches_of(model, batch.pixels)
    tokens = tokens_of(model, patches)
    visual = _reduced(tokens, batch, keep, how, rng)
    num_places = visual.tokens.shape[1] * tokens.shape[1]
    places = frame_of(visual) * tokens.shape[1] + visual.place.flatten(1) if how == "place" else None
    hidden, between = _run(model, visual.tokens.flatten(1, 2), places, num_places, batch)
    asked = batch.targets != IGNORE
    return visual, hidden[:, start_of(visual) :][asked] @ model.get_input_embeddings().weight.T, between


def start_of(visual: VisualTokens) -> int:
    """The first row of text: the user mark stands before the visual tokens, the newline row after them."""
    return visual.owner.shape[1:].numel() + 2


def frame_of(visual: VisualTokens) -> Tensor:
    """(F * n,) int64, the frame of each token of a video."""
    frames, left = visual.owner.shape[1:]
    return torch.arange(frames, device=visual.owner.device).repeat_interleave(left)


def _reduced(tokens: Tensor, batch: Batch, keep: float, how: str, rng: torch.Generator) -> VisualTokens:
    videos, frames = batch.pixels.shape[:2]
    owner, center = batch.token_owner.flatten(2), batch.centers.flatten(2)
    place = torch.arange(tokens.shape[1], device=tokens.device).expand_as(owner)
    visual = VisualTokens(tokens.unflatten(0, (videos, frames)), owner, center, place)
    if how == "drop":
        return drop(visual, keep, rng)
    if keep == 1:
        return visual
    with torch.autocast(tokens.device.type, enabled=False):  # in half precision other pairs would be the most similar
        merged = merge(visual, keep, batch.things.shape[1])
    return merged.rows(merged.place.argsort(2)) if how == "place" else merged  # as the engine orders them


def _run(
    model, visual: Tensor, places: Tensor | None, num_places: int, batch: Batch
) -> tuple[Tensor, dict[str, Tensor]]:
    """One pass of the decoder; each of the packed questions sees the video and itself only.

    places: (B, V) int64, the position of each visual token among `num_places`; None numbers them without gaps.

    Returns the last hidden states and, by name, the attention that is trained where to look: `back` of the video's rows
    to each other, `look` and `count` with its layer of the text's rows to all.
    """
    embed = model.get_input_embeddings()
    videos, start = visual.shape[0], visual.shape[1] + 2
    user = embed(torch.full((videos, 1), SPECIAL.index("<|user|>"), device=visual.device))
    newline = model.model.image_newline.expand(videos, 1, -1)
    inputs = torch.cat([user, visual, newline, embed(batch.tokens)], dim=1)
    rows = torch.arange(start, device=visual.device).expand(videos, -1)
    if places is not None:
        rows = torch.cat([rows[:, :1], 1 + places, rows[:, :1] + 1 + num_places], dim=1)
    positions = torch.cat([rows, rows[:, -1:] + 1 + batch.offset], dim=1)
    own = (batch.question[:, :, None] == batch.question[:, None, :]).tril()
    sees = torch.cat([own.new_ones(*own.shape[:2], start), own], dim=2)  # (B, text, all)
    causal = own.new_ones(1, start, start).tril()
    between: dict[str, Tensor] = {}

    def keep_attention(name, head, mask):
        def hook(layer, args, kwargs):
            hidden = args[0] if args else kwargs["hidden_states"]
            between[name] = _one_head(layer, head, hidden, kwargs["position_embeddings"], mask)

        return hook

    decoder = model.model.language_model
    layers = decoder.layers
    with ExitStack() as stack:
        told = {"back": (*BACK, causal), "look": (*LOOK, sees)} | {f"count {i}": (i, head, sees) for i, head in COUNT}
        for name, (layer, head, mask) in told.items():
            hook = keep_attention(name, head, mask)
            stack.enter_context(layers[layer].register_forward_pre_hook(hook, with_kwargs=True))
        stack.callback(decoder.set_attn_implementation, decoder.config._attn_implementation)
        decoder.set_attn_implementation(PACKED)
        out = decoder(inputs_embeds=inputs, attention_mask=sees[:, None], position_ids=positions, use_cache=False)
    return out.last_hidden_state, between


def _video_then_text(module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor, **kwargs):
    """sdpa attention in two parts: the video's rows causal without a mask, at half the work; the text's by a mask."""
    start = key.shape[2] - attention_mask.shape[2]
    alone = (part[:, :, :start] for part in (query, key, value))
    video, _ = sdpa_attention_forward(module, *alone, attention_mask=None, **kwargs)
    text, _ = sdpa_attention_forward(module, query[:, :, start:], key, value, attention_mask, **kwargs)
    return torch.cat([video, text], dim=1), None


AttentionInterface.register(PACKED, _video_then_text)


def _one_head(layer, head: int, hidden: Tensor, rotary, mask: Tensor) -> Tensor:
    """The attention of one head of a layer, computed beside the layer itself.

    hidden: (B, N, width), what enters the layer.
    rotary: cosines and sines of the rows' positions, (B, N, head_dim) each.
    mask:   (B, M, K) bool, which rows see which columns: of the first K rows, the last M to all K.
    """
    rows, columns = mask.shape[1:]
    attention, hidden = layer.self_attn, layer.input_layernorm(hidden[:, :columns])
    part = slice(head * attention.head_dim, (head + 1) * attention.head_dim)
    query, key = (
        F.linear(hidden, project.weight[part], project.bias[part])[:, None]
        for project in (attention.q_proj, attention.k_proj)
    )
    query, key = apply_rotary_pos_emb(query, key, *(turn[:, :columns] for turn in rotary))
    logits = (query[:, :, columns - rows :] @ key.transpose(-1, -2))[:, 0] * attention.scaling
    return logits.masked_fill(~mask, torch.finfo(logits.dtype).min).softmax(-1)
