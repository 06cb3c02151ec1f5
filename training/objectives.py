"""Training losses: labels of every patch and visual token in the first stage, then the answers to questions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.batches import IGNORE, TRAITS, Batch
from training.build import SPECIAL
from training.packed_forward import COUNT, frame_of, packed_forward, patches_of, start_of, tokens_of
from training.wide_world import MOST_THINGS

ALIGNED = ("color", "shape")  # traits whose word embedding a token must also be most similar to


class Helpers(nn.Module):
    """Auxiliary linear heads, used only in training: they predict labels, so that early layers learn what is there."""

    def __init__(self, tower_width: int, width: int, rows: int):
        super().__init__()
        self.patch = nn.Linear(tower_width, TRAITS["color"] + TRAITS["shape"] + 2)
        self.offset = nn.Linear(tower_width, 2)
        self.token = nn.Linear(width, TRAITS["color"] + TRAITS["shape"] + 2 + 2 * rows + 2)
        self.seen = nn.Linear(width, sum(TRAITS.values()))
        self.first = nn.Linear(width, 2)  # whether a thing, not seen before, has its middle here
        self.found = nn.Linear(width, sum(TRAITS.values()))
        self.number = nn.Linear(width, MOST_THINGS + 1)  # how many things are counted
        self.temperature = nn.Parameter(torch.tensor(10.0))
        self.end = SPECIAL.index("<|end|>")


def vision_loss(model, helpers: Helpers, batch: Batch, words: dict[str, Tensor]) -> dict[str, Tensor]:
    """Losses of the vision side, by name: patches and visual tokens predict the thing that covers them.

    They predict whether there is one, its colour, its shape and where its middle is; a token also the words of colour
    and shape, by similarity to their embeddings, and its own row and column in the frame.
    words: for each of ALIGNED (its classes,) int64, the token id of every class's name.
    """
    patches = patches_of(model, batch)
    tokens = tokens_of(model, patches)
    losses = _dense("patch", helpers.patch(patches.flatten(0, 1)), batch.patch_owner, batch)
    there = batch.patch_owner.flatten() >= 0
    far = helpers.offset(patches.flatten(0, 1)) - batch.to_middle.reshape(-1, 2)
    losses["offset"] = (far.square().mean(1) * there).sum() / there.sum().clamp(min=1)
    flat = tokens.flatten(0, 1)
    seen = helpers.token(flat)
    losses |= _dense("token", seen[:, : TRAITS["color"] + TRAITS["shape"] + 2], batch.token_owner, batch)
    rows = batch.token_owner.shape[-1]
    place = seen[:, TRAITS["color"] + TRAITS["shape"] + 2 :]
    cell = torch.arange(rows * rows, device=flat.device).repeat(flat.shape[0] // (rows * rows))
    losses["row"] = F.cross_entropy(place[:, :rows], cell // rows)
    losses["column"] = F.cross_entropy(place[:, rows : 2 * rows], cell % rows)
    losses["center"] = _shares(place[:, 2 * rows :], batch.centers.flatten())
    embed = model.get_input_embeddings().weight
    labels = _labels(batch.token_owner, batch)
    for trait in ALIGNED:
        like = F.normalize(flat, dim=-1) @ F.normalize(embed[words[trait]], dim=-1).T * helpers.temperature
        losses[f"word {trait}"] = _cross_entropy(like, labels[trait])
    return losses


def answer_loss(
    model,
    helpers: Helpers,
    batch: Batch,
    keep: float,
    how: str,
    rng: torch.Generator,
    counting: float,
    number: bool,
) -> tuple[dict[str, Tensor], Tensor]:
    """Losses of all questions of a batch, by name, and (n,) bool: was each word that depends on the video right?

    keep, how: see `packed_forward`.
    counting:  weight of the losses that teach counting.
    number:    whether the number of things counted is predicted too.
    """
    visual, logits, between = packed_forward(model, batch, keep, how, rng)
    owner, frame = visual.owner.flatten(1), frame_of(visual)
    past = (owner[:, :, None] == owner[:, None, :]) & (owner >= 0)[:, :, None] & (frame[:, None] > frame[None, :])
    seen_before = past.any(2)
    start = start_of(visual)
    asked = batch.targets != IGNORE
    said = F.cross_entropy(logits, batch.targets[asked], reduction="sum")
    losses = {"answer": said / (batch.targets == helpers.end).sum()}  # for each question
    inside = between["seen"][:, 1 : start - 1]
    seen = helpers.seen(inside)
    losses |= _traits("seen", seen.flatten(0, 1), _known(batch, owner, seen_before).flatten(0, 1), 0.3)
    first = visual.center.flatten(1) * ((owner >= 0) & ~seen_before)
    losses["first"] = _shares(helpers.first(inside).flatten(0, 1), first.flatten()) * 0.3
    found = helpers.found(between["found"][:, start:][batch.due])
    losses |= _traits("found", found, batch.referents[batch.due], 0.3)
    losses["back"] = _attend(between["back"][:, 1 : start - 1, 1 : start - 1], past) * 0.3
    things = F.one_hot(owner + 1, batch.things.shape[1] + 1)[..., 1:].bool()  # (B, visual, things)
    wanted = (batch.about[:, :, None] & things[:, None]).any(-1)
    losses["look"] = _attend(between["look"][:, :, 1 : start - 1], wanted) * 0.3
    counted = F.pad(wanted * first[:, None], (1, 0), value=1.0) * batch.counts[..., None]
    losses |= _counting(helpers, between, counted, batch, counting, number)
    right = logits.argmax(-1) == batch.targets[asked]
    return losses, right[batch.due[asked]]


def _counting(helpers, between, counted: Tensor, batch: Batch, counting: float, number: bool) -> dict[str, Tensor]:
    """Losses of the attention heads that count, by name, and of the predicted number of things.

    counted: (B, T, K) the attention wanted to the first K rows, up to a factor.
    """
    losses = {}
    num_counted = batch.about[batch.counts].sum(-1)
    for layer, _head in COUNT:
        attention = between[f"count {layer}"][:, :, : counted.shape[-1]]
        losses[f"count {layer}"] = _spread(attention, counted) * counting / len(COUNT)
        if number:
            losses[f"number {layer}"] = _off(attention[..., 0][batch.counts], num_counted) * counting / len(COUNT)
    if number:
        told = helpers.number(between["found"][:, -batch.tokens.shape[1] :][batch.counts])
        losses["number"] = _cross_entropy(told, num_counted)
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


def _shares(logits: Tensor, share: Tensor) -> Tensor:
    """Cross-entropy of two classes, the second with probability `share`, over the sum of shares: most rows have none.

    logits: (n, 2); share: (n,) from 0, larger ones than 1 count as 1.
    """
    share = share.clamp(max=1.0)
    total = F.cross_entropy(logits, torch.stack([1 - share, share], dim=1), reduction="sum")
    return total / share.sum().clamp(min=1.0)


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


def _known(batch: Batch, owner: Tensor, seen_before: Tensor) -> Tensor:
    """(B, tokens, U): traits that a visual token can know from itself and earlier frames; IGNORE for the others."""
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
    }


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the labelled rows; 0 if there are none. They are counted on the device: no GPU is waited for."""
    total = F.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="sum")
    return total / (labels != IGNORE).sum().clamp(min=1)
