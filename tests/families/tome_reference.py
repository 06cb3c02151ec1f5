"""ToMe in the stock tower by hand: picture by picture and token by token, written from section 3 of its paper.

Between layers every patch holds its token's feature, so that the stock code around the layers sees full grids.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from tests.aim_core.methods.clip import cosine
from tests.families.tower_reference import CLASS_TOKEN, CLIP, tower_of

Groups = list[list[int]]


def one_layer(layer, rows: Tensor, groups: Groups, classes: int, removed: int) -> tuple[Tensor, Groups, Tensor]:
    """Tokens (n, d), the rows that each stands for, and keys (n, m) → tokens and groups behind the layer, and its keys.

    classes: class tokens in the lead; removed: how many tokens are to join others.
    """
    attention = layer.attention if hasattr(layer, "attention") else layer.self_attn
    before, after = (
        (layer.layernorm_before, layer.layernorm_after)
        if hasattr(layer, "layernorm_before")
        else (layer.layer_norm1, layer.layer_norm2)
    )
    first, second = getattr(layer, "lambda_1", 1), getattr(layer, "lambda_2", 1)
    looked, keys = by_hand(attention, before(rows), [len(group) for group in groups])
    rows = rows + first * looked
    rows, groups = joined(rows, groups, keys, classes, removed)
    return rows + second * layer.mlp(after(rows)), groups, keys


def by_hand(attention, rows: Tensor, sizes: list[int]) -> tuple[Tensor, Tensor]:
    """Proportional attention of rows (n, d), and their keys, mean over heads (n, m)."""
    norm = (getattr(attention, name, lambda x: x) for name in ("q_norm", "k_norm"))
    query, key = (own(project(rows)) for own, project in zip(norm, (attention.q_proj, attention.k_proj), strict=True))
    value, heads = attention.v_proj(rows), attention.num_heads
    found = []
    for q, k, v in zip(query.chunk(heads, -1), key.chunk(heads, -1), value.chunk(heads, -1), strict=True):
        powers = (q @ k.T * attention.scale).exp() * torch.tensor(sizes)
        found.append(powers / powers.sum(dim=1, keepdim=True) @ v)
    out = attention.projection_layer if hasattr(attention, "projection_layer") else attention.out_proj
    return out(torch.cat(found, dim=-1)), torch.stack(key.chunk(heads, -1)).mean(dim=0)


def joined(rows: Tensor, groups: Groups, keys: Tensor, classes: int, removed: int) -> tuple[Tensor, Groups]:
    """Rows and groups after the `removed` pairs of A and B whose keys are most alike became size-weighted means."""
    numbers = range(classes, len(groups))
    a, b, k = numbers[::2], numbers[1::2], keys.numpy()
    best = {i: max(b, key=lambda j: cosine(k[i], k[j])) for i in a}
    order = sorted(a, key=lambda i: -cosine(k[i], k[best[i]]))
    going, staying = order[:removed], order[removed:] if removed else list(a)
    new_rows, new_groups = [], []
    for i in [*range(classes), *staying, *b] if removed else range(len(groups)):
        members = [i, *(j for j in going if best[j] == i)]
        total = sum(len(groups[j]) for j in members)
        new_rows.append(sum(rows[j] * len(groups[j]) for j in members) / total)
        new_groups.append([row for j in members for row in groups[j]])
    return torch.stack(new_rows), new_groups


@contextmanager
def merging_by_hand(model, name: str, share: float) -> Iterator[list[np.ndarray]]:
    """The stock tower merges inside the block; listed is for each picture (n, 1 + m), 0 and the key of each patch."""
    tower = tower_of(model)[0]
    layers = list(tower.encoder.layer if name == "internvl" else tower.encoder.layers)
    layers, classes = layers[:-1] if name in CLIP else layers, int(name in CLASS_TOKEN)
    state: list[Groups] = []
    found: list[np.ndarray] = []

    def run(number: int, hidden: Tensor) -> Tensor:
        if number == 0:
            state[:] = [[[row] for row in range(hidden.shape[1])] for _ in hidden]
        outputs = []
        for picture, grid in enumerate(hidden):
            groups = state[picture]
            count, patches = len(groups) - classes, len(grid) - classes
            left = math.ceil(round(patches * share, 9))
            removed = min(math.ceil((count - left) / (len(layers) - number)), count // 2)
            rows = torch.stack([grid[group[0]] for group in groups])
            rows, state[picture], keys = one_layer(layers[number], rows, groups, classes, removed)
            if number == len(layers) - 1:
                per_row = {row: keys[i].numpy() for i, group in enumerate(groups) for row in group}
                found.append(np.array([[0.0, *per_row[row]] for row in range(classes, len(grid))]))
            out = torch.empty_like(grid)
            for row, group in zip(rows, state[picture], strict=True):
                out[group] = row
            outputs.append(out)
        return torch.stack(outputs)

    for number, layer in enumerate(layers):
        layer.forward = lambda hidden, *_, number=number, **__: run(number, hidden)
    try:
        yield found
    finally:
        for layer in layers:
            del layer.forward
