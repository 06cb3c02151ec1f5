"""Merging across frames in the lab: settings that cost the same, numbers of answers, sentences that numbers decide."""

from __future__ import annotations

import numpy as np
import pytest

from aim_core.budget import TOLERANCE
from aim_core.methods.knobs import ModelShape
from aim_core.ops.flops import Decoder
from aim_core.workload import Workload
from tests.helpers.lab import line
from training.lab import across_chart, still
from training.lab.across_frames import answered, reported
from training.lab.across_page import section, standing, text_verdict, variant_verdicts, where_nothing_moves
from training.lab.equal_cost import DYCOKE, TEXT, TOME, WITHIN, merging_cells, text_cells
from training.lab.items import SceneClip
from training.wide_world import make_wide_scene
from training.world import frame_times

DECODER = Decoder(hidden=128, kv=64, intermediate=320, q=128, heads=4, vocabulary=300)
ABOVE, BELOW = {"value": 0.03, "low": 0.01, "high": 0.05}, {"value": -0.03, "low": -0.05, "high": -0.01}
UNSURE = {"value": 0.0, "low": -0.02, "high": 0.02}
PARTS = ("all", "moving", "calm", "still")


def work(num_frames: int, num_text: int = 15) -> Workload:
    shape = ModelShape(12, 6, 9, num_views=num_frames, longest_side=12)
    return Workload(DECODER, shape, ((num_frames, (12, 12)),), num_separators=1, num_text=num_text)


def merging():
    return [cell for share in (0.25, 0.06) for cell in merging_cells(work(8), 8, share, rivals=True)]


@pytest.mark.parametrize("num_frames", [8, 16])
@pytest.mark.parametrize("budget", [0.25, 0.06])
def test_all_ways_to_merge_cost_what_aim_costs(num_frames, budget):
    first, *others = merging_cells(work(num_frames), num_frames, budget, rivals=True)
    assert first.variant == WITHIN and abs(first.share / budget - 1) < 0.03  # as near as whole tokens allow
    own = {cell.variant: cell for cell in others}
    assert set(own) == {"across", "same", "both", TOME} | ({DYCOKE} if budget == 0.25 else set())
    assert all(abs(cell.share / first.share - 1) <= TOLERANCE for cell in others)
    for cell in (own["across"], own["same"], own["both"]):
        visual = [work(num_frames).visual_per_layer(one.setting.build()) for one in (first, cell)]
        assert visual[0] == visual[1] and cell.kept == first.kept
        assert cell.setting.settings["window"] == num_frames
    assert own[TOME].kept < first.kept and own[TOME].setting.settings["window"] == num_frames


def test_text_pays_for_a_token_of_each_frame_or_is_left_out():
    first, pruned = text_cells(work(4), 4, 0.125)
    assert pruned.variant == TEXT and pruned.kept == first.kept + 1
    assert abs(pruned.share / first.share - 1) <= TOLERANCE and 0 <= pruned.setting.settings["text_floor"] < 1
    assert [cell.variant for cell in text_cells(work(16), 16, 0.125)] == [WITHIN]  # too many frames for so little text


def lines_of(cells, videos: dict[str, str]):
    """One line for each cell and video. videos: name → variants that are wrong about it, with spaces between."""
    return [
        line(cell.setting, name, "what?", cell.variant not in wrong.split(), flops=int(1e9 * cell.share))
        for name, wrong in videos.items()
        for cell in cells
    ]


def report():
    cells, text = merging(), text_cells(work(4), 4, 0.25)
    settings = [cell.setting for cell in cells + text]
    moving = answered(lines_of(cells + text, {"a": "across", "b": "", "c": "within", "d": "across text"}), settings)
    at_rest = answered(lines_of(cells, {"s": "within"}), [cell.setting for cell in cells])
    return reported(moving, at_rest, cells, text, {"a": 9.0, "b": 1.0, "c": 2.0, "d": 7.0}) | {
        "weights": "0123456789abcdef",
        "frames": [8],
        "budgets": [0.25, 0.06],
    }


def test_numbers_are_of_the_answers():
    found = report()
    assert found["change"] == 4.5 and found["asked"] == {
        "all": [4, 4],
        "moving": [2, 2],
        "calm": [2, 2],
        "still": [1, 1],
    }
    rows = {(row["part"], row["variant"], row["budget"]): row for row in found["rows"]}
    for budget in (0.25, 0.06):
        right = [rows["all", variant, budget]["right"]["value"] for variant in (WITHIN, "across", "same")]
        assert right == [0.75, 0.5, 1.0]
        gaps = [rows[part, "across", budget]["gap"]["value"] for part in PARTS]
        assert gaps == [-0.25, -1.0, 0.5, 1.0]
    pooled = {(row["part"], row["variant"]): row["gap"]["value"] for row in found["pooled"]}
    assert pooled["all", "across"] == -0.25 and pooled["calm", "both"] == 0.5
    assert DYCOKE not in {variant for _, variant in pooled}  # which is not there at every budget
    assert [(row["variant"], row["gap"]["value"]) for row in found["text"]] == [(WITHIN, 0.0), (TEXT, 0.0)]
    assert [(row["variant"], row["gap"]["value"]) for row in found["text_pooled"]] == [(TEXT, 0.0)]
    assert found["rows"][0]["flops"] == pytest.approx(1e9 * found["rows"][0]["share"], abs=1)


def test_a_question_that_one_setting_lacks_is_no_question():
    cells = merging()
    lines, settings = lines_of(cells, {"a": "", "b": ""}), [cell.setting for cell in cells]
    assert [own.video for own in answered(lines[:-1], settings).lines] == ["a"]
    with pytest.raises(ValueError, match="run it again"):
        answered(lines[: len(cells) - 1], settings)


def test_the_page_has_all_numbers_and_the_chart_a_panel_for_each_kind_of_video():
    found = report()
    page = section(found)
    assert "4 questions about 4 videos" in page and "at home on this" in page and str(across_chart.PATH) in page
    assert page.count("\n| across frames, any place") == 2 and page.count("\n| DyCoke") == 1
    assert "| 4 | all stays | 25." in page and "% leave |" in page
    panels = across_chart.draw(found).axes
    assert [axes.get_title() for axes in panels] == [f"{own}, 8 frames" for own in across_chart.COLUMNS.values()]
    heights = [float(own.get_ydata()[0]) for own in panels[2].lines if own.get_marker() == "o" and len(own.get_ydata())]
    assert heights == [100.0] * len(heights) and len(heights) == 9  # on the only still video all beat AIM


@pytest.mark.parametrize(
    ("gap", "told"), [(ABOVE, "beats"), (BELOW, "falls behind"), (UNSURE, "neither surely better nor worse than")]
)
def test_a_way_to_merge_is_said_to_be_better_only_where_that_is_sure(gap, told):
    rows = [
        {"part": part, "variant": TOME, "frames": [8, 16], "gap": gap} for part in ("all", "moving", "calm", "still")
    ]
    (sentence,) = variant_verdicts(rows)
    assert told in standing(gap) and sentence.startswith(f"**ToMe over all frames** {standing(gap)}: ")
    assert "8 and 16 frames" in sentence and sentence.count(f"{100 * gap['low']:+.1f}") == 4


@pytest.mark.parametrize(
    ("gaps", "told"),
    [
        ((ABOVE, UNSURE), "as one would expect, these beat merging inside frames: across frames, any place."),
        ((BELOW, UNSURE), "none beats merging inside frames, and these fall behind: across frames, any place."),
        ((BELOW, ABOVE), "frames, same place; and these fall behind: across frames, any place."),
        ((UNSURE, UNSURE), "no way to merge across frames is surely better or worse"),
    ],
)
def test_whether_time_helps_where_nothing_moves_is_what_the_numbers_say(gaps, told):
    assert told in where_nothing_moves(dict(zip(("across", "same"), gaps, strict=True)))


@pytest.mark.parametrize(
    ("gap", "told"),
    [
        (BELOW, "Pruning text hurts** even so: -3.0 (-5.0 to -1.0) points"),
        (ABOVE, "Pruning text helps**: what it pays for is worth more. +3.0 (+1.0 to +5.0) points"),
        (UNSURE, "neither surely hurts nor surely helps: +0.0 (-2.0 to +2.0) points"),
        (None, "too little to pay for one"),
    ],
)
def test_what_pruning_text_does_is_what_the_numbers_say(gap, told):
    assert told in text_verdict(gap)


def test_nothing_moves_in_still_videos_which_are_others(monkeypatch):
    monkeypatch.setattr(still, "PER_TYPE", 2)
    still._items.cache_clear()
    asked = still.still_documents(5)
    still._items.cache_clear()
    clips = list(dict.fromkeys(own.clip for own in asked))
    assert len(clips) == 5 and all(own.wanted for own in asked)
    for clip in clips:
        clear = clip.scene.camera.seen(np.full((2, 2), 0.3), frame_times(2))
        assert (clear == clear[0]).all() and {thing.action for thing in clip.scene.things} == {"rests"}
        assert not any(thing.look.spin for thing in clip.scene.things)
        assert all(thing.visible(time) for thing in clip.scene.things for time in frame_times(8))
    moving = SceneClip("moving", make_wide_scene(0))
    assert min(map(still.change, clips)) < 1 < still.change(moving) and moving.scene.camera.shift != (0.0, 0.0)
