"""Views and sentences: each panel shows what its trace says, for any number of frames."""

import dataclasses

import numpy as np
import pytest

from aim_core.layer_trace import LayerTrace
from tests.helpers.drawn_trace import make_dropped_trace, make_folded_trace, make_trace
from tests.helpers.warned import no_warnings
from visual.captions import alive_caption, groups_caption, scores_caption
from visual.frame_compose import frame_captions
from visual.heatmaps import (
    alive_overlay,
    drawn_frames,
    groups_overlay,
    nearest_scored,
    ranks,
    scaled_scores,
    scores_heatmap,
)
from visual.overlay import draw_alive, draw_groups, draw_scores


def contains(sheet: np.ndarray, image: np.ndarray) -> bool:
    """Whether a picture lies somewhere on a sheet, pixel for pixel."""
    height, width = image.shape[:2]
    rows, cols = np.nonzero((sheet[: 1 - height, : 1 - width] == image[0, 0]).all(axis=-1))
    return any(np.array_equal(sheet[y : y + height, x : x + width], image) for y, x in zip(rows, cols, strict=True))


def with_scores(trace, scores):
    """The same run with other scores in layer 1."""
    layers = list(trace.layers)
    layers[1] = LayerTrace(1, layers[1].kept, np.asarray(scores, dtype=np.float32))
    return dataclasses.replace(trace, layers=tuple(layers))


def test_views_show_the_overlay_of_every_frame():
    trace = make_trace()
    scores, low, high = scaled_scores(trace, 2, "rank")
    dropped = trace.alive(1) & ~trace.alive(2)
    groups, alive, (heat, _) = groups_overlay(trace), alive_overlay(trace, 2), scores_heatmap(trace, 2)
    for index, frame in enumerate(drawn_frames(trace, lambda picture, view: picture)):
        assert contains(groups, draw_groups(frame, trace.group[index], trace.grid))
        assert contains(alive, draw_alive(frame, trace.alive(2)[index], trace.grid, dropped[index]))
        assert contains(heat, draw_scores(frame, scores[index], trace.grid, low, high))


@pytest.mark.parametrize("num_frames", [1, 32])
def test_any_number_of_frames_fits_and_keeps_the_trace(num_frames):
    trace = make_trace(num_frames, size=(48, 48))
    before = trace.frames.copy()
    sheet = alive_overlay(trace, 4)
    assert sheet.shape == groups_overlay(trace).shape
    assert sheet.shape[0] * sheet.shape[1] > num_frames * 256**2
    assert np.array_equal(trace.frames, before)
    assert len(frame_captions(trace)) == num_frames


def test_a_slider_moves_nothing():
    trace = make_trace(1)
    assert len({alive_overlay(trace, layer).shape for layer in range(trace.num_layers)}) == 1
    assert len({scores_heatmap(trace, layer)[0].shape for layer in range(trace.num_layers)}) == 1


def test_captions_count_from_one_and_give_seconds():
    assert frame_captions(make_trace(3)) == ["frame 1 · 0.0 s", "frame 2 · 0.5 s", "frame 3 · 1.0 s"]


def test_an_unmeasured_layer_shows_the_nearest_below_and_says_so():
    trace = make_trace()
    assert [nearest_scored(trace, layer) for layer in range(5)] == [1, 1, 2, 2, 2]
    (sheet, shown), (same, _) = scores_heatmap(trace, 4), scores_heatmap(trace, 2)
    assert shown == 2 and sheet.shape == same.shape
    changed = (sheet != same).any(axis=(1, 2))
    assert changed.any() and not changed[70:].any()  # only the title differs
    with pytest.raises(ValueError, match="nothing was pruned"):
        scores_heatmap(make_trace(scored=False), 2)
    with pytest.raises(ValueError, match=r"layer must be in \[0, 5\)"):
        alive_overlay(trace, 5)


def test_rank_scale_counts_tokens_not_patches():
    scores, low, high = scaled_scores(make_trace(), 1, "rank")
    assert (low, high) == (0, 1)
    # Scores rise with the row; 13 tokens, the suffix row above all patches.
    assert np.allclose(scores[0], np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5]) / 12)


def test_ranks_share_places_between_equals_and_pass_nan_on():
    assert ranks(np.array([3.0, 1.0, 1.0, np.nan]), np.array([1.0, 3.0, 1.0])).tolist()[:3] == [1, 0.25, 0.25]
    assert np.isnan(ranks(np.array([np.nan]), np.array([1.0]))).all()
    assert ranks(np.full(4, 2.0), np.full(4, 2.0)).tolist() == [0.5] * 4
    assert ranks(np.array([7.0]), np.array([7.0])).tolist() == [0.5]


def test_log_scale_is_in_powers_of_ten_and_survives_zeros():
    trace = with_scores(make_trace(), [0, *np.logspace(-3, 0, 12)])
    scores, low, high = scaled_scores(trace, 1, "log")
    assert np.allclose([low, high], [-3, np.log10(trace.scores(1).max())], atol=1e-6)
    assert scores[0, 0] == low  # a score of 0 gets the first colour
    with pytest.raises(ValueError, match="scale"):
        scaled_scores(trace, 1, "linear")


@no_warnings
@pytest.mark.parametrize("scale", ["rank", "log"])
@pytest.mark.parametrize("scores", [np.zeros(13), np.full(13, 0.2), np.full(13, np.nan), [np.nan, *np.ones(12)]])
def test_odd_scores_can_be_drawn(scale, scores):
    sheet, shown = scores_heatmap(with_scores(make_trace(), scores), 1, scale)
    assert shown == 1 and sheet.dtype == np.uint8


def test_groups_sentence():
    text = groups_caption(make_trace())
    assert "2 frames" in text and "12 of 24" in text and "(50 %)" in text and "3 similar patches" in text
    trace = make_trace(1)
    unmerged = dataclasses.replace(trace, group=np.arange(12)[None])
    assert groups_caption(unmerged) == "Nothing was merged: all 12 visual tokens of 1 frame go into the language model."


def test_a_caption_tells_what_was_dropped_from_what_was_merged():
    assert groups_caption(make_dropped_trace()) == (
        "Before layer 0, 16 patches of 2 frames are dropped (faded): 5 of 24 visual tokens remain (21 %); "
        "each stands for 3 patches at most."
    )


def test_alive_sentence_counts_merged_tokens_only():
    trace = make_trace()
    assert alive_caption(trace, 1) == "At layer 1, 12 of 12 merged visual tokens are alive (100 %)."
    assert alive_caption(trace, 2) == "At layer 2, 6 of 12 merged visual tokens are alive (50 %)."
    assert alive_caption(make_folded_trace(), 2).endswith(" Right before it 3 were folded into them (rings).")
    assert alive_caption(trace, 4) == "At layer 4, 0 of 12 merged visual tokens are alive (0 %)."
    with pytest.raises(ValueError, match="layer"):
        alive_caption(trace, -1)


def test_scores_sentence_names_the_layer_shown():
    trace = make_trace()
    held = "14 % of the PageRank of visual tokens is held by the 1 highest-scoring of 13."
    assert scores_caption(trace, 1).startswith(f"In layer 1, {held}")
    assert "In layer 1, the measured layer nearest to 0" in scores_caption(trace, 0)
    assert scores_caption(trace, 4) == "No scores were measured in layer 4: from layer 3 on nothing is ranked."
    assert "no PageRank scores" in scores_caption(make_trace(scored=False), 1)
