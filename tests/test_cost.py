"""Cost: the formula against the paper's published tables (arXiv 2412.03248)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aim_core.config import AimConfig
from aim_core.cost import FORMULA, Cost, prefill_flops, vision_flops

QWEN2_7B = {"hidden": 3584, "kv": 512, "intermediate": 18944}
LLAMA_7B = {"hidden": 4096, "kv": 4096, "intermediate": 11008}
FRAMES, TEXT, LAYERS = 32, 100, 28

PUBLISHED_SCHEDULES = [  # l1, l2, published TFLOPs, all at 25 % kept
    (28, 29, 22.90),
    (21, 29, 20.15),
    (14, 29, 17.41),
    (7, 29, 14.66),
    (21, 22, 17.50),
    (14, 22, 14.76),
    (7, 22, 12.01),
    (14, 15, 12.10),
    (7, 15, 9.36),
    (7, 8, 6.71),
]
PUBLISHED_MERGES = [  # tokens kept of a frame's 196, published TFLOPs; the script halves and rounds down
    (98, 46.48),
    (49, 22.90),
    (24, 11.64),
    (12, 6.41),
    (6, 3.85),
    (3, 2.57),
]


def as_published(l1: int, l2: int, visual: int, text: int, num_layers: int) -> list[int]:
    """Tokens of each layer by the published script: the share that is left after the layer."""
    return [n + text for n in AimConfig(l1=l1, l2=l2).tokens_entering(visual, num_layers + 1)[1:]]


def small_operations(tokens: list[int]) -> int:
    """What the published count adds for Qwen2-7B: softmax (28 heads), norms, residuals, gate, last-token logits."""
    return sum(5 * 28 * n**2 + 18 * n * 3584 for n in tokens) + 2 * 3584 * 152064


@pytest.mark.parametrize(("l1", "l2", "published"), PUBLISHED_SCHEDULES)
def test_the_published_schedules(l1, l2, published):
    tokens = as_published(l1, l2, FRAMES * 49, TEXT, LAYERS)
    flops = prefill_flops(tokens, **QWEN2_7B)
    assert flops / 1e12 == pytest.approx(published, abs=0.015)
    assert (flops + small_operations(tokens)) / 1e12 == pytest.approx(published, abs=0.01)


@pytest.mark.parametrize(("kept", "published"), PUBLISHED_MERGES)
def test_the_published_merges(kept, published):
    tokens = [FRAMES * kept + TEXT] * LAYERS
    flops = prefill_flops(tokens, **QWEN2_7B)
    assert flops / 1e12 == pytest.approx(published, rel=0.0015)
    assert (flops + small_operations(tokens)) / 1e12 == pytest.approx(published, abs=0.005)


def test_dense_is_99_46_and_the_small_operations_make_it_the_published_99_63():
    tokens = [n + TEXT for n in AimConfig.dense().tokens_entering(FRAMES * 196, LAYERS)]
    flops = prefill_flops(tokens, **QWEN2_7B)
    assert flops / 1e12 == pytest.approx(99.46, abs=0.005)
    assert (flops + small_operations(tokens)) / 1e12 == pytest.approx(99.63, abs=0.005)


def test_the_default_schedule_as_executed_costs_more_than_published():
    tokens = [n + TEXT for n in AimConfig().tokens_entering(FRAMES * 49, LAYERS)]
    assert prefill_flops(tokens, **QWEN2_7B) / 1e12 == pytest.approx(15.52, abs=0.005)


def test_llava_1_5():
    assert prefill_flops([576 + 40] * 32, **LLAMA_7B) / 1e12 == pytest.approx(8.18, abs=0.005)
    reduced = as_published(13, 21, 252, 40, 32)  # 43.75 % kept
    assert prefill_flops(reduced, **LLAMA_7B) / 1e12 == pytest.approx(2.22, abs=0.005)


def test_siglip_so400m_costs_about_two_thirds_of_a_teraflop_a_frame():
    tower = {"patches": 729, "hidden": 1152, "intermediate": 4304, "num_layers": 27, "patch_dim": 3 * 14 * 14}
    one = vision_flops(1, **tower)
    assert 0.64e12 < one < 0.67e12
    assert vision_flops(32, **tower) == 32 * one


def test_each_term_counts_a_multiplication_and_an_addition():
    # One token, every width 1: q, k, v, o (8), three MLP products (6), scores and their use (4).
    assert prefill_flops([1], hidden=1, kv=1, intermediate=1) == 18
    # Four projections (8), two MLP products (4), attention (4), and a patch of 3 values (6).
    assert vision_flops(1, patches=1, hidden=1, intermediate=1, num_layers=1, patch_dim=3) == 22


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 5000), max_size=6), st.lists(st.integers(0, 5000), max_size=6))
def test_layers_add_up(first, second):
    parts = prefill_flops(first, **QWEN2_7B) + prefill_flops(second, **QWEN2_7B)
    assert prefill_flops(first + second, **QWEN2_7B) == parts


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="got -1"):
        prefill_flops([5, -1], **QWEN2_7B)


def test_a_cost_knows_the_share_of_the_vision_tower():
    cost = Cost((12, 7), (10, 5), num_text=2, language_flops=30, vision_flops=10)
    assert (cost.total_flops, cost.vision_share) == (40, 0.25)
    assert Cost((), (), 0, 0, 0).vision_share == 0


def test_the_formula_is_one_line():
    assert "\n" not in FORMULA and "4·n²·d" in FORMULA
