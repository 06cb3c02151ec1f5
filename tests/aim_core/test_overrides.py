"""By hand: marks that protect or remove a token; removing equals hiding it everywhere, and nothing else moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from aim_core.methods.base import MODES
from aim_core.methods.fastv import fastv
from aim_core.methods.registry import make_method
from aim_core.ops.flops import prefill_flops
from aim_core.overrides import TokenOverrides
from tests.helpers.masking import masked_logits
from tests.helpers.prompts import QUESTION, prepared
from tests.helpers.visible_vote import VisibleVote


def test_marks_are_pairs_of_whole_numbers():
    assert TokenOverrides(protect=[[0, 3]]).protect == ((0, 3),)
    assert not TokenOverrides() and TokenOverrides(remove=((1, 2),))
    for wrong in ((-1, 0), (0, 1.5), (0,), "x", 3):
        with pytest.raises(ValueError, match="pair"):
            TokenOverrides(remove=(wrong,))


def test_a_patch_cannot_be_marked_both_ways():
    with pytest.raises(ValueError, match="patch 5 of view 1 is marked both"):
        TokenOverrides(protect=((0, 5), (1, 5)), remove=((1, 5),))


AIM = AimConfig(0.25, l1=2, l2=9)
METHODS = {"AIM": as_method(AIM), "AIM, nothing merged": as_method(AimConfig(1.0, 2, 9)), "FastV": fastv(2, 0.4)}


def asked(engine, frames, method, **how):
    return engine.run(frames, QUESTION, config=method, max_new_tokens=4, **how)


def marks_for(trace, protect, remove) -> TokenOverrides:
    """Marks on a patch of each of these visual rows."""
    patches = {int(row): (view, patch) for (view, patch), row in np.ndenumerate(trace.rows())}
    return TokenOverrides(tuple(patches[row] for row in protect), tuple(patches[row] for row in remove))


def same(one, other) -> bool:
    """Bit for bit the same run."""
    layers = zip(one.trace.layers, other.trace.layers, strict=True)
    return (
        np.array_equal(one.first_token_logprobs, other.first_token_logprobs)
        and one.answer_ids == other.answer_ids
        and all(np.array_equal(a.kept, b.kept) and np.array_equal(a.scores, b.scores) for a, b in layers)
    )


def keep_ratio(method) -> float:
    return getattr(method.merger, "keep_ratio", 1.0)


@pytest.mark.parametrize("name", METHODS)
def test_no_marks_change_nothing(engine, frames, name):
    method = METHODS[name]
    plain = asked(engine, frames, method)
    marked = asked(engine, frames, method, overrides=TokenOverrides())
    assert same(plain, marked) and plain.overrides == marked.overrides == TokenOverrides()


@pytest.mark.parametrize("mode", ["dropped", "masked"])
@pytest.mark.parametrize("name", METHODS)
def test_a_removed_token_is_as_if_hidden_in_every_layer(engine, frames, name, mode):
    """Against the plain model at full length: positions unchanged, and nobody sees the token."""
    method = replace(METHODS[name], mode=mode)
    plain = asked(engine, frames, method)
    survivors = np.intersect1d(plain.trace.layers[4].kept, plain.trace.rows())
    gone = sorted({int(survivors[0]), int(survivors[-1]), 40})
    overrides = marks_for(plain.trace, [], gone)
    result = asked(engine, frames, method, overrides=overrides)
    kept = [torch.from_numpy(layer.kept) for layer in result.trace.layers]
    assert not set(gone) & set(kept[0].tolist()) and result.overrides == overrides
    embeds, start, num_visual = prepared(engine, frames, keep_ratio(method))
    assert len(kept[0]) == num_visual - len(gone)
    for index, token in enumerate(result.answer_ids):
        logits = masked_logits(engine.adapter, embeds, start, kept, num_visual)
        assert int(logits.argmax()) == token
        if not index:
            np.testing.assert_allclose(result.first_token_logprobs, logits.log_softmax(-1).float(), atol=2e-5)
            assert np.abs(result.first_token_logprobs - plain.first_token_logprobs).max() > 1e-4  # it does matter
        embeds = torch.cat([embeds, engine.adapter.model.get_input_embeddings()(torch.tensor([[token]]))], dim=1)


@pytest.mark.parametrize("name", METHODS)
def test_dropped_equals_masked_with_marks(engine, frames, name):
    method = METHODS[name]
    if name != "FastV":
        method = replace(method, scorer=VisibleVote())
    rows = asked(engine, frames, method).trace
    overrides = marks_for(rows, rows.layers[0].kept[[3, 20]].tolist(), [0, 7, 33])
    dropped, masked = (asked(engine, frames, replace(method, mode=mode), overrides=overrides) for mode in MODES)
    for one, other in zip(dropped.trace.layers, masked.trace.layers, strict=True):
        np.testing.assert_array_equal(one.kept, other.kept)
    np.testing.assert_allclose(dropped.first_token_logprobs, masked.first_token_logprobs, atol=1e-5)
    assert dropped.answer_ids == masked.answer_ids


@pytest.mark.parametrize("mode", ["dropped", "masked"])
@pytest.mark.parametrize("name", METHODS)
def test_the_cost_is_that_of_the_rows_each_layer_returns(engine, frames, name, mode):
    """Removed by hand or by rank, a row that is only masked is computed on."""
    method = replace(METHODS[name], mode=mode)
    overrides = marks_for(asked(engine, frames, method).trace, [], [0, 7, 33])
    returned = []
    spies = [
        layer.register_forward_hook(lambda _module, _args, hidden: returned.append(hidden.shape[1]))
        for layer in engine.adapter.decoder.layers
    ]
    try:
        cost = asked(engine, frames, method, overrides=overrides).cost
    finally:
        for spy in spies:
            spy.remove()
    assert list(cost.tokens_per_layer) == returned[: engine.num_layers]  # later ones decode
    assert (len(set(cost.tokens_per_layer)) == 1) == (mode == "masked")
    assert cost.language_flops == prefill_flops(returned[: engine.num_layers], **engine.adapter.sizes)


@pytest.mark.parametrize("mode", ["dropped", "masked"])
@pytest.mark.parametrize("name", METHODS)
def test_protected_tokens_stay_as_long_as_any(engine, frames, name, mode):
    method = replace(METHODS[name], mode=mode)
    trace = asked(engine, frames, method).trace
    last = int(np.flatnonzero(trace.retained)[-1])
    early = [int(row) for row in np.setdiff1d(trace.layers[3].kept, trace.layers[4].kept)[:2]] or [
        int(row) for row in np.setdiff1d(trace.layers[0].kept, trace.layers[last].kept)[:2]
    ]
    protected = asked(engine, frames, method, overrides=marks_for(trace, early, [])).trace
    np.testing.assert_array_equal(protected.retained, trace.retained)
    assert not set(early) <= set(trace.layers[last].kept.tolist())
    for layer in protected.layers[: last + 1]:
        assert set(early[: len(layer.kept)]) <= set(layer.kept.tolist()) or len(layer.kept) < len(early)
    assert not len(protected.layers[-1].kept) or name == "FastV"


def test_of_too_many_protected_tokens_the_best_stay(engine, frames):
    method = METHODS["AIM"]
    trace = asked(engine, frames, method).trace
    protected = asked(engine, frames, method, overrides=marks_for(trace, range(40, 64), [])).trace
    for before, after in zip(protected.layers[2:8], protected.layers[3:9], strict=True):
        lives, here = set(after.kept.tolist()), before.kept.tolist()
        first = [row for row in here if 40 <= row < 64]
        assert len(lives & set(first)) == min(len(first), len(lives))
        if len(first) > len(lives):
            score = dict(zip(here, before.scores.tolist(), strict=True))
            assert min(score[row] for row in lives) >= max(score[row] for row in set(first) - lives)


def test_counts_and_cost_follow_what_is_removed(engine, frames):
    plain = asked(engine, frames, AIM)
    result = asked(engine, frames, AIM, overrides=marks_for(plain.trace, [], range(10)))
    planned = plain.trace.planned
    np.testing.assert_array_equal(result.trace.planned, planned)
    np.testing.assert_array_equal(result.trace.retained, np.minimum(planned, planned[0] - 10))
    assert result.cost.visual_per_layer == tuple(result.trace.retained)
    assert result.cost.num_text == plain.cost.num_text
    assert result.cost.language_flops < plain.cost.language_flops
    assert (result.trace.last_layer()[np.isin(result.trace.rows(), range(10))] == -1).all()


def test_removing_from_the_dense_model_only(engine, frames):
    dense = asked(engine, frames, AimConfig.dense())
    result = asked(engine, frames, AimConfig.dense(), overrides=TokenOverrides(remove=((1, 5), (2, 40))))
    assert set(result.trace.retained.tolist()) == {4 * 64 + 1 - 2}
    assert np.abs(result.first_token_logprobs - dense.first_token_logprobs).max() > 0
    assert same(dense, asked(engine, frames, AimConfig.dense(), overrides=TokenOverrides(protect=((1, 5),))))


def test_original_positions_stay_with_marks(engine, frames):
    config = AimConfig(0.25, 2, 9, positions="original")
    trace = asked(engine, frames, config).trace
    overrides = marks_for(trace, [], [5, 20])
    dropped, masked = (
        asked(engine, frames, replace(as_method(config), mode=mode, scorer=VisibleVote()), overrides=overrides)
        for mode in MODES
    )
    np.testing.assert_allclose(dropped.first_token_logprobs, masked.first_token_logprobs, atol=1e-5)
    assert dropped.answer_ids == masked.answer_ids


def test_marks_that_do_not_fit_are_refused(engine, frames):
    trace = asked(engine, frames, AIM).trace
    group = trace.group[2]
    one, other = np.flatnonzero(group == np.bincount(group).argmax())[:2].tolist()
    everything = tuple((view, patch) for view in range(4) for patch in range(64))
    for overrides, sentence in (
        (TokenOverrides(remove=((4, 0),)), "on view 4, but views are numbered from 0 to 3"),
        (TokenOverrides(protect=((0, 64),)), "patch 64 of view 0, which has patches 0 to 63"),
        (TokenOverrides(protect=((2, one),), remove=((2, other),)), "merged into one token"),
        (TokenOverrides(remove=everything), "leave at least one"),
    ):
        with pytest.raises(ValueError, match=sentence):
            asked(engine, frames, AIM, overrides=overrides)
    assert same(asked(engine, frames, AIM), asked(engine, frames, AIM))  # the engine goes on


FOLDING = {
    "framefusion": {"cost": 0.3},
    "holitom": {"keep_ratio": 0.5, "inner_ratio": 0.3},
    "sparsevlm": {"keep_ratio": 0.2},
}


@pytest.mark.parametrize("name", FOLDING)
def test_what_is_protected_is_never_folded_into_another(engine, frames, name):
    method = make_method(name, **FOLDING[name])
    plain = asked(engine, frames, method).trace
    last = np.flatnonzero(plain.retained)[-1]
    gone = np.argwhere(~plain.alive(last)).tolist()
    chosen = [tuple(gone[at]) for at in (0, len(gone) // 2, -1)]
    trace = asked(engine, frames, method, overrides=TokenOverrides(protect=tuple(chosen))).trace
    assert all(trace.alive(np.flatnonzero(trace.retained)[-1])[mark] for mark in chosen)
