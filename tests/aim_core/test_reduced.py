"""The seam before the language model: groups across frames, sums, dropped patches, and what the trace tells of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from aim_core.ops.merging import merge_tokens
from aim_core.ops.reduced import Reduced, as_reduced, average_groups, keep_patches, weighted_sums
from aim_core.overrides import TokenOverrides
from aim_core.trace import Trace
from aim_core.view import View
from tests.helpers.masking import masked_logits
from tests.helpers.prompts import QUESTION, plain_inputs


@dataclass(frozen=True)
class AcrossFrames:
    """Frame 1 goes into frame 0, place by place; frame 2 leaves one token, a sum of its first three; frame 3 none."""

    def __call__(self, tokens, metric=None):
        views, n = tokens.shape[:2]
        group, weight = torch.full((views, n), -1), torch.zeros(views, n, dtype=torch.float64)
        group[:2] = torch.arange(n)
        weight[:2] = torch.tensor([[0.75], [0.25]])
        group[2, :3], weight[2, :3] = n, torch.tensor([1.0, 0.5, 0.5])
        place = torch.cat([torch.arange(n), torch.tensor([2 * n + 1])])
        return Reduced(weighted_sums(tokens, group, weight, n + 1), group, place, weight)

    def reduces(self):
        return True


METHOD = replace(as_method(AimConfig(1.0, l1=2, l2=9)), name="across", merger=AcrossFrames())


@pytest.fixture(scope="module")
def result(engine, frames):
    return engine.run(frames, QUESTION, config=METHOD, max_new_tokens=2, details=True)


def features_of(engine, frames):
    """(4, 64, d) of the video and its newline (1, d); the prompt's text rows before and after."""
    model, inputs = engine.adapter.model, plain_inputs(engine, frames)
    with torch.inference_mode():
        features = model.get_video_features(inputs["pixel_values_videos"], return_dict=True).pooler_output[0]
        text = model.get_input_embeddings()(inputs["input_ids"])
    places = (inputs["input_ids"][0] == model.config.video_token_id).nonzero()[:, 0]
    start, end = int(places[0]), int(places[-1]) + 1
    return features[:-1].unflatten(0, (len(frames), -1)), features[-1:], text[:, :start], text[:, end:]


def test_sums_are_those_of_plain_loops():
    draw = np.random.default_rng(0)
    tokens, group = draw.normal(size=(3, 7, 4)), draw.integers(-1, 5, (3, 7))
    weight = draw.random((3, 7))
    expected = np.zeros((5, 4))
    for view in range(3):
        for patch in range(7):
            if group[view, patch] >= 0:
                expected[group[view, patch]] += weight[view, patch] * tokens[view, patch]
    ours = weighted_sums(*map(torch.from_numpy, (tokens, group, weight)), 5)
    np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_average_groups_are_plain_means():
    tokens, group = torch.randn(2, 4, 3, dtype=torch.float64), torch.tensor([[0, 0, -1, 1], [0, 2, 2, -1]])
    reduced = average_groups(tokens, group, torch.tensor([0, 3, 5]))
    members = [[(0, 0), (0, 1), (1, 0)], [(0, 3)], [(1, 1), (1, 2)]]
    for number, own in enumerate(members):
        mean = torch.stack([tokens[view, patch] for view, patch in own]).mean(0)
        torch.testing.assert_close(reduced.tokens[number], mean)
    torch.testing.assert_close(reduced.apply(tokens), reduced.tokens)


def test_kept_patches_are_kept_bit_for_bit_in_raster_order():
    tokens = torch.randn(2, 3, 5, dtype=torch.bfloat16)
    reduced = keep_patches(tokens, torch.tensor([[False, True, True], [True, False, False]]))
    assert torch.equal(reduced.tokens, tokens.flatten(0, 1)[[1, 2, 3]])
    assert reduced.group.tolist() == [[-1, 0, 1], [2, -1, -1]] and reduced.place.tolist() == [1, 2, 3]
    assert torch.equal(reduced.apply(tokens), reduced.tokens)


def test_a_merge_inside_views_is_the_same_in_this_form():
    tokens = torch.randn(3, 10, 4, generator=torch.Generator().manual_seed(0))
    merged = merge_tokens(tokens, 0.5)
    reduced = as_reduced(merged, 3, 10)
    assert torch.equal(reduced.apply(tokens), merged.apply(tokens).flatten(0, 1))
    spread = merged.tokens.gather(1, merged.group[..., None].expand(-1, -1, 4))
    assert torch.equal(reduced.tokens[reduced.group], spread)
    assert torch.equal(reduced.group.flatten()[reduced.place], torch.arange(15))


def test_rows_across_frames_and_dropped_ones_are_computed_as_the_stock_decoder_does(engine, frames, result):
    tokens, newline, before, after = features_of(engine, frames)
    merged = torch.cat(
        [0.75 * tokens[0] + 0.25 * tokens[1], tokens[2, :1] + 0.5 * tokens[2, 1:2] + 0.5 * tokens[2, 2:3]]
    )
    embeds = torch.cat([before, torch.cat([merged, newline])[None], after], dim=1)
    kept = [torch.from_numpy(layer.kept) for layer in result.trace.layers]
    assert [len(own) for own in kept] == as_method(METHOD).schedule.tokens_entering(66, 12)
    with torch.inference_mode(), aim(engine.adapter.model, METHOD):
        ours = engine.adapter.model(**plain_inputs(engine, frames), logits_to_keep=1).logits[0, -1]
    reference = masked_logits(engine.adapter, embeds, before.shape[1], kept, 66)
    torch.testing.assert_close(ours, reference, atol=1e-5, rtol=0)
    assert int(reference.argmax()) == result.answer_ids[0]


def test_the_trace_tells_dropped_patches_from_groups_and_shares_rows_between_frames(result):
    trace = result.trace
    rows = trace.rows()
    np.testing.assert_array_equal(rows[:2], [np.arange(64)] * 2)
    np.testing.assert_array_equal(rows[2], [64] * 3 + [-1] * 61)
    assert (rows[3] == -1).all() and (trace.group[3] == -1).all()
    assert trace.num_merged == 65 and trace.num_patches == 256 and trace.dense_tokens == 257
    np.testing.assert_array_equal(trace.dropped, rows < 0)
    assert not trace.alive(0)[trace.dropped].any() and trace.alive(0)[~trace.dropped].all()
    assert (trace.last_layer()[trace.dropped] == -1).all() and np.isnan(trace.scores(4)[trace.dropped]).all()
    np.testing.assert_array_equal(np.isnan(trace.similarity), trace.dropped)
    np.testing.assert_array_equal(trace.alive(6)[0], trace.alive(6)[1])
    assert trace.rounds == () and (trace.round_groups(0) == np.arange(64)).all()


def test_a_saved_trace_comes_back_with_what_was_dropped(result, tmp_path):
    result.trace.save(tmp_path / "run.npz")
    again = Trace.load(tmp_path / "run.npz")
    np.testing.assert_array_equal(again.dropped, result.trace.dropped)
    np.testing.assert_array_equal(again.rows(), result.trace.rows())
    assert again.num_merged == 65


def test_attention_to_a_token_counts_for_every_frame_that_it_has_patches_in(result):
    shares = result.frame_attention
    np.testing.assert_array_equal(shares[:, 0], shares[:, 1])
    assert (shares[:, :3] > 0).all() and (shares[:, 3] == 0).all()


def test_a_dropped_patch_of_a_video_is_none_that_a_smaller_view_lacks():
    trace = Trace.of_views(
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros(1, np.float32),
        [View(0, (0,), (1, 4)), View(0, (0,), (1, 2))],
        [np.array([0, -1, 1, 1]), np.array([1, -1])],
        (),
        np.zeros(0, np.int64),
    )
    np.testing.assert_array_equal(trace.dropped, [[False, True, False, False], [False, True, False, False]])
    np.testing.assert_array_equal(trace.group, [[0, -1, 1, 1], [0, -1, -1, -1]])
    assert trace.num_merged == 2 and trace.num_patches == 6


@pytest.mark.parametrize("kind", ["protect", "remove"])
def test_an_override_on_a_dropped_patch_is_refused(engine, frames, kind):
    marks = TokenOverrides(**{kind: ((3, 5),)})
    with pytest.raises(ValueError, match="drops patch 5 of view 3 before layer 0"):
        engine.run(frames, QUESTION, config=METHOD, overrides=marks)


def test_removing_all_that_the_merger_left_is_refused(engine, frames):
    marks = TokenOverrides(remove=(*((0, patch) for patch in range(64)), (2, 0)))
    with pytest.raises(ValueError, match="leave at least one"):
        engine.run(frames, QUESTION, config=METHOD, overrides=marks)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"tokens": torch.zeros(0, 2)}, "at least one"),
        ({"group": torch.zeros(1, 3, dtype=torch.int64)}, r"shape \(1, 4\)"),
        ({"group": torch.tensor([[0, 1, 2, -1]])}, "own group"),
        ({"place": torch.tensor([0, 0])}, "own group"),
        ({"place": torch.tensor([0, 4])}, "own group"),
    ],
)
def test_what_does_not_fit_the_views_is_refused(change, rule):
    weight = torch.tensor([[1.0, 1, 0, 0]])
    good = Reduced(torch.zeros(2, 2), torch.tensor([[0, 1, -1, -1]]), torch.tensor([0, 1]), weight)
    assert as_reduced(good, 1, 4) is good
    with pytest.raises(ValueError, match=rule):
        as_reduced(replace(good, **change), 1, 4)
