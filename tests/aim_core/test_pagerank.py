"""Importance: streamed PageRank against a dense float64 one, and what holds for any causal attention."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from aim_core.config import AimConfig
from aim_core.methods.aim import PageRankOverUniform, aim_method
from aim_core.ops.pagerank import pagerank, pagerank_heads, uniform_correction, uniform_pagerank


def dense_pagerank(query, key, scale, temperature, iterations, teleport) -> np.ndarray:
    """(b, heads, n): the whole matrix of one head at a time, in float64 NumPy."""
    query, key = query.double().numpy(), key.double().numpy()
    batch, heads, n, _ = query.shape
    ranks = np.empty((batch, heads, n))
    for b in range(batch):
        for h in range(heads):
            logits = query[b, h] @ key[b, h // (heads // key.shape[1])].T * scale / temperature
            logits[np.triu_indices(n, 1)] = -np.inf
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            matrix = weights / weights.sum(axis=1, keepdims=True)
            rank = np.full(n, 1 / n)
            for _ in range(iterations):
                rank = (1 - teleport) * rank @ matrix + teleport / n
            ranks[b, h] = rank
    return ranks


def attention(batch, heads, kv_heads, n, head_dim=8, seed=0, dtype=torch.float64):
    made = torch.Generator().manual_seed(seed)
    query = torch.randn(batch, heads, n, head_dim, generator=made, dtype=torch.float64)
    key = torch.randn(batch, kv_heads, n, head_dim, generator=made, dtype=torch.float64)
    return query.to(dtype), key.to(dtype), head_dim**-0.5


CASES = [
    ((1, 4, 2, 300), 0.1, 5, 0.0),  # a full block and a short one
    ((2, 6, 2, 37), 0.1, 5, 0.15),
    ((1, 3, 3, 192), 1.0, 2, 0.0),  # exactly one block
    ((1, 4, 1, 577), 0.5, 5, 0.3),  # a last block of one row
    ((2, 14, 2, 330), 0.1, 5, 0.0),  # so many heads that blocks are as short as they get
    ((1, 2, 2, 20), 0.1, 1, 0.5),
    ((1, 2, 1, 1), 0.1, 5, 0.0),
]


@pytest.mark.parametrize(("shape", "temperature", "iterations", "teleport"), CASES)
def test_streaming_changes_nothing(shape, temperature, iterations, teleport):
    query, key, scale = attention(*shape)
    expected = dense_pagerank(query, key, scale, temperature, iterations, teleport)
    heads = pagerank_heads(query, key, scale, temperature, iterations, teleport)
    assert heads.dtype == torch.float64
    np.testing.assert_allclose(heads.numpy(), expected, rtol=1e-10, atol=1e-15)
    scores = pagerank(query, key, scale, temperature, iterations, teleport)
    assert scores.dtype == torch.float32
    np.testing.assert_allclose(scores.numpy(), np.sqrt((expected**2).mean(axis=1)), rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_lower_precision_input_is_scored_in_float32(dtype):
    query, key, scale = attention(1, 4, 2, 300, dtype=dtype)
    expected = dense_pagerank(query, key, scale, 0.1, 5, 0.0)  # of the rounded input
    heads = pagerank_heads(query, key, scale)
    assert heads.dtype == torch.float32
    np.testing.assert_allclose(heads.numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_float32_is_within_two_millionths_of_the_largest_score_and_ranks_alike(sharpness):
    query, key, scale = attention(1, 4, 2, 300, dtype=torch.float32)
    query *= sharpness
    expected = np.sqrt((dense_pagerank(query, key, scale, 0.1, 5, 0.0) ** 2).mean(axis=1))[0]
    scores = pagerank(query, key, scale)[0]
    np.testing.assert_allclose(scores.numpy(), expected, rtol=0, atol=2e-6 * expected.max())
    order = np.argsort(-expected, kind="stable")
    gaps = expected[order[:-1]] - expected[order[1:]]
    for count in (30, 75, 150):
        if gaps[count - 1] > 1e-3 * expected[order[count]]:  # not tied for float32
            best = scores.argsort(descending=True, stable=True)[:count]
            assert set(best.tolist()) == set(order[:count])


@pytest.mark.parametrize(("fewest", "most", "floats"), [(1, 7, 10**9), (64, 64, 1), (16, 10**9, 10**9)])
def test_the_size_of_a_block_changes_nothing(monkeypatch, fewest, most, floats):
    query, key, scale = attention(2, 4, 2, 210)
    expected = pagerank_heads(query, key, scale, teleport=0.1)
    monkeypatch.setattr("aim_core.ops.pagerank._FEWEST", fewest)
    monkeypatch.setattr("aim_core.ops.pagerank._MOST", most)
    monkeypatch.setattr("aim_core.ops.pagerank._CPU_FLOATS", floats)
    torch.testing.assert_close(pagerank_heads(query, key, scale, teleport=0.1), expected, rtol=1e-10, atol=0)


class Operations(TorchDispatchMode):
    """Counts the operations that run inside the block, and the elements of the largest result that owns its memory."""

    def __init__(self):
        super().__init__()
        self.count, self.largest = 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.count += not func.is_view
        if isinstance(result, torch.Tensor):
            self.largest = max(self.largest, result.untyped_storage().nbytes() // result.element_size())
        return result


def test_a_short_sequence_takes_few_operations():
    # At this size the fixed cost of each call is what counts.
    query, key, scale = attention(1, 2, 2, 129, 64, dtype=torch.float32)
    with Operations() as operations:
        pagerank(query, key, scale)
    assert operations.count <= 45


def test_only_a_block_of_the_matrix_is_ever_held():
    query, key, scale = attention(1, 4, 2, 1500, dtype=torch.float32)
    with Operations() as operations:
        pagerank(query, key, scale)
    assert operations.largest <= 4 * 128 * 1500


def test_weights_of_sharp_attention_are_normal_floats():
    # An exp to a subnormal costs a CPU twenty times one to a normal float.
    query, key, scale = attention(1, 4, 2, 300, 64, dtype=torch.float32)
    tiny = torch.finfo(torch.float32).tiny
    seen = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            if func is torch.ops.aten.exp_.default:
                seen.append(bool((result < tiny).any()))
            return result

    with Watch():
        pagerank(query * 8, key, scale)
    assert seen and not any(seen)


def test_small_scores_keep_their_digits():
    # Squared in float32, a score below 1e-22 would be 0, and the order among such tokens arbitrary.
    query, key, scale = attention(1, 4, 2, 300, dtype=torch.float32)
    expected = np.sqrt((dense_pagerank(query, key, scale, 0.1, 5, 0.0) ** 2).mean(axis=1))
    small = (expected > 1e-33) & (expected < 1e-23)
    assert small.any()
    np.testing.assert_allclose(pagerank(query, key, scale).numpy()[small], expected[small], rtol=1e-3)


@pytest.mark.parametrize("teleport", [0.0, 0.2])
def test_each_head_is_a_distribution(teleport):
    query, key, scale = attention(2, 4, 2, 270, seed=1)
    heads = pagerank_heads(query, key, scale, teleport=teleport)
    assert (heads >= 0).all()
    torch.testing.assert_close(heads.sum(-1), torch.ones(2, 4, dtype=torch.float64))


def test_the_past_gains_what_the_future_gives():
    # Nothing flows to the right, so what the tokens from any point on hold can only shrink.
    query, key, scale = attention(1, 2, 2, 40)
    tails = [pagerank_heads(query, key, scale, 1.0, iterations=steps).flip(-1).cumsum(-1) for steps in (1, 2, 5, 9)]
    for before, after in pairwise(tails):
        assert (after <= before + 1e-12).all()


def test_the_first_token_ends_with_everything_under_even_attention():
    # All logits equal: the first token attends to itself alone and every other row leaks to it.
    zeros = torch.zeros(1, 1, 30, 4, dtype=torch.float64)
    ranks = pagerank_heads(zeros, zeros, 0.5, iterations=200)[0, 0]
    assert ranks[0] == pytest.approx(1) and ranks[1:].max() < 1e-9
    one_step = pagerank_heads(zeros, zeros, 0.5, iterations=1)[0, 0]
    harmonic = torch.tensor([sum(1 / (row + 1) for row in range(column, 30)) / 30 for column in range(30)])
    torch.testing.assert_close(one_step, harmonic.double(), rtol=1e-6, atol=0)


def exact_uniform(n: int, iterations: int, teleport: Fraction) -> list[Fraction]:
    """Row by row and column by column, in fractions."""
    rank = [Fraction(1, n)] * n
    for _ in range(iterations):
        passed = [sum((rank[row] / (row + 1) for row in range(column, n)), Fraction(0)) for column in range(n)]
        rank = [(1 - teleport) * own + teleport / n for own in passed]
    return rank


@pytest.mark.parametrize(("n", "iterations", "teleport"), [(1, 5, 0), (12, 1, 0), (23, 5, 0), (23, 7, Fraction(3, 20))])
def test_what_position_alone_gives_is_pagerank_of_even_attention(n, iterations, teleport):
    expected = list(map(float, exact_uniform(n, iterations, Fraction(teleport))))
    np.testing.assert_allclose(uniform_pagerank(n, iterations, float(teleport)).numpy(), expected, rtol=1e-12)


def test_what_position_alone_gives_in_a_long_sequence_is_a_power_of_a_logarithm():
    n, share = 200_000, 0.2
    found = float(uniform_pagerank(n, 5)[round(share * n)]) * n
    assert found == pytest.approx(math.log(1 / share) ** 5 / math.factorial(5), rel=1e-3)


@pytest.mark.parametrize("numbers", [(0,), (4, 0), (4, 5, 1.0)])
def test_position_alone_needs_numbers_in_range(numbers):
    with pytest.raises(ValueError, match="must be"):
        uniform_pagerank(*numbers)


def test_over_even_attention_even_attention_is_even_and_what_stands_out_still_does():
    zeros = torch.zeros(1, 2, 90, 4)
    torch.testing.assert_close(PageRankOverUniform()(zeros, zeros, 0.5), torch.full((1, 90), 1 / 90))
    query, key, scale = attention(1, 4, 4, 60, dtype=torch.float32)
    plain, over = pagerank(query, key, scale)[0], PageRankOverUniform()(query, key, scale)[0]
    expected = plain.double().numpy() / (60 * np.array(list(map(float, exact_uniform(60, 5, Fraction(0))))))
    np.testing.assert_allclose(over.numpy(), expected, rtol=1e-5)
    assert aim_method(AimConfig(scores="pagerank_over_uniform", iterations=3)).scorer == PageRankOverUniform(0.1, 3)


def test_after_very_many_steps_the_correction_is_still_a_number():
    assert uniform_correction(torch.ones(1, 300) / 300, 200).isfinite().all()


def test_a_token_that_all_attend_to_scores_highest():
    query, key, scale = attention(1, 4, 4, 60)
    query[..., 0], key[..., 0] = 3.0, 0.0
    key[:, :, 17, 0] = 20.0
    assert pagerank(query, key, scale)[0].argmax() == 17


def test_the_input_is_not_changed():
    query, key, scale = attention(1, 2, 1, 20, dtype=torch.float32)
    before = query.clone(), key.clone()
    pagerank(query, key, scale)
    assert torch.equal(query, before[0]) and torch.equal(key, before[1])


@pytest.mark.parametrize(
    ("query", "key", "message"),
    [
        ((2, 5, 4), (1, 2, 5, 4), "must be \\(b, heads, n, head_dim\\)"),
        ((1, 2, 0, 4), (1, 2, 0, 4), "no empty axis"),
        ((1, 4, 5, 4), (1, 3, 5, 4), "multiple of the key heads"),
        ((1, 2, 5, 4), (1, 4, 5, 4), "multiple of the key heads"),
        ((1, 2, 5, 4), (1, 2, 6, 4), "agree in all but heads"),
        ((1, 2, 5, 4), (2, 2, 5, 4), "agree in all but heads"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(query, key, message):
    with pytest.raises(ValueError, match=message):
        pagerank(torch.zeros(query), torch.zeros(key), 0.5)


@pytest.mark.parametrize(
    "numbers", [{"temperature": 0.0}, {"temperature": float("nan")}, {"iterations": 0}, {"teleport": 1.0}]
)
def test_numbers_out_of_range_are_refused(numbers):
    query, key, scale = attention(1, 1, 1, 3)
    with pytest.raises(ValueError, match=next(iter(numbers))):
        pagerank(query, key, scale, **numbers)
