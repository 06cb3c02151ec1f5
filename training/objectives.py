"""Training losses: first the teacher's tokens and labels of every patch, then the answers to questions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.batches import IGNORE, TRAITS, Batch
from training.build import SPECIAL
from training.packed_forward import COUNT, frame_of, packed_forward, patches_of, start_of, tokens_of

MATCH = 4.0  # weight of the likeness to the teacher's tokens
GROUND = 0.2  # weight in it of tokens without a thing
COUNTING = 4.0  # weight of the heads that count
END = SPECIAL.index("<|end|>")


class Helpers(nn.Module):
    """Linear heads used only in training: they predict what a patch shows, so that the tower learns what is there."""

    def __init__(self, tower_width: int):
        super().__init__()
        self.patch = nn.Linear(tower_width, TRAITS["color"] + TRAITS["shape"] + 2)
        self.offset = nn.Linear(tower_width, 2)


def vision_loss(model, teacher, helpers: Helpers, batch: Batch) -> dict[str, Tensor]:
    """Losses of the vision side, by name.

    `match`: visual tokens become those that the teacher makes of the plain drawing of the same things. Patches predict
    the thing that covers them: whether there is one, its colour, its shape and where its middle is.
    """
    patches = patches_of(model, batch.pixels)
    with torch.no_grad():
        wanted = tokens_of(teacher, patches_of(teacher, batch.plain))
    losses = {"match": MATCH * _unlike(tokens_of(model, patches), wanted, batch.token_owner.flatten(0, 1))}
    losses |= _dense("patch", helpers.patch(patches.flatten(0, 1)), batch.patch_owner, batch)
    there = batch.patch_owner.flatten() >= 0
    far = helpers.offset(patches.flatten(0, 1)) - batch.to_middle.reshape(-1, 2)
    losses["offset"] = (far.square().mean(1) * there).sum() / there.sum().clamp(min=1)
    return losses


def _unlike(tokens: Tensor, wanted: Tensor, owner: Tensor) -> Tensor:
    """Squared distance of tokens to those wanted, as a share of the latter's variance.

    tokens, wanted: (n, rows * rows, d); owner: (n, rows, rows), -1 where there is no thing. Tokens that show a thing or
    touch one that does count fully, the others GROUND as much.
    """
    near = F.max_pool2d((owner >= 0).float(), 3, stride=1, padding=1).flatten(1)[..., None]
    weight = GROUND + (1 - GROUND) * near  # (n, rows * rows, 1)
    middle = (wanted * weight).sum((0, 1)) / weight.sum()
    return ((tokens - wanted).square() * weight).sum() / ((wanted - middle).square() * weight).sum()


def answer_loss(model, batch: Batch, keep: float, how: str, rng: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """Losses of all questions of a batch, by name, and (n,) bool: was each word that depends on the video right?

    keep, how: see `packed_forward`.
    """
    visual, logits, between = packed_forward(model, batch, keep, how, rng)
    owner, frame = visual.owner.flatten(1), frame_of(visual)
    past = (owner[:, :, None] == owner[:, None, :]) & (owner >= 0)[:, :, None] & (frame[:, None] > frame[None, :])
    start = start_of(visual)
    asked = batch.targets != IGNORE
    said = F.cross_entropy(logits, batch.targets[asked], reduction="sum")
    losses = {"answer": said / (batch.targets == END).sum()}  # for each question
    losses["back"] = _attend(between["back"][:, 1 : start - 1, 1 : start - 1], past) * 0.3
    things = F.one_hot(owner + 1, batch.things.shape[1] + 1)[..., 1:].bool()  # (B, visual, things)
    wanted = (batch.about[:, :, None] & things[:, None]).any(-1)
    losses["look"] = _attend(between["look"][:, :, 1 : start - 1], wanted) * 0.3
    first = visual.center.flatten(1) * ((owner >= 0) & ~past.any(2))
    counted = F.pad(wanted * first[:, None], (1, 0), value=1.0) * batch.counts[..., None]
    losses |= _counting(between, counted, batch)
    right = logits.argmax(-1) == batch.targets[asked]
    return losses, right[batch.due[asked]]


def _counting(between, counted: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Losses of the attention heads that count, by name.

    counted: (B, T, K) the attention wanted to the first K rows, up to a factor.
    """
    losses = {}
    num_counted = batch.about[batch.counts].sum(-1)
    for layer, _head in COUNT:
        attention = between[f"count {layer}"][:, :, : counted.shape[-1]]
        losses[f"count {layer}"] = _spread(attention, counted) * COUNTING / len(COUNT)
        losses[f"number {layer}"] = _off(attention[..., 0][batch.counts], num_counted) * COUNTING / len(COUNT)
    return losses


def _attend(attention: Tensor, wanted: Tensor) -> Tensor:
    """Mean of -log of the attention that falls on the wanted columns, over the rows that want any."""
    rows = wanted.any(-1)
    share = torch.where(rows, (attention * wanted).sum(-1), 1.0)
    return -share.clamp(min=1e-6).log().sum() / rows.sum().clamp(min=1)


def _spread(attention: Tensor, wanted: Tensor) -> Tensor:
    """Mean cross-entropy of the attention to `wanted`, normalised over columns, over the rows that want any."""
    whole = wanted.sum(-1)
    logs = (attention.clamp(min=1e-6).log() * wanted).sum(-1) / whole.clamp(min=1e-6)
    return -logs.sum() / (whole > 0).sum().clamp(min=1)


def _off(first: Tensor, number: Tensor) -> Tensor:
    """Mean square of log(first · (1 + number)); 0 if nothing is counted.

    It is 0 where the first token gets as much attention as each of the things counted, 1 / (1 + number) of all.
    first: (n,), the attention to the first token; number: (n,) int64, things counted, also those that merging hides.
    """
    log = first.clamp(min=1e-6).log() + (1 + number).log()
    return log.square().sum() / max(1, len(log))


def _labels(owner: Tensor, batch: Batch) -> dict[str, Tensor]:
    """For each trait (cells,) int64, the class of the thing in each cell; IGNORE where there is none."""
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


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the labelled rows; 0 if there are none. They are counted on the device: no GPU is waited for."""
    total = F.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="sum")
    return total / (labels != IGNORE).sum().clamp(min=1)
