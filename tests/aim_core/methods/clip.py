"""Visual tokens as of a short video, for methods and their slow references: much stays from frame to frame."""

from __future__ import annotations

import numpy as np
import torch

from aim_core.ops.tower_attention import TowerAttention

GRID = (4, 5)


def clip_tokens(num_frames: int = 7, dim: int = 12, seed: int = 0) -> torch.Tensor:
    """(frames, 20, dim) float64; of the places of each frame a third are new, others stay but for a little noise."""
    draw = np.random.default_rng(seed)
    places = GRID[0] * GRID[1]
    frames = [draw.normal(size=(places, dim)) + 0.5]
    for _ in range(num_frames - 1):
        fresh = draw.random(places) < 1 / 3
        new = draw.normal(size=(places, dim)) + 0.5
        frames.append(np.where(fresh[:, None], new, frames[-1] + 0.1 * draw.normal(size=(places, dim))))
    return torch.from_numpy(np.stack(frames))


def kept_by(merger, tokens: torch.Tensor) -> set[tuple[int, int]]:
    """The patches (frame, place) that a method keeps as they are; it must drop all others."""
    reduced = merger(tokens)
    kept = [(int(place) // tokens.shape[1], int(place) % tokens.shape[1]) for place in reduced.place]
    assert kept == sorted(set(kept))  # raster order
    for number, (frame, place) in enumerate(kept):
        assert reduced.group[frame, place] == number and torch.equal(reduced.tokens[number], tokens[frame, place])
    assert int((reduced.group >= 0).sum()) == len(kept)
    return set(kept)


def clip_tower(num_frames: int = 7, seed: int = 0) -> TowerAttention:
    """What a vision tower might say of such a video: attention received, few values large, and keys of 6 numbers."""
    draw = np.random.default_rng(seed + 100)
    received = draw.lognormal(sigma=1.2, size=(num_frames, 20))
    return TowerAttention(
        torch.from_numpy(received / received.sum(axis=1, keepdims=True)),
        torch.from_numpy(draw.normal(size=(num_frames, 20, 6)) + 0.3),
    )


Tokens = dict[int, dict[int, float]]  # where each token stands → its patches and what they count; patch t * 20 + i


def check_tokens(reduced, tokens: torch.Tensor, expected: Tokens) -> None:
    """Tokens stand where expected, in raster order, of the patches expected, and are their weighted sums."""
    flat = tokens.flatten(0, 1).numpy()
    assert reduced.place.tolist() == sorted(expected)
    group, weight = reduced.group.flatten().numpy(), reduced.weight.flatten().numpy()
    for number, place in enumerate(sorted(expected)):
        members = expected[place]
        assert set(np.flatnonzero(group == number).tolist()) == set(members)
        for patch, share in members.items():
            assert abs(weight[patch] - share) < 1e-9
        whole = sum(share * flat[patch] for patch, share in members.items())
        np.testing.assert_allclose(reduced.tokens[number].numpy(), whole, atol=1e-9)
    assert (group < 0).sum() == len(group) - sum(map(len, expected.values()))


def cosine(one, other) -> float:
    return float(np.dot(one, other) / np.sqrt(np.dot(one, one) * np.dot(other, other)))
