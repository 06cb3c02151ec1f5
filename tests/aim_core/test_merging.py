"""Merging: checked against a slow version written with plain loops, and by what must hold for any tokens."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aim_core.ops import merging
from aim_core.ops.merging import merge_round, merge_tokens, num_kept


def slow_merge(x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """One frame, x: (n, d) → tokens (k, d) and group (n,), with lists of members instead of index arithmetic."""
    rows, members = list(x), [[i] for i in range(len(x))]
    while len(rows) > k:
        removed = min(len(rows) // 2, len(rows) - k)
        a_rows, b_rows = rows[0::2], rows[1::2]
        a_members, b_members = members[0::2], members[1::2]
        best, partner = [], []
        for a in a_rows:
            cosines = [a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for b in b_rows]
            best.append(max(cosines))
            partner.append(int(np.argmax(cosines)))
        ranked = sorted(range(len(a_rows)), key=lambda i: -best[i])
        joining, staying = ranked[:removed], ranked[removed:]
        rows, members = [a_rows[i] for i in staying], [a_members[i] for i in staying]
        for j, b in enumerate(b_rows):
            joined = [i for i in joining if partner[i] == j]
            rows.append(np.mean([b] + [a_rows[i] for i in joined], axis=0))
            members.append(b_members[j] + [m for i in joined for m in a_members[i]])
    group = np.empty(len(x), dtype=np.int64)
    for row, patches in enumerate(members):
        group[patches] = row
    return np.stack(rows), group


def random_tokens(frames: int, n: int, d: int, seed: int, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(frames, n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


shapes = st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(2, 6))
ratios = st.floats(0.01, 1)


@settings(max_examples=40, deadline=None)
@given(shapes, ratios, st.integers(0, 10_000))
def test_tokens_groups_and_row_order_match_the_slow_version(shape, ratio, seed):
    tokens = random_tokens(*shape, seed)
    merged = merge_tokens(tokens, ratio)
    k = num_kept(shape[1], ratio)
    for frame in range(shape[0]):
        rows, group = slow_merge(tokens[frame].numpy(), k)
        np.testing.assert_array_equal(merged.group[frame].numpy(), group)
        np.testing.assert_allclose(merged.tokens[frame].numpy(), rows, atol=1e-12)


@pytest.mark.parametrize("with_metric", [False, True])
def test_gradients_are_those_of_finite_differences(with_metric):
    tokens = random_tokens(2, 11, 3, 5).requires_grad_()
    metric = random_tokens(2, 11, 4, 6) if with_metric else None
    pull = random_tokens(2, 3, 3, 7)
    (merge_tokens(tokens, 0.25, metric).tokens * pull).sum().backward()
    step, slopes = 1e-6, torch.zeros_like(tokens)
    for at in np.ndindex(*tokens.shape):
        ends = []
        for sign in (1, -1):
            moved = tokens.detach().clone()
            moved[at] += sign * step
            ends.append((merge_tokens(moved, 0.25, metric).tokens * pull).sum())
        slopes[at] = (ends[0] - ends[1]) / (2 * step)
    assert slopes.abs().min() > 1e-3
    torch.testing.assert_close(tokens.grad, slopes, atol=1e-7, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(shapes, ratios, st.integers(0, 10_000), st.sampled_from([torch.float32, torch.float16, torch.bfloat16]))
def test_every_patch_is_in_one_group_and_no_group_is_empty(shape, ratio, seed, dtype):
    tokens = random_tokens(*shape, seed, dtype)
    before = tokens.clone()
    merged = merge_tokens(tokens, ratio)
    k = num_kept(shape[1], ratio)
    assert merged.tokens.shape == (shape[0], k, shape[2])
    assert merged.tokens.dtype == dtype
    assert merged.group.shape == shape[:2] and merged.group.dtype == torch.int64
    for labels in merged.group:
        assert torch.equal(labels.unique(), torch.arange(k))
    assert torch.isfinite(merged.tokens).all()
    assert torch.equal(tokens, before)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 2000), st.integers(1, 100))
def test_the_number_kept_is_the_exact_ceiling(n, percent):
    assert num_kept(n, percent / 100) == math.ceil(Fraction(n * percent, 100))


@pytest.mark.parametrize(("n", "ratio", "kept"), [(100, 0.07, 7), (10, 0.1, 1), (100, 0.14, 14), (50, 0.28, 14)])
def test_floating_point_does_not_keep_one_more(n, ratio, kept):
    assert num_kept(n, ratio) == kept


def test_the_number_kept_never_reaches_zero():
    assert num_kept(3, 1e-12) == 1


@pytest.mark.parametrize("n", [1, 7])
def test_ratio_one_returns_the_very_same_tokens(n):
    tokens = random_tokens(2, n, 3, 0, torch.bfloat16)
    merged = merge_tokens(tokens, 1.0)
    assert torch.equal(merged.tokens, tokens)
    assert torch.equal(merged.group, torch.arange(n).expand(2, n))


def test_a_single_token_survives_any_ratio():
    tokens = random_tokens(2, 1, 3, 0)
    assert torch.equal(merge_tokens(tokens, 0.01).tokens, tokens)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_identical_tokens_merge_to_that_token(dtype):
    token = random_tokens(1, 1, 8, 3, dtype)
    merged = merge_tokens(token.repeat(2, 21, 1), 0.2)
    torch.testing.assert_close(merged.tokens, token.expand(2, 5, 8))


def test_zero_tokens_do_not_give_nan():
    assert torch.equal(merge_tokens(torch.zeros(1, 6, 4), 0.5).tokens, torch.zeros(1, 3, 4))


@pytest.mark.parametrize(
    ("ratio", "sizes"), [(0.5, [196]), (0.25, [196, 98]), (0.125, [196, 98, 49]), (0.3, [196, 98]), (0.9, [196])]
)
def test_a_round_removes_at_most_half(monkeypatch, ratio, sizes):
    seen = []

    def counted(tokens, num_removed, metric):
        seen.append((tokens.shape[1], num_removed))
        return merge_round(tokens, num_removed, metric)

    monkeypatch.setattr(merging, "merge_round", counted)
    left = merge_tokens(random_tokens(1, 196, 4, 0), ratio).tokens.shape[1]
    assert [size for size, _ in seen] == sizes
    assert [size - removed for size, removed in seen] == [*sizes[1:], left]


def test_the_closest_pair_merges_and_the_rest_keep_the_documented_order():
    # A rows: 0, 2, 4; B rows: 1, 3. Row 4 is nearest to a B row, then 0, then 2.
    degrees = torch.tensor([[0.0, 20.0, 120.0, 90.0, 25.0]], dtype=torch.float64).deg2rad()
    tokens = torch.stack([degrees.cos(), degrees.sin()], dim=-1)
    left, new_of_old = merge_round(tokens, 1)
    mean = (tokens[0, 1] + tokens[0, 4]) / 2
    torch.testing.assert_close(left[0], torch.stack([tokens[0, 0], tokens[0, 2], mean, tokens[0, 3]]))
    assert new_of_old.tolist() == [[0, 2, 1, 3, 2]]


def test_ties_go_to_the_first_row():
    x, y = [1.0, 0.0], [0.0, 1.0]
    merged = merge_tokens(torch.tensor([[x, x, x, x, x, y]]), 5 / 6)
    # All A rows tie at 1 with B rows 0 and 1: the first A row joins the first B row.
    assert merged.group.tolist() == [[2, 2, 0, 3, 1, 4]]


def test_the_second_mean_is_not_weighted_by_group_size():
    # Round one: rows 0 and 2 join row 1 (mean 2), round two joins that to row 3: (2 + 8) / 2, not (0 + 2 + 4 + 8) / 4.
    values = torch.tensor([[0.0, 2.0, 4.0, 8.0]], dtype=torch.float64)
    directions = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    tokens = torch.cat([directions * 1e3, values[..., None]], dim=-1)
    merged = merge_tokens(tokens, 0.25)
    assert merged.group.tolist() == [[0, 0, 0, 0]]
    assert merged.tokens[0, 0, 2] == 5


def test_half_precision_pairs_as_float32_does():
    tokens = random_tokens(2, 196, 16, 5, torch.bfloat16)
    half, full = merge_tokens(tokens, 0.25), merge_tokens(tokens.float(), 0.25)
    assert torch.equal(half.group, full.group)
    assert torch.equal(half.tokens, full.tokens.bfloat16())


def test_frames_do_not_see_each_other():
    tokens = random_tokens(3, 20, 4, 1)
    together = merge_tokens(tokens, 0.4)
    for frame in range(3):
        alone = merge_tokens(tokens[frame : frame + 1], 0.4)
        assert torch.equal(alone.group[0], together.group[frame])
        torch.testing.assert_close(alone.tokens[0], together.tokens[frame])


@pytest.mark.parametrize(
    ("tokens", "ratio", "message"),
    [
        (torch.zeros(4, 3), 0.5, "got shape \\(4, 3\\)"),
        (torch.zeros(1, 0, 3), 0.5, "no empty axis"),
        (torch.zeros(0, 4, 3), 0.5, "no empty axis"),
        (torch.zeros(1, 4, 3, dtype=torch.int64), 0.5, "floating point, got torch.int64"),
        (torch.zeros(1, 4, 3), 0.0, "keep_ratio must be in \\(0, 1\\], got 0.0"),
        (torch.zeros(1, 4, 3), 1.5, "got 1.5"),
        (torch.zeros(1, 4, 3), math.nan, "got nan"),
    ],
)
def test_bad_input_is_refused(tokens, ratio, message):
    with pytest.raises(ValueError, match=message):
        merge_tokens(tokens, ratio)


@pytest.mark.parametrize("num_removed", [-1, 3])
def test_a_round_refuses_to_remove_more_than_half(num_removed):
    with pytest.raises(ValueError, match="num_removed must be in \\[0, 2\\]"):
        merge_round(torch.zeros(1, 5, 2), num_removed)


@pytest.mark.parametrize("ratio", [1.0, 0.9, 0.5, 0.25, 0.07])
def test_weights_and_places_say_how_each_group_came_about(ratio):
    tokens = random_tokens(3, 57, 6, 1)
    merged = merge_tokens(tokens, ratio)
    torch.testing.assert_close(merged.apply(tokens), merged.tokens)
    sums = torch.zeros(merged.place.shape).scatter_add_(1, merged.group, merged.weight.float())
    torch.testing.assert_close(sums, torch.ones_like(sums))
    rows = torch.arange(merged.place.shape[1]).expand_as(merged.place)
    assert torch.equal(merged.group.gather(1, merged.place), rows)  # a group's own patch is in it


def test_in_a_round_the_place_is_that_of_the_odd_token():
    merged = merge_tokens(random_tokens(2, 40, 6, 2), 0.5)
    assert torch.equal(merged.place, torch.arange(1, 40, 2).expand(2, -1))


def test_a_metric_decides_what_is_similar():
    tokens = random_tokens(2, 30, 6, 4)
    metric = random_tokens(2, 30, 5, 5)
    by_metric = merge_tokens(tokens, 0.25, metric)
    assert torch.equal(by_metric.group, merge_tokens(metric, 0.25).group)
    torch.testing.assert_close(by_metric.tokens, by_metric.apply(tokens))
    assert not torch.equal(by_metric.group, merge_tokens(tokens, 0.25).group)
    with pytest.raises(ValueError, match="metric"):
        merge_tokens(tokens, 0.25, metric[:, :20])


def test_frames_come_apart_and_stay_themselves():
    merged = merge_tokens(random_tokens(3, 20, 6, 6), 0.5)
    assert torch.equal(torch.cat([one.tokens for one in merged.each()]), merged.tokens)
    assert [tuple(one.group.shape) for one in merged.each()] == [(1, 20)] * 3


def test_rounds_lead_from_each_token_to_its_group():
    tokens = torch.randn(3, 22, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    merged = merge_tokens(tokens, 0.2)
    sizes = [22, 11, 6]
    assert [new.shape for new in merged.rounds] == [(3, size) for size in sizes]
    number, count = torch.arange(22).repeat(3, 1), torch.ones(3, 22, dtype=torch.float64)
    mean = tokens
    for new in merged.rounds:  # the plain mean of what met in a round, by hand
        left = int(new.max()) + 1
        summed = torch.zeros(3, left, 5, dtype=torch.float64).scatter_add_(1, new[..., None].expand(-1, -1, 5), mean)
        count = torch.zeros(3, left, dtype=torch.float64).scatter_add_(1, new, torch.ones(new.shape).double())
        mean, number = summed / count[..., None], new.gather(1, number)
    assert torch.equal(number, merged.group)
    torch.testing.assert_close(mean, merged.tokens)
    for frame, one in enumerate(merged.each()):
        assert all(torch.equal(own[0], new[frame]) for own, new in zip(one.rounds, merged.rounds, strict=True))


def test_nothing_merged_has_no_rounds():
    assert merge_tokens(torch.randn(2, 4, 3), 1.0).rounds == ()
    assert [one.rounds for one in merge_tokens(torch.randn(2, 4, 3), 1.0).each()] == [(), ()]
