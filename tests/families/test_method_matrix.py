"""Every method on every family: what must hold whatever the method, against the stock decoder.

A method that is new gets a row in `SETTINGS`; nothing else here knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice

import numpy as np
import pytest
import torch

from aim_core.adapters.registry import adapter_for
from aim_core.attach import aim
from aim_core.methods.aim import MergeSimilar
from aim_core.methods.base import GridMerger, Method, Steps, decides_at_run_time, needs_tower, tower_share
from aim_core.methods.counts import is_counted
from aim_core.methods.fastv import NoMerge
from aim_core.methods.registry import METHODS, make_method
from aim_core.ops.tower_attention import TowerAttention
from tests.families.asking import asked, said
from tests.families.reference import Folding, encoded, masked_logits, merged_prompt, reduced_prompt, visual_places
from tests.families.table import ASKED, ASKED_ONCE, FAMILIES
from tests.families.tome_reference import merging_by_hand
from tests.families.tower_reference import pooled, tower_views

SHARE, WHOLE = {"keep_ratio": 0.3}, {"keep_ratio": 1.0}
NEVER = {"l1": 98, "l2": 99}
SETTINGS: dict[str, tuple[dict, dict | None]] = {  # that reduce, and that leave all; None where there are none
    "aim": ({**SHARE, "l1": 2, "l2": 5}, {**WHOLE, **NEVER}),
    "merge_only": (SHARE, WHOLE),
    "prune_only": ({"l1": 2, "l2": 5}, NEVER),
    "aim_text": ({**SHARE, "l1": 2, "l2": 5, "text_floor": 0.3}, {**WHOLE, **NEVER}),
    "across_frames": ({**SHARE, "within": 0.5, "window": 2, "l1": 2, "l2": 5}, {**WHOLE, **NEVER}),
    "fastv": ({**SHARE, "layer": 3}, {**WHOLE, "layer": 3}),
    "pyramid_drop": ({**SHARE, "first_layer": 3}, WHOLE),
    "sparsevlm": ({**SHARE, "first_layer": 3}, WHOLE),
    "vtw": ({"layer": 4}, None),
    "evs": (SHARE, WHOLE),
    "vidcom2": (SHARE, WHOLE),
    "v_cast": (SHARE, WHOLE),
    "tome": ({**SHARE, "per_round": 4}, WHOLE),
    "tome_in_tower": (SHARE, WHOLE),
    "tome_over_frames": ({**SHARE, "per_round": 4, "window": 2}, WHOLE),
    "prumerge": (SHARE, WHOLE),
    "prumerge_plus": (SHARE, WHOLE),
    "visionzip": (SHARE, WHOLE),
    "fastvid": (SHARE, WHOLE),
    "holitom": ({**SHARE, "inner_ratio": 0.4}, {**WHOLE, "inner_ratio": 1.0}),
    "framefusion": ({"cost": 0.3, "threshold": 0.2}, {"cost": 1.0}),
    "flashvid": (SHARE, {**WHOLE, "inner_ratio": 1.0}),
    "divprune": (SHARE, WHOLE),
    "dycoke": (SHARE, WHOLE),
    "random": (SHARE, WHOLE),
    "uniform": (SHARE, WHOLE),
    "average_pooling": ({"side": 2}, {"side": 1}),
    "fewer_frames": (SHARE, WHOLE),
}


# Every method on one medium of a family; on its others AIM, one that leaves unequal counts, one that knows the grid,
# one that asks the vision tower, and one that works in it. For daily work every method on the first family, and on each
# AIM and the one in the tower.
EVERYWHERE = ("aim", "vidcom2", "average_pooling", "visionzip", "tome_in_tower")
ON_EACH = ("aim", "tome_in_tower")
DAILY = [(*pair, method) for pair in ASKED_ONCE for method in METHODS if method in ON_EACH or pair == ASKED_ONCE[0]]
PACKED = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen2_5_omni_thinker")  # towers in which tokens cannot be merged
MATRIX = [
    pytest.param(name, medium, method, marks=[] if (name, medium, method) in DAILY else pytest.mark.slow)
    for name, medium in ASKED
    for method in METHODS
    if ((name, medium) in ASKED_ONCE or method in EVERYWHERE) and not (method == "tome_in_tower" and name in PACKED)
]
WITH_WHOLE = [param for param in MATRIX if SETTINGS[param.values[-1]][1] is not None]


def test_every_method_of_the_registry_is_in_the_matrix():
    assert set(SETTINGS) == set(METHODS)


def prefill(model, inputs, method: Method):
    """Logits of the last row, and what was recorded."""
    with torch.inference_mode(), aim(model, method) as recorder:
        logits = model(**inputs, logits_to_keep=1).logits[0, -1]
    return logits, recorder.record


def blocks_of(family, medium: str, views) -> list[tuple[tuple[int, int], list[list[int]]]]:
    """The views that are reduced together: their grid, and the visual rows of each; views: as recorded."""
    pairs = zip(views, family.views[medium], strict=True)
    together = groupby(pairs, key=lambda pair: (pair[0].medium, pair[0].grid))
    return [(grid, [rows for _, rows in own]) for (_, grid), own in together]


def reference_prompt(model, name: str, medium: str, inputs, blocks, method: Method):
    views = [rows for _, block in blocks for rows in block]
    if isinstance(method.merger, MergeSimilar | NoMerge):
        return merged_prompt(model, inputs, views, getattr(method.merger, "keep_ratio", 1.0))
    with ExitStack() as stack:
        towers: Iterator[np.ndarray] = iter(())
        if (share := tower_share(method.merger)) < 1:
            pictures = stack.enter_context(merging_by_hand(model, name, share))
            with torch.inference_mode():
                encoded(model, inputs)
            towers = iter(pooled(name, medium, list(pictures)))
        elif needs_tower(method.merger):
            towers = iter(tower_views(model, name, medium, inputs))
        mergers = [bound(method.merger, grid, list(islice(towers, len(block)))) for grid, block in blocks]
        return reduced_prompt(model, inputs, [block for _, block in blocks], mergers, method.positions == "original")


def bound(merger, grid: tuple[int, int], towers: list[np.ndarray]):
    """A merger with what it must know besides the tokens of a block of views."""
    if towers:
        said = torch.from_numpy(np.stack(towers))
        merger = partial(merger, tower=TowerAttention(said[..., 0], said[..., 1:]))
    return merger.on_grid(grid) if isinstance(merger, GridMerger) else merger


def folding_of(model, method: Method, prompt, blocks, record) -> Folding | None:
    """How tokens that leave go on in others, if the method says so."""
    if not decides_at_run_time(method):
        return method.folder and Folding(method.folder, record.scores)
    cells = torch.full((prompt.embeds.shape[1], 3), -1)
    for number, (_, views) in enumerate(blocks):
        for view, rows in enumerate(views):
            cells[prompt.visual[rows]] = torch.tensor([[number, view, patch] for patch in range(len(rows))])
    num_layers, first = len(record.kept), adapter_for(model).first_droppable
    steps = method.schedule.begin(num_layers, len(prompt.visual), cells)
    return Folding(None, record.scores, steps if not first else Late(steps, first))


@dataclass
class Late:
    """Steps that begin with a layer."""

    steps: Steps
    first: int

    def step(self, layer: int, *given):
        return self.steps.step(layer, *given) if layer >= self.first else None


def check_groups(record, prompt, blocks, num_visual: int) -> None:
    """Every patch is in one token or dropped, every token has patches, and all other visual rows are separators."""
    groups = [group.numpy() for group in record.groups]
    views = [rows for _, block in blocks for rows in block]
    assert [len(group) for group in groups] == [len(rows) for rows in views]
    tokens = np.unique(np.concatenate(groups))
    tokens = tokens[tokens >= 0]
    num_separators = num_visual - sum(map(len, views))
    assert len(prompt.visual) == len(tokens) + num_separators and tokens.max() < len(prompt.visual)


def check_folds(record, method: Method) -> None:
    """A token that leaves is folded once, into one that stays, or dropped; it never comes back."""
    gone: set[int] = set()
    for layer, pairs in enumerate(record.folded):
        for row, into in [] if pairs is None else pairs.tolist():
            assert row not in gone and into in record.kept[layer] and row not in record.kept[layer]
            assert not layer or (row in record.kept[layer - 1] and into in record.kept[layer - 1])
            gone.add(row)
    assert bool(gone) == (method.folder is not None) or decides_at_run_time(method)


def check_counts(record, blocks, method: Method, num_visual: int, num_text: int) -> None:
    """As the schedule says; as the merger announced, where it can; and all text is there in every layer, unless the
    method says otherwise."""
    assert tuple(len(kept) for kept in record.kept) == record.planned
    for before, after in zip(record.kept, record.kept[1:], strict=False):
        assert np.isin(after, before).all()
    if is_counted(method):
        left = sum(method.merger.num_left(len(block), grid) for grid, block in blocks)
        assert record.planned[0] == left + num_visual - sum(len(rows) for _, block in blocks for rows in block)
    if method.text is None:
        assert set(record.num_text) == {num_text} and not record.kept_text
        return
    assert record.num_text == [1 + own for own in method.text.tokens_entering(num_text - 1, len(record.kept))]
    assert [1 + len(own) for own in record.kept_text] == record.num_text and record.num_text[-1] < num_text


@pytest.mark.parametrize(("name", "medium", "method_name"), MATRIX)
def test_what_holds_for_every_method(family_model, name, medium, method_name):
    model, inputs = asked(family_model, name, medium)
    method = make_method(method_name, **SETTINGS[method_name][0])
    logits, record = prefill(model, inputs, method)
    blocks = blocks_of(FAMILIES[name], medium, record.views)
    prompt = reference_prompt(model, name, medium, inputs, blocks, method)
    assert len(record.kept[0]) == len(prompt.visual) or decides_at_run_time(method)
    folding = folding_of(model, method, prompt, blocks, record)
    expected = masked_logits(model, prompt, record.kept, folding, told=record.kept_text or None)
    torch.testing.assert_close(logits.double(), expected, atol=1e-5, rtol=0)
    num_visual = len(visual_places(model, inputs["input_ids"]))
    check_groups(record, prompt, blocks, num_visual)
    check_folds(record, method)
    check_counts(record, blocks, method, num_visual, inputs["input_ids"].shape[1] - num_visual)
    again, same = prefill(model, inputs, method)
    assert torch.equal(logits, again) and all(map(torch.equal, record.groups, same.groups))
    assert all(map(torch.equal, record.kept, same.kept))


@pytest.mark.parametrize("name", PACKED)
def test_a_tower_that_packs_all_pictures_is_refused_and_left_as_it_was(family_model, name):
    model, inputs = asked(family_model, name, "video")
    hooks = hooks_of(model)
    with pytest.raises(ValueError, match=r"packs all pictures into one row.*choose a method that works after it"):
        prefill(model, inputs, make_method("tome_in_tower"))
    assert hooks_of(model) == hooks and model.model.visual.config._attn_implementation == "sdpa"
    prefill(model, inputs, make_method("tome_in_tower", keep_ratio=1.0))  # nothing to merge


@pytest.mark.parametrize("positions", ["sequential", "original"])
@pytest.mark.parametrize(("name", "medium"), ASKED_ONCE)
def test_decoding_goes_on_behind_what_was_dropped(family_model, name, medium, positions):
    model, inputs = asked(family_model, name, medium)
    method = replace(make_method("vidcom2", keep_ratio=0.3), positions=positions)
    with aim(model, method) as recorder:
        tokens, logits = said(model, inputs)
    record = recorder.record
    prompt = reference_prompt(model, name, medium, inputs, blocks_of(FAMILIES[name], medium, record.views), method)
    for token, ours in zip(tokens, logits, strict=True):
        torch.testing.assert_close(ours.double(), masked_logits(model, prompt, record.kept), atol=1e-5, rtol=0)
        prompt = prompt.longer(model.get_input_embeddings()(torch.tensor([[token]])))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "medium", "method_name"), WITH_WHOLE)
def test_a_method_that_reduces_nothing_is_the_plain_model_and_leaves_it_plain(family_model, name, medium, method_name):
    model, inputs = asked(family_model, name, medium)
    reducing, whole = (make_method(method_name, **own) for own in SETTINGS[method_name])
    with torch.inference_mode():
        plain = model(**inputs, logits_to_keep=1).logits[0, -1]
    hooks = hooks_of(model)
    logits, record = prefill(model, inputs, whole)
    assert torch.equal(logits, plain) and all((group >= 0).all() for group in record.groups)
    prefill(model, inputs, reducing)
    assert hooks_of(model) == hooks
    with torch.inference_mode():
        assert torch.equal(model(**inputs, logits_to_keep=1).logits[0, -1], plain)


def hooks_of(model) -> list[tuple[list[int], list[int]]]:
    return [(list(module._forward_hooks), list(module._forward_pre_hooks)) for module in model.modules()]
