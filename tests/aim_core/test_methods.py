"""Methods on the same hooks: FastV, simple scorers, AIM's own two scores, and text that may go as well."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.methods.aim import PageRank, as_method
from aim_core.methods.base import Method
from aim_core.methods.fastv import DropOnce, fastv
from aim_core.methods.scorers import AttentionReceived, LastTokenAttention, RandomScorer
from aim_core.ops.pagerank import pagerank
from tests.helpers.masking import masked_logits
from tests.helpers.prompts import QUESTION, plain_inputs, prepared


@pytest.fixture(scope="module")
def qk():
    """Query (1, 4, 300, 8) and key (1, 2, 300, 8), sharp enough that rows differ."""
    draw = torch.Generator().manual_seed(0)
    shape = {"generator": draw, "dtype": torch.float64}
    return 2 * torch.randn(1, 4, 300, 8, **shape), 2 * torch.randn(1, 2, 300, 8, **shape)


def attention(query, key, scale):
    """(heads, n, n), written out."""
    key = key.repeat_interleave(2, dim=1)
    future = torch.ones(query.shape[2], query.shape[2], dtype=torch.bool).triu(1)
    return (query @ key.mT * scale).masked_fill(future, -torch.inf).softmax(-1)[0]


def test_attention_received_is_the_mean_over_heads_and_the_rows_that_see_a_token(qk):
    matrix = attention(*qk, 0.5).mean(0)
    expected = torch.stack([matrix[i:, i].mean() for i in range(300)])
    torch.testing.assert_close(AttentionReceived()(*qk, 0.5)[0], expected)


def test_last_token_attention_is_the_last_row(qk):
    torch.testing.assert_close(LastTokenAttention()(*qk, 0.5)[0], attention(*qk, 0.5).mean(0)[-1])


def test_random_ranks_come_from_their_seed(qk):
    assert torch.equal(RandomScorer(3)(*qk, 1.0), RandomScorer(3)(*qk, 1.0))
    assert not torch.equal(RandomScorer(3)(*qk, 1.0), RandomScorer(4)(*qk, 1.0))


def test_causal_pagerank_is_divided_by_the_number_of_rows_that_see_a_token(qk):
    ours = PageRank(causal=True)(*qk, 0.5)[0]
    torch.testing.assert_close(ours, pagerank(*qk, 0.5)[0] / torch.tensor([300 - i for i in range(300)]))


def test_fastv_drops_once_what_got_least_attention(engine, frames):
    method = fastv(layer=3, keep_ratio=0.25)
    result = engine.run(frames, QUESTION, config=method, max_new_tokens=2)
    assert result.trace.retained.tolist() == [257] * 3 + [64] * 9 == list(result.cost.visual_per_layer)
    assert result.trace.scored_layers == (2,) and result.trace.tokens_per_frame == 64
    scores, kept = result.trace.layers[2].scores, result.trace.layers[3].kept
    lost = torch.ones(257, dtype=torch.bool)
    lost[kept] = False
    assert scores[lost].max() <= scores[kept].min()
    embeds, start, num_visual = prepared(engine, frames, 1.0)
    rows = [torch.from_numpy(layer.kept) for layer in result.trace.layers]
    reference = masked_logits(engine.adapter, embeds, start, rows, num_visual)
    assert int(reference.argmax()) == result.answer_ids[0]


def test_fastv_as_released_ranks_by_the_last_token(engine, frames):
    paper, released = (
        engine.run(frames, QUESTION, config=fastv(3, 0.25, by), max_new_tokens=1) for by in ("received", "last")
    )
    assert set(paper.trace.layers[3].kept) != set(released.trace.layers[3].kept)


def test_a_plan_of_one_method_takes_the_ranks_of_another(engine, frames):
    config = AimConfig(0.25, l1=2, l2=9)
    for rank in (AttentionReceived(), LastTokenAttention(), RandomScorer(1)):
        method = replace(as_method(config), name="mixed", scorer=rank)
        trace = engine.run(frames, QUESTION, config=method, max_new_tokens=1).trace
        assert trace.retained.tolist() == config.schedule.tokens_entering(65, 12)
        assert trace.scored_layers == tuple(range(2, 8))


def test_text_may_go_too_but_never_the_last_row(engine, frames):
    method = replace(as_method(AimConfig(0.25, l1=2, l2=6)), drop_text=True)
    with torch.inference_mode(), aim(engine.adapter.model, method) as recorder:
        logits = engine.adapter.model(**plain_inputs(engine, frames)).logits
    record = recorder.record
    total = [len(kept) + text for kept, text in zip(record.kept, record.num_text, strict=True)]
    assert total == [count + 1 for count in record.planned] and record.planned[0] > 65
    assert record.num_text[0] > record.num_text[4] and record.num_text[-1] == 1 and logits.shape[1] == 1


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: fastv(layer=0), "at least 1"),
        (lambda: fastv(2.5), r"whole number, got 2\.5"),
        (lambda: fastv(True), "whole number, got True"),
        (lambda: DropOnce(2, 1.5), r"\[0, 1\]"),
        (lambda: fastv(scored_by="luck"), "luck"),
        (lambda: replace(fastv(), mode="hidden"), "hidden"),
        (lambda: replace(fastv(), positions="none"), "none"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(make, rule):
    with pytest.raises(ValueError, match=rule):
        make()


@pytest.mark.parametrize("layer", [12, 13])
def test_fastv_refuses_a_layer_that_the_model_does_not_have(engine, frames, layer):
    with pytest.raises(ValueError, match=f"below 12.*got {layer}"), aim(engine.adapter.model, fastv(layer)):
        engine.adapter.model(**plain_inputs(engine, frames))
    assert fastv(11, 0.5).schedule.tokens_entering(10, 12) == [10] * 11 + [5]


def test_only_settings_and_methods_are_methods():
    assert isinstance(as_method(AimConfig()), Method)
    with pytest.raises(TypeError, match="dict"):
        as_method({"keep_ratio": 0.5})
