"""What training asks of the model: labels for every visual token first, then answers; helper heads are thrown away."""

from __future__ import annotations

from contextlib import ExitStack

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.models.qwen2.modeling_qwen2 import apply_rotary_pos_emb

from training.batches import IGNORE, TRAITS, Batch
from training.build import SPECIAL
from training.reduction import Visual, drop, merge

SEEN_LAYER, FOUND_LAYER = 4, 8  # after these decoder layers the helper heads read the hidden states
# Heads (layer, head) that are told where to look: at a thing's past, at what is asked for, and, for counting, evenly at
# the first token of the sequence and once at each thing that counts (three heads, since one alone counts inexactly).
BACK, LOOK, COUNT = (2, 0), (5, 0), ((5, 1), (6, 1), (7, 1))
ALIGNED = ("color", "shape")


class Helpers(nn.Module):
    """Linear heads that exist only while training: they tell early layers what a token should know."""

    def __init__(self, tower_width: int, width: int, rows: int):
        super().__init__()
        self.patch = nn.Linear(tower_width, TRAITS["color"] + TRAITS["shape"] + 2)
        self.token = nn.Linear(width, TRAITS["color"] + TRAITS["shape"] + 2 + 2 * rows + 2)
        self.seen = nn.Linear(width, sum(TRAITS.values()))
        self.first = nn.Linear(width, 2)  # the middle of a thing where it is seen for the first time
        self.found = nn.Linear(width, sum(TRAITS.values()))
        self.temperature = nn.Parameter(torch.tensor(10.0))


def pixels_of(batch: Batch) -> Tensor:
    """(B * F, 3, size, size) float32 in [-1, 1], as the processor gives them."""
    return batch.pixels.flatten(0, 1).float() / 127.5 - 1.0


def see(model, batch: Batch) -> tuple[Tensor, Tensor]:
    """Tower and projector: (B * F, patches, width) patch features and (B * F, tokens, width) visual tokens."""
    patches = model.model.vision_tower(pixels_of(batch), output_hidden_states=True).hidden_states[-1]
    return patches, model.model.apply_pooling(model.model.multi_modal_projector(patches))


def vision_loss(model, helpers: Helpers, batch: Batch, words: dict[str, Tensor]) -> dict[str, Tensor]:
    """Each patch and token tells its thing's colour and shape (in the words' own embeddings too), and its own place.

    words: for each of ALIGNED (its classes,) int64, the token id of every class's name.
    """
    patches, tokens = see(model, batch)
    losses = _dense("patch", helpers.patch(patches.flatten(0, 1)), batch.patch_owner, batch)
    flat = tokens.flatten(0, 1)
    seen = helpers.token(flat)
    losses |= _dense("token", seen[:, : TRAITS["color"] + TRAITS["shape"] + 2], batch.token_owner, batch)
    rows = batch.token_owner.shape[-1]
    place = seen[:, TRAITS["color"] + TRAITS["shape"] + 2 :]
    cell = torch.arange(rows * rows, device=flat.device).repeat(flat.shape[0] // (rows * rows))
    losses["row"] = F.cross_entropy(place[:, :rows], cell // rows)
    losses["column"] = F.cross_entropy(place[:, rows : 2 * rows], cell % rows)
    weight = torch.tensor([1.0, 4.0], device=flat.device)
    losses["center"] = F.cross_entropy(place[:, 2 * rows :], batch.centers.flatten(), weight=weight)
    embed = model.get_input_embeddings().weight
    labels = _labels(batch.token_owner, batch)
    for trait in ALIGNED:
        like = F.normalize(flat, dim=-1) @ F.normalize(embed[words[trait]], dim=-1).T * helpers.temperature
        losses[f"word {trait}"] = _cross_entropy(like, labels[trait])
    return losses


def answer_loss(
    model, helpers: Helpers, batch: Batch, keep: float, how: str, rng: torch.Generator, counting: float
) -> tuple[dict[str, Tensor], Tensor]:
    """Losses of all questions of a batch, and (questions,) bool whether each answer was right.

    keep, how: see `answer_all`.
    counting:  weight of the heads that count.
    """
    visual, logits, between = answer_all(model, batch, keep, how, rng)
    owner, frame = visual.owner.flatten(1), _frame_of(visual)
    past = (owner[:, :, None] == owner[:, None, :]) & (owner >= 0)[:, :, None] & (frame[:, None] > frame[None, :])
    seen_before = past.any(2)
    start = _start(visual)
    asked = batch.targets != IGNORE
    losses = {"answer": F.cross_entropy(logits, batch.targets[asked]) * 2}
    inside = between["seen"][:, 1 : start - 1]
    seen = helpers.seen(inside)
    losses |= _traits("seen", seen.flatten(0, 1), _known(batch, owner, seen_before).flatten(0, 1), 0.3)
    first = visual.center.flatten(1) & (owner >= 0) & ~seen_before
    losses["first"] = F.cross_entropy(helpers.first(inside).flatten(0, 1), first.flatten().long()) * 2
    found = helpers.found(between["found"][:, start:][asked])
    losses |= _traits("found", found, batch.referents[asked], 0.3)
    losses["back"] = _attend(between["back"][:, 1 : start - 1, 1 : start - 1], past) * 0.3
    things = F.one_hot(owner + 1, batch.things.shape[1] + 1)[..., 1:].bool()  # (B, visual, things)
    wanted = (batch.about[:, :, None] & things[:, None]).any(-1)
    losses["look"] = _attend(between["look"][:, start:, 1 : start - 1], wanted) * 0.3
    counted = F.pad(wanted & first[:, None], (1, 0), value=True) & batch.counts[..., None]
    for layer, _head in COUNT:
        spread = _spread(between[f"count {layer}"][:, start:, : start - 1], counted)
        losses[f"count {layer}"] = spread * counting / len(COUNT)
    right = (logits.argmax(-1) == batch.targets[asked])[0::2]  # every other target is the end mark
    return losses, right


def answer_all(
    model, batch: Batch, keep: float, how: str, rng: torch.Generator
) -> tuple[Visual, Tensor, dict[str, Tensor]]:
    """One pass: what is shown of the videos, (asked, vocabulary) logits of all that is to be said, and `_run`'s rest.

    asked: two words of each question, its answer and the end mark.
    keep:  share of each frame's visual tokens shown.
    how:   "drop" leaves tokens out by chance; "merge" averages similar ones and numbers the rest on;
           "place" does too, but lets every token keep its position in the whole video. The tokens stay in merging's
           order, which is that of their positions only where every round halves them; the engine sorts them.
    """
    with torch.no_grad():
        patches = model.model.vision_tower(pixels_of(batch), output_hidden_states=True).hidden_states[-1]
    tokens = model.model.apply_pooling(model.model.multi_modal_projector(patches))
    visual = _reduced(tokens, batch, keep, how, rng)
    num_places = visual.tokens.shape[1] * tokens.shape[1]
    places = _frame_of(visual) * tokens.shape[1] + visual.place.flatten(1) if how == "place" else None
    hidden, between = _run(model, visual.tokens.flatten(1, 2), places, num_places, batch)
    asked = batch.targets != IGNORE
    return visual, hidden[:, _start(visual) :][asked] @ model.get_input_embeddings().weight.T, between


def _start(visual: Visual) -> int:
    """The first row of text: the user mark stands before the video, the newline row after it."""
    return visual.owner.shape[1:].numel() + 2


def _frame_of(visual: Visual) -> Tensor:
    """(F * n,) int64, the frame of each token of a video."""
    frames, left = visual.owner.shape[1:]
    return torch.arange(frames, device=visual.owner.device).repeat_interleave(left)


def _reduced(tokens: Tensor, batch: Batch, keep: float, how: str, rng: torch.Generator) -> Visual:
    videos, frames = batch.pixels.shape[:2]
    owner, center = batch.token_owner.flatten(2), batch.centers.flatten(2).bool()
    place = torch.arange(tokens.shape[1], device=tokens.device).expand_as(owner)
    visual = Visual(tokens.unflatten(0, (videos, frames)), owner, center, place)
    if how == "drop":
        return drop(visual, keep, rng)
    return merge(visual, keep, batch.things.shape[1]) if keep < 1 else visual


def _attend(attention: Tensor, wanted: Tensor) -> Tensor:
    """Minus the log of the attention that falls on the wanted columns, over the rows that want any."""
    rows = wanted.any(-1)
    share = (attention * wanted).sum(-1)[rows]
    return -share.clamp(min=1e-6).log().mean() if bool(rows.any()) else attention.sum() * 0.0


def _spread(attention: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of the attention to an even share for each wanted column, over the rows that want any."""
    rows = wanted.any(-1)
    logs = (attention[rows].clamp(min=1e-6).log() * wanted[rows]).sum(-1) / wanted[rows].sum(-1)
    return -logs.mean() if bool(rows.any()) else attention.sum() * 0.0


def _run(
    model, visual: Tensor, places: Tensor | None, num_places: int, batch: Batch
) -> tuple[Tensor, dict[str, Tensor]]:
    """One pass over video and packed questions, each question seeing the video and itself only.

    places: (B, V) int64 where each visual token stands among `num_places`; None numbers them as they come.

    Returns the last hidden states, and from in between: hidden states `seen` and `found`, attention `back`, `look` and
    `count` with its layer.
    """
    embed = model.get_input_embeddings()
    videos, prefix = visual.shape[0], visual.shape[1] + 2
    user = embed(torch.full((videos, 1), SPECIAL.index("<|user|>"), device=visual.device))
    newline = model.model.image_newline.expand(videos, 1, -1)
    inputs = torch.cat([user, visual, newline, embed(batch.tokens)], dim=1)
    question = torch.cat([batch.question.new_full((videos, prefix), -2), batch.question], dim=1)
    same = (question[:, :, None] == question[:, None, :]) | (question[:, None, :] == -2)
    length = inputs.shape[1]
    mask = (same & torch.ones(length, length, dtype=torch.bool, device=visual.device).tril())[:, None]
    rows = torch.arange(prefix, device=visual.device).expand(videos, -1)
    if places is not None:
        rows = torch.cat([rows[:, :1], 1 + places, rows[:, :1] + 1 + num_places], dim=1)
    positions = torch.cat([rows, rows[:, -1:] + 1 + batch.offset], dim=1)
    between: dict[str, Tensor] = {}

    def keep_output(name):
        return lambda _module, _args, out: between.update({name: out if torch.is_tensor(out) else out[0]})

    def keep_attention(name, head):
        def hook(layer, args, kwargs):
            hidden = args[0] if args else kwargs["hidden_states"]
            between[name] = _one_head(layer, head, hidden, kwargs["position_embeddings"], mask[:, 0])

        return hook

    decoder = model.model.language_model
    layers = decoder.layers
    with ExitStack() as stack:
        stack.enter_context(layers[SEEN_LAYER - 1].register_forward_hook(keep_output("seen")))
        stack.enter_context(layers[FOUND_LAYER - 1].register_forward_hook(keep_output("found")))
        told = {"back": BACK, "look": LOOK} | {f"count {layer}": (layer, head) for layer, head in COUNT}
        for name, (layer, head) in told.items():
            stack.enter_context(layers[layer].register_forward_pre_hook(keep_attention(name, head), with_kwargs=True))
        out = decoder(inputs_embeds=inputs, attention_mask=mask, position_ids=positions, use_cache=False)
    return out.last_hidden_state, between


def _one_head(layer, head: int, hidden: Tensor, rotary, mask: Tensor) -> Tensor:
    """(B, N, N) attention of one head of a layer, computed beside the layer itself.

    hidden: (B, N, width), what enters the layer.
    rotary: cosines and sines of the rows' positions, (B, N, head_dim) each.
    mask:   (B, N, N) bool, which rows (axis 1) see which columns (axis 2).
    """
    attention, hidden = layer.self_attn, layer.input_layernorm(hidden)
    part = slice(head * attention.head_dim, (head + 1) * attention.head_dim)
    query = F.linear(hidden, attention.q_proj.weight[part], attention.q_proj.bias[part])[:, None]
    key = F.linear(hidden, attention.k_proj.weight[part], attention.k_proj.bias[part])[:, None]
    query, key = apply_rotary_pos_emb(query, key, *rotary)
    logits = (query @ key.transpose(-1, -2))[:, 0] * attention.scaling
    return logits.masked_fill(~mask, torch.finfo(logits.dtype).min).softmax(-1)


def _labels(owner: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Flat class numbers of each cell's thing, IGNORE where there is none."""
    videos = owner.shape[0]
    flat = owner.reshape(videos, -1)
    things = batch.things.gather(1, flat.clamp(min=0)[..., None].expand(-1, -1, len(TRAITS)))
    things = things.masked_fill((flat < 0)[..., None], IGNORE)
    return {name: things[..., i].flatten() for i, name in enumerate(TRAITS)}


def _dense(name: str, logits: Tensor, owner: Tensor, batch: Batch) -> dict[str, Tensor]:
    labels = _labels(owner, batch)
    color, shape, there = logits.split([TRAITS["color"], TRAITS["shape"], 2], dim=-1)
    return {
        f"{name} color": _cross_entropy(color, labels["color"]),
        f"{name} shape": _cross_entropy(shape, labels["shape"]),
        f"{name} there": F.cross_entropy(there, (owner.flatten() >= 0).long()),
    }


def _known(batch: Batch, owner: Tensor, seen_before: Tensor) -> Tensor:
    """(B, tokens, U): traits that a visual token can know from itself and the frames before it."""
    known = batch.things.gather(1, owner.clamp(min=0)[..., None].expand(-1, -1, len(TRAITS))).clone()
    known[owner < 0] = IGNORE
    names = list(TRAITS)
    for name in ("motion", "begins"):
        known[..., names.index(name)].masked_fill_(~seen_before, IGNORE)
    for name in ("ends", "phase", "stays"):
        known[..., names.index(name)] = IGNORE
    return known


def _traits(name: str, logits: Tensor, labels: Tensor, weight: float) -> dict[str, Tensor]:
    parts = logits.split(list(TRAITS.values()), dim=-1)
    return {
        f"{name} {trait}": _cross_entropy(part, labels[..., i]) * weight
        for i, (trait, part) in enumerate(zip(TRAITS, parts, strict=True))
        if bool((labels[..., i] != IGNORE).any())
    }


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the labelled rows; 0 if there are none."""
    chosen = labels != IGNORE
    return F.cross_entropy(logits[chosen], labels[chosen]) if bool(chosen.any()) else logits.sum() * 0.0
