"""Merging inside a tower: counts, groups, sizes, and what proportional attention means."""

from __future__ import annotations

import pytest
import torch

from aim_core.ops.tower_merging import MergedTower, tokens_by_layer


def merged(num_class: int = 0, seed: int = 0, equal: bool = False, dtype=torch.float64) -> tuple[MergedTower, list]:
    """Three pictures of 21 patches through three layers, 5 less in each, and the rows (3, n, 4) that each leaves."""
    draw = torch.Generator().manual_seed(seed)
    tower, n = MergedTower(3, num_class + 21, num_class, torch.device("cpu")), num_class + 21
    rows, left = torch.randn(3, n, 4, generator=draw, dtype=torch.float64).to(dtype), []
    for _ in range(3):
        keys = torch.randn(3, 2, rows.shape[1], 6, generator=draw, dtype=torch.float64).to(dtype)
        tower.match(torch.ones_like(keys) if equal else keys, 5)
        rows = tower.leave_layer(rows)
        left.append(rows)
    return tower, left


@pytest.mark.parametrize(
    ("patches", "share", "layers", "counts"),
    [
        (729, 0.25, 4, [729, 592, 455, 319, 183]),
        (197, 1.0, 3, [197] * 4),
        (25, 0.3, 2, [25, 16, 8]),
        (16, 0.01, 2, [16, 8, 4]),  # at most half of the tokens
        (1, 0.5, 2, [1, 1, 1]),
    ],
)
def test_about_as_many_leave_each_layer_until_the_share_is_left(patches, share, layers, counts):
    assert tokens_by_layer(patches, share, layers) == counts


@pytest.mark.parametrize("num_class", [0, 1])
@pytest.mark.parametrize("equal", [False, True])
def test_every_patch_is_in_exactly_one_token_and_counts_alike(num_class, equal):
    tower, left = merged(num_class, equal=equal)
    assert [rows.shape[1] - num_class for rows in left] == [16, 11, 6]
    for owner, size in zip(tower.owner, tower.size, strict=True):
        assert torch.equal(torch.bincount(owner, minlength=6 + num_class).float(), size)
    start = torch.randn(3, num_class + 21, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for picture in range(3):
        for token in range(6 + num_class):
            own = start[picture, tower.owner[picture] == token]
            torch.testing.assert_close(left[-1][picture, token], own.mean(dim=0))
    again = merged(num_class, equal=equal)
    assert torch.equal(again[0].owner, tower.owner) and torch.equal(again[1][-1], left[-1])


def test_a_class_token_merges_with_nobody():
    tower, _ = merged(num_class=1)
    assert (tower.owner[:, 0] == 0).all() and (tower.owner[:, 1:] > 0).all()


def test_half_precision_is_merged_in_single():
    tower, left = merged(dtype=torch.float16)
    assert left[-1].dtype == torch.float16 and tower.size.dtype == torch.float32
    assert tower.attention_bias(torch.float16).dtype == torch.float16


def test_proportional_attention_is_that_over_repeated_keys():
    tower, _ = merged()
    draw = torch.Generator().manual_seed(1)
    query, key, value = (torch.randn(3, 2, 6, 8, generator=draw, dtype=torch.float64) for _ in range(3))
    attend = torch.nn.functional.scaled_dot_product_attention
    found = attend(query, key, value, attn_mask=tower.attention_bias(torch.float64))
    torch.testing.assert_close(found, attend(query, tower.spread(key), tower.spread(value)), atol=1e-6, rtol=0)


def test_where_nothing_leaves_nothing_changes():
    tower = MergedTower(2, 7, 1, torch.device("cpu"))
    rows = torch.randn(2, 7, 3)
    tower.match(torch.randn(2, 2, 7, 4), 0)
    assert all(own is rows for own in (tower.merge(rows), tower.unmerge(rows), tower.leave_layer(rows)))
