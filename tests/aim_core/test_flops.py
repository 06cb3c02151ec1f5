"""Cost: the formula against the paper's published tables (arXiv 2412.03248) and against torch's own counter."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3VLTextConfig, Qwen3VLTextModel

from aim_core.config import AimConfig, LinearSchedule
from aim_core.ops.flops import (
    FORMULA,
    PUBLISHED,
    Convention,
    Cost,
    Decoder,
    further_flops,
    logits_flops,
    pagerank_flops,
    prefill_flops,
    saved_in_tower,
    small_flops,
    vision_flops,
    widths,
)
from tests.helpers.counting import counted

QWEN2_7B = {"hidden": 3584, "kv": 512, "intermediate": 18944}
LLAMA_7B = {"hidden": 4096, "kv": 4096, "intermediate": 11008}
QWEN2_7B_CONFIG = Qwen2Config(
    vocab_size=152064,
    hidden_size=3584,
    intermediate_size=18944,
    num_hidden_layers=28,
    num_attention_heads=28,
    num_key_value_heads=4,
)
FRAMES, TEXT, LAYERS = 32, 100, 28
FAR_OFF = {(28, 29), (14, 29), (14, 22)}  # rows that FORMULA alone misses by more than 0.01 T

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
    return [n + text for n in AimConfig(l1=l1, l2=l2).schedule.tokens_entering(visual, num_layers + 1)[1:]]


def published(tokens: list[int]) -> float:
    """TFLOPs of Qwen2-7B as the published script counts them: the small operations as well."""
    visual = [n - TEXT for n in tokens]
    return Decoder.of(QWEN2_7B_CONFIG).count(visual, TEXT, PUBLISHED) / 1e12


@pytest.mark.parametrize(("l1", "l2", "expected"), PUBLISHED_SCHEDULES)
def test_the_published_schedules(l1, l2, expected):
    tokens = as_published(l1, l2, FRAMES * 49, TEXT, LAYERS)
    off = abs(prefill_flops(tokens, **QWEN2_7B) / 1e12 - expected)
    assert off < 0.015 and (off > 0.01) == ((l1, l2) in FAR_OFF)
    assert published(tokens) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("kept", "expected"), PUBLISHED_MERGES)
def test_the_published_merges(kept, expected):
    tokens = [FRAMES * kept + TEXT] * LAYERS
    assert prefill_flops(tokens, **QWEN2_7B) / 1e12 == pytest.approx(expected, rel=0.0015)
    assert published(tokens) == pytest.approx(expected, abs=0.005)


def test_dense_is_99_46_and_the_small_operations_make_it_the_published_99_63():
    tokens = [n + TEXT for n in AimConfig.dense().schedule.tokens_entering(FRAMES * 196, LAYERS)]
    assert prefill_flops(tokens, **QWEN2_7B) / 1e12 == pytest.approx(99.46, abs=0.005)
    assert published(tokens) == pytest.approx(99.63, abs=0.005)


def test_the_default_schedule_as_scripted_and_as_executed():
    scripted = as_published(14, 22, FRAMES * 49, TEXT, LAYERS)
    assert prefill_flops(scripted, **QWEN2_7B) / 1e12 == pytest.approx(14.75, abs=0.005)
    assert published(scripted) == pytest.approx(14.76, abs=0.005)
    executed = [n + TEXT for n in AimConfig().schedule.tokens_entering(FRAMES * 49, LAYERS)]
    assert prefill_flops(executed, **QWEN2_7B) / 1e12 == pytest.approx(15.52, abs=0.005)
    assert published(executed) == pytest.approx(15.53, abs=0.005)


@pytest.fixture(scope="module")
def qwen2_7b():
    """The stock class at full size, on the meta device: shapes without memory."""
    with torch.device("meta"):
        return Qwen2ForCausalLM(QWEN2_7B_CONFIG).eval()


@pytest.mark.parametrize("schedule", ["dense", "scripted", "executed"])
def test_torch_counts_the_same(qwen2_7b, schedule):
    plan = {
        "dense": AimConfig.dense().schedule.tokens_entering(FRAMES * 196, LAYERS),
        "scripted": AimConfig().schedule.tokens_entering(FRAMES * 49, LAYERS + 1)[1:],
        "executed": AimConfig().schedule.tokens_entering(FRAMES * 49, LAYERS),
    }[schedule]
    tokens = [n + TEXT for n in plan]
    total = counted_by_torch(qwen2_7b, tokens)
    assert total == prefill_flops(tokens, **QWEN2_7B) + logits_flops(3584, 152064)
    assert total / 1e12 == pytest.approx({"dense": 99.457, "scripted": 14.749, "executed": 15.520}[schedule], abs=1e-3)


def test_query_heads_wider_than_the_model_are_counted():
    """The sizes of Qwen3-VL-4B's language model: 32 heads of 128 on a width of 2560."""
    sizes = {"hidden_size": 2560, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
    config = Qwen3VLTextConfig(**sizes, intermediate_size=9728, num_hidden_layers=2, vocab_size=1000)
    with torch.device("meta"):
        model = Qwen3VLTextModel._from_config(config, attn_implementation="sdpa").eval()
        _, counts = counted(lambda: model(inputs_embeds=torch.empty(1, 300, 2560)))
    layers = sum(counts[f"Qwen3VLTextModel.layers.{layer}"] for layer in range(2))
    own = widths(config)
    assert layers == prefill_flops([300, 300], **own) and own["q"] == 4096
    assert layers > prefill_flops([300, 300], own["hidden"], own["kv"], own["intermediate"])


def counted_by_torch(model: Qwen2ForCausalLM, tokens: list[int]) -> int:
    """FlopCounterMode's count of a prefill in which layer i is given tokens[i] rows."""
    model.config._attn_implementation = "sdpa"
    embeds = torch.empty(1, tokens[0], model.config.hidden_size, device="meta")
    hooks = [
        layer.register_forward_pre_hook(shortened(count), with_kwargs=True)
        for layer, count in zip(model.model.layers, tokens, strict=True)
    ]
    try:
        _, counts = counted(lambda: model(inputs_embeds=embeds, use_cache=True, logits_to_keep=1))
    finally:
        for hook in hooks:
            hook.remove()
    return counts["Global"]


def shortened(count: int):
    """A pre-hook that leaves a layer its first `count` rows."""

    def hook(_layer, args, kwargs):
        assert kwargs["attention_mask"] is None  # plain causal: sdpa needs no mask
        places = tuple(part[:, :count] for part in kwargs["position_embeddings"])
        return (args[0][:, :count],), kwargs | {"position_embeddings": places}

    return hook


def test_a_convention_says_what_it_counts():
    assert Convention().name == (
        "multiply-add as two (FLOPs), without softmax and norms, visual and text tokens, language model only"
    )
    other = Convention(multiply_add=1, small=True, text=False, vision=True)
    assert other.name == (
        "multiply-add as one (MACs), with softmax and norms, visual tokens only, with the vision tower"
    )
    with pytest.raises(ValueError, match="multiply_add must be 1 or 2, got 3"):
        Convention(multiply_add=3)


def test_each_switch_changes_what_it_names():
    decoder, visual = Decoder.of(QWEN2_7B_CONFIG), [300, 200, 0]
    tokens = [n + 10 for n in visual]
    formula = prefill_flops(tokens, **QWEN2_7B)
    small, logits = small_flops(tokens, 3584, 28), logits_flops(3584, 152064)
    assert decoder.count(visual, 10, Convention(), vision=99) == formula
    assert decoder.count(visual, 10, Convention(multiply_add=1)) * 2 == formula
    assert decoder.count(visual, 10, Convention(small=True)) == formula + small + logits
    assert decoder.count(visual, 10, Convention(multiply_add=1, small=True)) == (formula + logits) // 2 + small
    assert decoder.count(visual, 10, Convention(text=False)) == prefill_flops(visual, **QWEN2_7B)
    assert decoder.count(visual, 10, Convention(vision=True), vision=99) == formula + 99


def test_the_small_operations_of_one_token():
    assert small_flops([1], hidden=1, heads=1) == 5 + 14 + 2 + 2


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


def test_what_merging_saves_in_a_tower_is_its_layers_with_fewer_tokens():
    """Four tokens, two after the first layer, one after the second; width 3, MLP 5."""
    first = 8 * 4 * 9 + 4 * 4 * 4 * 3 + 4 * 2 * 3 * 5  # the MLP has what is left
    second = 8 * 2 * 9 + 4 * 2 * 2 * 3 + 4 * 1 * 3 * 5
    whole = 2 * (8 * 4 * 9 + 4 * 4 * 4 * 3 + 4 * 4 * 3 * 5)
    assert saved_in_tower([4, 2, 1], 3, 5) == whole - first - second == 588
    assert saved_in_tower([4, 4, 4], 3, 5) == 0


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
    assert "\n" not in FORMULA and "4·n²·q" in FORMULA


def test_further_tokens_cost_what_a_longer_prefill_costs_above_the_held_ones_but_for_attention():
    sizes = {"hidden": 8, "kv": 4, "intermediate": 16, "q": 12}
    assert further_flops(7, [0, 0], **sizes) == prefill_flops([7, 7], **sizes)
    assert further_flops(0, [5], **sizes) == 0
    longer, held = prefill_flops([9], **sizes), prefill_flops([5], **sizes)
    assert longer - held - further_flops(4, [5], **sizes) == 4 * 5 * 4 * 12  # the old rows do not look at the new ones
    with pytest.raises(ValueError, match="at least 0"):
        further_flops(-1, [3], **sizes)


def test_pagerank_costs_the_published_4_18_giga_by_counting_every_step():
    rows = [100 + count for count in LinearSchedule(14, 22).tokens_entering(1568, 28)[14:22]]
    slow = 0
    for n in rows:
        slow += 28 * n * n  # the temperature
        slow += 28 * n * n * 5  # softmax
        for _ in range(5):
            slow += 28 * 2 * n * n  # a row times a matrix
    assert pagerank_flops(rows, 28) == slow and slow / 1e9 == pytest.approx(4.18, abs=0.005)
    assert pagerank_flops(rows, 28, q=3584) - slow == sum(2 * n * n * 3584 for n in rows)
    with pytest.raises(ValueError, match="at least 0"):
        pagerank_flops([3, -1], 28)
