"""Diagnostics: similarity, PageRank steps and where answer tokens look, against stock eager attention."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.forward.diagnostics import attention_of_rows
from aim_core.methods.aim import PageRank, as_method
from aim_core.methods.fastv import fastv
from aim_core.methods.scorers import AttentionReceived, LastTokenAttention
from aim_core.ops.pagerank import pagerank_heads
from aim_core.overrides import TokenOverrides
from aim_core.trace import Trace
from tests.helpers.prompts import QUESTION, plain_inputs, prepared

CONFIG = AimConfig(0.25, l1=2, l2=9)


def attentions(engine, embeds, start: int, kept: list[torch.Tensor], num_visual: int) -> list[torch.Tensor]:
    """Each layer's attention (heads, n, n) where it sees only the visual rows kept[i]: eager, at full length."""
    decoder, length = engine.adapter.decoder, embeds.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool).tril()

    def hook_for(layer: int):
        hidden = torch.zeros(length, dtype=torch.bool)
        hidden[start : start + num_visual] = True
        hidden[start + kept[layer]] = False
        allowed = (causal & ~hidden) | torch.eye(length, dtype=torch.bool)
        bias = torch.zeros(length, length, dtype=embeds.dtype).masked_fill(~allowed, torch.finfo(embeds.dtype).min)
        return lambda _layer, args, kwargs: (args, kwargs | {"attention_mask": bias[None, None]})

    decoder.set_attn_implementation("eager")
    try:
        with ExitStack() as stack, torch.inference_mode():
            for index, layer in enumerate(decoder.layers):
                stack.enter_context(layer.register_forward_pre_hook(hook_for(index), with_kwargs=True))
            out = decoder(inputs_embeds=embeds, use_cache=False, output_attentions=True)
    finally:
        decoder.set_attn_implementation("sdpa")
    return [layer[0] for layer in out.attentions]


@pytest.mark.parametrize("mode", ["dropped", "masked"])
@pytest.mark.parametrize("method", [as_method(CONFIG), as_method(AimConfig.dense()), fastv(2, 0.3)])
def test_where_answer_tokens_look_is_what_eager_attention_says(engine, frames, method, mode):
    result = engine.run(frames, QUESTION, config=replace(method, mode=mode), max_new_tokens=5, details=True)
    ratio = getattr(method.merger, "keep_ratio", 1.0)
    embeds, start, num_visual = prepared(engine, frames, ratio)
    ids = torch.tensor([result.answer_ids[:-1]])
    first = embeds.shape[1] - 1
    embeds = torch.cat([embeds, engine.adapter.model.get_input_embeddings()(ids)], dim=1)
    kept = [torch.from_numpy(layer.kept) for layer in result.trace.layers]
    layers = attentions(engine, embeds, start, kept, num_visual)
    found = [own for own, rows in zip(layers, kept, strict=True) if len(rows)]
    per_view = (num_visual - 1) // 4
    mean = torch.stack(found).mean(dim=(0, 1))[first:, start : start + num_visual - 1]  # without the newline row
    expected = mean.unflatten(1, (4, per_view)).sum(-1)
    assert result.frame_attention.shape == (len(result.answer_ids), 4) and result.frame_attention.dtype == np.float32
    np.testing.assert_allclose(result.frame_attention, expected, atol=1e-6)
    assert np.ptp(result.frame_attention, axis=1).max() > 0.01  # frames differ, or the test would say little
    same_by_patch(result, [own[:, first:, start : start + num_visual] for own in layers])


def same_by_patch(result, layers: list[torch.Tensor]) -> None:
    """Each patch of each layer, head and answer token has the attention to its token, 0 where that was gone; layers:
    (heads, t, visual rows) each."""
    found, trace = result.token_attention, result.trace
    assert found.levels.dtype == np.uint8 and (found.num_tokens, found.num_layers) == (len(layers[0][0]), len(layers))
    assert found.num_heads == len(layers[0]) == 2
    for index, own in enumerate(layers):
        expected = own.float().numpy()[:, :, trace.rows()]  # (heads, t, V, n)
        gone = ~trace.alive(index)
        np.testing.assert_allclose(expected[..., gone], 0, atol=1e-30)
        for token in range(found.num_tokens):
            for head in range(2):
                tolerance = found.peaks[token, head, index] / 509  # half of one of 255 steps
                shown = found.by_patch(token, index, head)
                np.testing.assert_allclose(shown, expected[head, token], atol=tolerance)
                assert (shown[gone] == 0).all() and (gone.all() or np.ptp(shown) > tolerance)
            mean = found.by_patch(token, index)
            np.testing.assert_allclose(mean, expected[:, token].mean(0), atol=found.peaks[token, :, index].mean() / 509)


def test_a_removed_or_dropped_frame_gets_nothing(engine, frames):
    gone = TokenOverrides(remove=tuple((1, patch) for patch in range(64)))
    for mode in ("dropped", "masked"):
        method = replace(as_method(CONFIG), mode=mode)
        shares = engine.run(
            frames, QUESTION, config=method, max_new_tokens=3, details=True, overrides=gone
        ).frame_attention
        assert (shares[:, 1] == 0).all() and (shares[:, [0, 2, 3]] > 0).all() and (shares.sum(axis=1) <= 1).all()


def test_a_removed_patch_gets_nothing_in_any_layer_and_the_rest_of_its_token_as_little(engine, frames):
    gone = TokenOverrides(remove=((1, 3), (2, 60)))
    result = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=3, details=True, overrides=gone)
    rows = result.trace.rows()
    for view, patch in gone.remove:
        others = rows == rows[view, patch]
        assert (result.token_attention.by_patch(0, 0)[others] == 0).all()
    assert (result.token_attention.last == result.trace.last_layer_by_row()).all()


def test_attention_of_two_rows_by_hand():
    queries = torch.tensor([[[1.0, 0.0], [0.0, 2.0]], [[0.0, 1.0], [1.0, 1.0]]])  # two rows of two heads
    keys = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [1.0, 1.0]]])
    visible = torch.tensor([True, True, False, True])
    found = attention_of_rows(queries, keys, 0.5, visible)
    expected = torch.zeros(2, 2, 4)
    for row, seen in ((0, [0, 1]), (1, [0, 1, 3])):
        for head in (0, 1):
            expected[row, head, seen] = (keys[0, seen] @ queries[row, head] * 0.5).softmax(0)
    torch.testing.assert_close(found, expected)


def test_heads_and_then_tokens_are_left_out_where_a_record_would_be_large(engine, frames, monkeypatch):
    ask = lambda: engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=3, details=True)  # noqa: E731
    whole = ask().token_attention
    monkeypatch.setattr("aim_core.forward.diagnostics.MOST", whole.levels.size - 1)
    mean = ask().token_attention
    assert (whole.num_heads, mean.num_heads, mean.num_tokens) == (2, 1, 3)
    for layer, own in enumerate(mean.layers()):
        expected = whole.layers()[layer].mean(axis=1, keepdims=True)
        np.testing.assert_allclose(own, expected, atol=whole.peaks[:, :, layer].max() / 255)
    monkeypatch.setattr("aim_core.forward.diagnostics.MOST", mean.levels.size - 1)
    fewer = ask()
    assert fewer.token_attention.num_tokens == 2 and len(fewer.answer_ids) == len(fewer.frame_attention) == 3
    assert np.array_equal(fewer.token_attention.levels, mean.levels[:2])


@pytest.mark.parametrize("mode", ["dropped", "masked"])
def test_steps_are_those_of_the_heads_and_end_in_the_score(engine, frames, mode):
    config = AimConfig(0.25, 2, 9, iterations=3, teleport=0.1, mode=mode)
    trace = engine.run(frames, QUESTION, config=config, max_new_tokens=1, details=True).trace
    heads = engine.adapter.decoder.config.num_attention_heads
    length = plain_inputs(engine, frames)["input_ids"].shape[1] - 4 * 48  # after merging
    assert trace.scored_layers == tuple(range(2, 8))
    for layer in trace.layers:
        if not len(layer.scores):
            assert layer.steps.size == 0
            continue
        assert layer.steps.shape == (heads, 4, len(layer.kept)) and layer.steps.dtype == np.float32
        rows = length - (65 - len(layer.kept)) * (mode == "dropped")  # masked rows are still there
        np.testing.assert_allclose(layer.steps[:, 0], 1 / rows, rtol=1e-6)
        assert (layer.steps.sum(axis=2) <= 1 + 1e-6).all()
        last = np.sqrt((layer.steps[:, -1].astype(np.float64) ** 2).mean(axis=0))
        np.testing.assert_allclose(last, layer.scores, rtol=1e-5, atol=1e-30)


@pytest.mark.parametrize("config", [CONFIG, AimConfig(0.25, 2, 9, scores="pagerank_causal", mode="masked")])
def test_asking_for_details_changes_nothing(engine, frames, config):
    plain, told = (engine.run(frames, QUESTION, config=config, max_new_tokens=4, details=ask) for ask in (False, True))
    assert np.array_equal(plain.first_token_logprobs, told.first_token_logprobs) and plain.answer_ids == told.answer_ids
    for one, other in zip(plain.trace.layers, told.trace.layers, strict=True):
        assert np.array_equal(one.kept, other.kept) and np.array_equal(one.scores, other.scores)
        assert not one.steps.size
    assert plain.frame_attention.shape == (0, 0) and plain.token_attention.levels.size == 0


def test_other_rankers_have_no_steps(engine, frames):
    trace = engine.run(frames, QUESTION, config=fastv(2, 0.4), max_new_tokens=1, details=True).trace
    assert trace.scored_layers == (1,) and not any(layer.steps.size for layer in trace.layers)


def test_similarity_is_the_cosine_with_the_merged_token(engine, frames):
    trace = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=1).trace
    model, inputs = engine.adapter.model, plain_inputs(engine, frames)
    with torch.inference_mode():
        features = model.get_video_features(inputs["pixel_values_videos"], return_dict=True).pooler_output[0][:-1]
    merged = prepared(engine, frames, 0.25)
    tokens = merged[0][0, merged[1] :]
    ends = tokens[torch.from_numpy(trace.rows())]  # (4, 64, d)
    expected = F.cosine_similarity(features.unflatten(0, (4, 64)), ends, dim=-1)
    np.testing.assert_allclose(trace.similarity, expected, atol=1e-6)
    assert trace.similarity.dtype == np.float32 and np.ptp(trace.similarity) > 0.01
    dense = engine.run(frames, QUESTION, config=AimConfig.dense(), max_new_tokens=1).trace
    np.testing.assert_allclose(dense.similarity, 1, atol=1e-6)


def test_the_first_token_has_the_plain_models_log_probabilities(engine, frames):
    result = engine.run(frames, QUESTION, config=AimConfig.dense(), max_new_tokens=1)
    with torch.inference_mode():
        logits = engine.adapter.model(**plain_inputs(engine, frames), logits_to_keep=1).logits[0, -1]
    np.testing.assert_allclose(result.first_token_logprobs, logits.log_softmax(-1), atol=1e-6)
    assert result.first_token_logprobs.dtype == np.float32 and result.answer_ids == (
        int(result.first_token_logprobs.argmax()),
    )


def test_pageranks_steps_are_the_ranks_after_fewer_iterations():
    draw = torch.Generator().manual_seed(0)
    query, key = (torch.randn(1, heads, 70, 8, generator=draw, dtype=torch.float64) for heads in (4, 2))
    scores, steps = PageRank(iterations=4, teleport=0.2).with_iterations(query, key, 0.35)
    assert torch.equal(scores, PageRank(iterations=4, teleport=0.2)(query, key, 0.35))
    assert steps.shape == (1, 4, 5, 70)
    torch.testing.assert_close(steps[:, :, 0], torch.full((1, 4, 70), 1 / 70, dtype=torch.float64))
    for iterations in range(1, 5):
        fewer = pagerank_heads(query, key, 0.35, iterations=iterations, teleport=0.2)
        torch.testing.assert_close(steps[:, :, iterations], fewer)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_measured_in_full(checkpoint, frames, dtype):
    engine = Engine.from_pretrained(checkpoint, device="cpu", dtype=dtype)
    result = engine.run(
        frames, QUESTION, config=CONFIG, max_new_tokens=3, details=True, overrides=TokenOverrides(remove=((0, 0),))
    )
    similarity, shares = result.trace.similarity, result.frame_attention
    assert similarity.dtype == shares.dtype == result.first_token_logprobs.dtype == np.float32
    assert np.isfinite(similarity).all() and (shares >= 0).all() and (shares.sum(axis=1) <= 1).all()
    np.testing.assert_allclose(np.exp(result.first_token_logprobs.astype(np.float64)).sum(), 1, atol=1e-5)
    assert len(np.unique(result.trace.similarity)) > 100  # not rounded to half precision
    again = engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=1).trace
    last = again.round_groups(len(again.rounds))
    assert all(len(np.unique(np.stack(pair), axis=1)[0]) == 16 for pair in zip(last, again.group, strict=True))


@dataclass(frozen=True)
class Overheard(PageRank):
    """PageRank that keeps what it was called with."""

    heard: list = field(default_factory=list)

    def __call__(self, query, key, scale):
        self.heard.append((query.clone(), key.clone(), scale))
        return super().__call__(query, key, scale)


def slow_attention(query, key, scale):
    """(heads, n, n), row by row in double precision."""
    heads, n, _ = query.shape
    attention = np.zeros((heads, n, n))
    for head in range(heads):
        own = key[head // (heads // len(key))]
        for row in range(n):
            powers = np.exp([float(query[head, row] @ own[column]) * scale for column in range(row + 1)])
            attention[head, row, : row + 1] = powers / powers.sum()
    return attention


def test_other_scores_are_what_their_scorers_say_of_the_same_query_and_key(engine, frames):
    """Against the scorers called directly, and in the first layer against attention row by row."""
    scorer = Overheard()
    method = replace(as_method(CONFIG), scorer=scorer)
    result = engine.run(frames, QUESTION, config=method, max_new_tokens=1, other_scores=True)
    _, start, _ = prepared(engine, frames, CONFIG.keep_ratio)
    scored = [layer for layer in result.trace.layers if len(layer.scores)]
    assert len(scored) == len(scorer.heard) > 3
    for index, (layer, (query, key, scale)) in enumerate(zip(scored, scorer.heard, strict=True)):
        own = slice(start, start + len(layer.kept))  # visual rows lie side by side in the prompt
        received, last = (other(query, key, scale)[0, own] for other in (AttentionReceived(), LastTokenAttention()))
        np.testing.assert_allclose(layer.received, received, rtol=1e-6)
        np.testing.assert_allclose(layer.last_token, last, rtol=1e-6)
        assert layer.early_of(layer.received) != layer.early and layer.received.dtype == np.float32
        if index == 0:
            slow = slow_attention(query[0].double().numpy(), key[0].double().numpy(), scale).mean(axis=0)
            n = len(slow)
            by_hand = [sum(slow[row, column] for row in range(column, n)) / (n - column) for column in range(n)]
            np.testing.assert_allclose(layer.received, by_hand[own], rtol=1e-4)
            np.testing.assert_allclose(layer.last_token, slow[-1][own], rtol=1e-4)


def test_other_scores_change_nothing_and_are_recorded_where_asked_for(engine, frames, tmp_path):
    plain, asked, detailed = (
        engine.run(frames, QUESTION, config=CONFIG, max_new_tokens=2, **more)
        for more in ({}, {"other_scores": True}, {"details": True})
    )
    assert plain.answer_ids == asked.answer_ids
    asked.trace.save(tmp_path / "run.npz")
    back = Trace.load(tmp_path / "run.npz")
    for one, other, more, loaded in zip(*(r.trace.layers for r in (plain, asked, detailed)), back.layers, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)
        assert one.received.size == one.last_token.size == 0 and len(other.received) == len(other.scores)
        np.testing.assert_allclose(more.received, other.received, rtol=1e-6)
        for name in ("received", "last_token"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(other, name))
