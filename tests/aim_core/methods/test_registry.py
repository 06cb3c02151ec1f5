"""The registry: every method by name with its settings as released, and its counts in closed form."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from aim_core.methods.base import CountedMerger, GridMerger, Method, needs_tower
from aim_core.methods.counts import tokens_entering
from aim_core.methods.drop_at_depth import DropAtDepth
from aim_core.methods.registry import METHODS, make_method
from aim_core.ops.reduced import as_reduced
from tests.aim_core.methods.clip import GRID, clip_tokens, clip_tower

PUBLISHED = {  # settings as released, and the share of n that is kept on average over layers (or enters, where all do)
    "vtw": ({"layer": 16}, 32, 16 / 32),  # K / L
    "fastv": ({"layer": 2, "keep_ratio": 0.5}, 28, (2 + 26 * 0.5) / 28),  # (K + (L - K)(1 - R)) / L
    "pyramid_drop": ({}, 28, (1 + 0.5 + 0.25 + 0.125) / 4),
    "sparsevlm": ({"recycled": 0.0}, 32, (2 + 4 * 300 / 576 + 9 * 200 / 576 + 17 * 110 / 576) / 32),
    "aim": ({}, 28, 0.25 * (14 + 22 + 1) / (2 * 28)),  # k (l1 + l2 + 1) / 2L = .165
    "dycoke": ({}, 28, 0.475),  # (1 + 3 (1 - K)) / 4
    "evs": ({"keep_ratio": 0.01}, 28, 1 / 32),  # its floor, 1 / T
    "v_cast": ({}, 28, 0.25),
    "divprune": ({}, 28, 0.098),
    "visionzip": ({}, 32, 64 / 576),
    "fastvid": ({}, 28, 19 / 196),  # int(196 r) a frame
    "flashvid": ({}, 28, 0.25),  # 1.25 R, and .375 R from layer 20 on
    "aim_text": ({}, 28, 0.25 * (14 + 22 + 1) / (2 * 28)),
    "across_frames": ({}, 28, 0.25 * (14 + 22 + 1) / (2 * 28)),
    "tome_over_frames": ({}, 28, 0.25),
    "tome": ({}, 28, 0.25),
    "tome_in_tower": ({}, 28, 0.25),
    "random": ({}, 28, 0.25),
    "uniform": ({}, 28, 0.25),
    "average_pooling": ({}, 28, 0.25),
    "fewer_frames": ({}, 28, 0.25),
    "merge_only": ({}, 28, 0.25),
    "prune_only": ({}, 28, (14 + 22 + 1) / (2 * 28)),
}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_can_be_made_and_tells_its_paper_and_plain_settings(name):
    entry = METHODS[name]
    assert isinstance(make_method(name), Method)
    assert entry.paper or name in ("random", "uniform", "average_pooling", "fewer_frames")
    assert all(isinstance(value, int | float | str) for value in entry.settings.values()) and entry.settings
    assert make_method(name, **entry.settings) == make_method(name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_closed_forms_give_the_published_shares_of_32_frames_of_14_by_14(name):
    settings, num_layers, share = PUBLISHED[name]
    counts = tokens_entering(make_method(name, **settings), 32, (14, 14), num_layers)
    assert sum(counts) / num_layers / 6272 == pytest.approx(share, abs=0.004)


def test_separators_are_counted_and_pruned_with_the_others():
    method = as_method(AimConfig(0.25, 14, 22))
    assert tokens_entering(method, 32, (14, 14), 28, num_separators=1)[0] == 32 * 49 + 1


def test_a_pyramid_has_the_published_stages_and_counts():
    """The paper's 576 tokens and 32 layers: 288 from layer 8 on, 144 from 16, 72 from 24; 28 layers: 7, 14, 21."""
    method = make_method("pyramid_drop")
    assert tokens_entering(method, 1, (24, 24), 32) == [576] * 8 + [288] * 8 + [144] * 8 + [72] * 8
    assert tokens_entering(method, 1, (24, 24), 28) == [576] * 7 + [288] * 7 + [144] * 7 + [72] * 7
    assert tokens_entering(make_method("pyramid_drop", keep_ratio=0.29), 1, (10, 10), 4) == [100, 29, 8, 2]
    later = make_method("pyramid_drop", first_layer=3)
    assert tokens_entering(later, 1, (4, 5), 8) == [20, 20, 20, 10, 5, 5, 2, 2]


@pytest.mark.parametrize(("ratio", "mean"), [(0.05, 256), (0.25, 1280), (0.5, 2560)])
def test_flashvid_has_the_share_that_it_is_named_by_as_its_mean_over_layers(ratio, mean):
    """32 frames of 160 patches, where no count is rounded: 1.25 R enter, 30 % of them from layer 20 of 28 on."""
    counts = tokens_entering(make_method("flashvid", keep_ratio=ratio), 32, (10, 16), 28)
    assert counts == [mean * 5 // 4] * 20 + [mean * 3 // 8] * 8
    assert sum(counts) == 28 * mean


def test_holitom_halves_what_is_left_at_layer_18_of_28():
    counts = make_method("holitom").schedule.tokens_entering(1000, 28)
    assert counts == [1000] * 18 + [500] * 10 and sum(counts) / 28 / 1000 == pytest.approx(0.821, abs=5e-4)
    assert DropAtDepth(18 / 28, 0.5).tokens_entering(7, 4) == [7, 7, 7, 4]
    assert DropAtDepth(0.99, 0.01).tokens_entering(7, 3) == [7, 7, 1]


@pytest.mark.parametrize(
    ("left", "stages"), [(192, (300, 200, 110)), (128, (303, 110, 36)), (96, (238, 48, 26)), (64, (66, 30, 17))]
)
def test_sparsevlm_has_the_published_counts_of_576(left, stages):
    """And with the clusters of what is recycled the published mean over 32 layers."""
    counts = tokens_entering(make_method("sparsevlm", keep_ratio=left / 576, recycled=0.0), 1, (24, 24), 32)
    assert counts == [576] * 2 + [stages[0]] * 4 + [stages[1]] * 9 + [stages[2]] * 17
    method = make_method("sparsevlm", keep_ratio=left / 576)
    recycling = tokens_entering(method, 1, (24, 24), 32)
    assert sum(recycling) / 32 == pytest.approx(left, abs=1)
    assert [method.schedule.num_kept(recycling, layer) for layer in (2, 6, 15)] == list(stages)


def test_sparsevlm_recycles_as_published():
    """Of 276 that leave 30 % and one more, ten a cluster and one more; then of 109, then of 94."""
    counts = tokens_entering(make_method("sparsevlm"), 1, (24, 24), 32)
    assert counts == [576] * 2 + [300 + 9] * 4 + [200 + 4] * 9 + [110 + 3] * 17


def test_sparsevlm_between_published_settings_and_in_small_models():
    between = tokens_entering(make_method("sparsevlm", keep_ratio=160 / 576, recycled=0.0), 1, (24, 24), 32)
    assert sorted(set(between)) == [73, 155, 302, 576]  # halfway; 301.5 to even
    assert tokens_entering(make_method("sparsevlm", keep_ratio=0.001, recycled=0.0), 1, (4, 5), 6) == [20] + [1] * 5
    assert tokens_entering(make_method("sparsevlm", keep_ratio=0.001), 1, (4, 5), 6) == [20] + [2] * 5
    assert tokens_entering(make_method("sparsevlm", keep_ratio=1.0), 1, (4, 5), 6) == [20] * 6
    later = make_method("sparsevlm", keep_ratio=64 / 576, first_layer=2, recycled=0.0)
    assert tokens_entering(later, 1, (24, 24), 6) == [576] * 2 + [66 - 36] * 1 + [17] * 3


def test_a_count_that_depends_on_the_video_is_refused():
    with pytest.raises(ValueError, match="depends on the video"):
        tokens_entering(make_method("vidcom2"), 32, (14, 14), 28)


def test_aim_by_name_is_aim():
    assert make_method("aim", keep_ratio=0.5, l1=3, l2=9) == as_method(AimConfig(0.5, 3, 9))


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        (lambda: make_method("luck"), "no method 'luck': choose one of aim"),
        (lambda: make_method("evs", q=0.5), "evs has no setting 'q': it has keep_ratio"),
        (lambda: make_method("evs", keep_ratio=0.0), "keep_ratio"),
        (lambda: make_method("dycoke", keep_ratio=1.5), "keep_ratio"),
        (lambda: make_method("average_pooling", side=0), "side"),
        (lambda: make_method("average_pooling").merger(clip_tokens()), "on_grid"),
        (lambda: make_method("vtw", layer=0), "at least 1"),
        (lambda: make_method("sparsevlm", first_layer=-1), "first_layer"),
        (lambda: make_method("sparsevlm", recycled=1.5), r"recycled must be in \[0, 1\]"),
        (lambda: replace(make_method("holitom"), drop_text=True), "HoliTom folds visual tokens into others"),
        (lambda: tokens_entering(make_method("sparsevlm", first_layer=6), 1, (4, 5), 6), "of 6 layers none is left"),
        (lambda: make_method("sparsevlm").scorer(torch.ones(1, 1, 4, 2), torch.ones(1, 1, 4, 2), 1.0), "for_prompt"),
        (lambda: make_method("visionzip", dominant=1.5), "dominant must be in"),
        (lambda: make_method("prumerge", keep_ratio=-0.1), "keep_ratio"),
        (lambda: make_method("tome", per_round=0), "per_round must be a whole number from 1 on, got 0"),
        (lambda: make_method("aim_text", text_floor=-0.1), r"text_floor must be in \[0, 1\], got -0.1"),
        (lambda: replace(make_method("aim_text"), drop_text=True), r"\(drop_text\) or by its own \(text\): choose one"),
        (lambda: replace(make_method("holitom"), text=make_method("aim").schedule), "HoliTom folds visual tokens"),
        (lambda: replace(make_method("framefusion"), text=make_method("aim").schedule), "it cannot drop text"),
        (lambda: make_method("tome_over_frames", window=0), "window must be at least 1 frame, got 0"),
        (lambda: make_method("across_frames", window=1.5), "window must be a whole number, got 1.5"),
        (lambda: make_method("across_frames", within=1.2), r"within must be in \[0, 1\], got 1.2"),
        (lambda: make_method("across_frames", places="some"), "places must be one of any, same, got 'some'"),
        (lambda: make_method("across_frames", places="same", within=0.5), "no common places: within must be 0"),
        (lambda: make_method("tome_in_tower", keep_ratio=0.0), r"keep_ratio must be in \(0, 1\]"),
        (lambda: make_method("tome_in_tower", per_round=4), "tome_in_tower has no setting 'per_round'"),
        (lambda: make_method("holitom", inner_ratio=0.0), r"kept there in \(0, 1\]"),
        (lambda: make_method("visionzip").merger(clip_tokens()), "vision tower's attention"),
        (lambda: make_method("pyramid_drop", keep_ratio=2), "keep_ratio"),
        (lambda: make_method("pyramid_drop", first_layer=2.5), "first_layer must be a whole number, got 2.5"),
        (lambda: make_method("pyramid_drop", first_layer=-1), "first_layer"),
        (lambda: tokens_entering(make_method("pyramid_drop"), 1, (4, 5), 3), "of 3 layers none is left"),
    ],
)
def test_what_there_is_not_is_refused(how, rule):
    with pytest.raises(ValueError, match=rule):
        how()


class Largest(TorchDispatchMode):
    """Keeps the most numbers that any tensor had."""

    most = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            self.most = max(self.most, out.numel())
        return out


@pytest.mark.parametrize("name", METHODS)
def test_no_merger_makes_a_matrix_of_all_patches_by_all(name):
    tokens, merger = clip_tokens(60, dim=4), make_method(name).merger  # 1,200 patches
    if isinstance(merger, GridMerger):
        merger = merger.on_grid(GRID)
    more = {"tower": clip_tower(60)} if needs_tower(merger) else {}
    with Largest() as largest:
        left = as_reduced(merger(tokens, **more), 60, 20)
    assert largest.most < 1200 * 1200 / 4 and len(left.tokens) == len(left.place)
    if isinstance(merger, CountedMerger):
        assert len(left.tokens) == merger.num_left(60, GRID)
