"""Frames or tokens: what is asked of films, a small run of it, and sentences that say what the numbers say."""

from __future__ import annotations

import copy

import pytest

from aim_core.budget import TOLERANCE
from training.lab import experiment, films, frames_or_tokens, frames_words
from training.lab.experiment import Options
from training.lab.frames_chart import draw
from training.lab.frames_or_tokens import AMONG, BUDGETS, RIVALS, at_budget, rivals
from training.lab.frames_words import section
from training.long_videos import EVENTS


def test_any_first_films_are_of_all_lengths_of_events_and_each_is_asked_both_ways():
    found = films.films(12)
    assert films.films(8) == found[:8]
    about = [[sort for _, sort in film] for film in found]
    assert [own[0] for own in about] == [str(event) for event in EVENTS] * 3
    assert all(own[films.ABOUT_EVENTS :] == [films.STEADY] * films.ABOUT_STEADY for own in about)
    assert len({film[0][0].clip.content() for film in found}) == 12


def test_more_frames_than_the_budget_pays_for_in_full_are_set_to_its_cost():
    for budget in BUDGETS:
        plain, *others = at_budget(budget)
        assert (plain.method, plain.num_frames) == ("dense", budget)
        assert all((own.method, own.as_dense) == ("aim", budget) for own in others)
        assert min(own.num_frames for own in others) > budget and max(own.num_frames for own in others) == 256
    assert {own.method for own in rivals()} == {*RIVALS} and {own.as_dense for own in rivals()} == {AMONG}


@pytest.fixture(scope="module")
def report(checkpoint, tmp_path_factory) -> dict:
    """Of two films, with few frames."""
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "RUNS", folder)
        patch.setattr(frames_or_tokens, "ASSETS", folder)
        patch.setattr(frames_words, "CHART", folder / "chart.png")
        patch.setattr(frames_or_tokens, "FRAMES", (2, 4, 8))
        patch.setattr(frames_or_tokens, "BUDGETS", (1, 2))
        patch.setattr(frames_or_tokens, "AMONG", 1)
        patch.setattr(frames_or_tokens, "PLAIN", (1, 2, 4))
        patch.setattr(frames_or_tokens, "GOAL", 2)
        patch.setattr(frames_or_tokens, "ASIDE", 1)
        patch.setattr(frames_or_tokens, "MAX_NEW_TOKENS", 1)
        found = frames_or_tokens.measure(Options("frames_or_tokens", str(checkpoint)))
        assert (folder / "chart.png").stat().st_size > 10_000
        return found


def test_all_of_a_budget_cost_the_same_but_for_the_tower(report):
    for own in report["budgets"]:
        plain, *others = own["rows"]
        assert others and all(row["flops"] == pytest.approx(plain["flops"], rel=TOLERANCE) for row in others)
        for row in others:
            frames = row["num_frames"] / plain["num_frames"]
            assert row["vision_flops"] == pytest.approx(frames * plain["vision_flops"])
            assert row["n"] == 4 if row["method"] == "aim" else row["n"] == 2  # others of fewer films
            right = sum(number for number, _ in row["sorts"].values())
            assert row["right"]["value"] == right / row["n"] and row["beside"]["dense"]["num_films"] == row["num_films"]
            gap = row["right"]["value"] - plain["right"]["value"]
            assert row["method"] != "aim" or row["beside"]["dense"]["value"] == pytest.approx(gap)
    names = {row["method"] for row in report["budgets"][0]["rows"]}
    assert names == {"dense", "aim", "merge_only", "random"}


def test_frames_with_the_same_tokens_each_are_asked_about_what_is_there_all_the_time(report):
    assert [row["num_frames"] for row in report["same"]] == [2, 4, 8]
    assert [row["entering"] for row in report["same"]] == [2 * 4 + 1, 4 * 4 + 1, 8 * 4 + 1]  # 8 x 8 tokens, a sixteenth
    assert all(row["n"] == 1 for row in report["same"])


def test_with_the_tower_counted_all_tokens_at_the_nearest_cost_are_compared(report):
    totals = {row["num_frames"]: row["flops"] + row["vision_flops"] for row in report["plain"]}
    assert list(totals) == [1, 2, 4]
    for own in report["totals"]:
        best = next(row for budget in report["budgets"] if budget["frames"] == own["frames"] for row in budget["rows"])
        assert own["total"] > best["flops"] and own["plain_total"] == totals[own["plain"]]
        ratios = {frames: max(total / own["total"], own["total"] / total) for frames, total in totals.items()}
        assert own["plain"] == min(ratios, key=lambda frames: ratios[frames])


def test_with_few_films_nothing_is_said_to_be_sure(report):
    page = section(report)
    assert "With fewer than 30 intervals would be too narrow" in page and "too few films yet to be sure" in page
    assert " of 1 films |" in page  # of what is beside AIM
    assert "Too few films yet to say whether many frames break it: " in page


def sure(report: dict, **gaps: tuple[float, float, float]) -> dict:
    """The same report of many films, all differences of a kind being these."""
    told = copy.deepcopy(report)
    for own in (*(row for budget in told["budgets"] for row in budget["rows"]), *told["same"]):
        own["num_films"] = 40
    for budget in told["budgets"]:
        for row in budget["rows"]:
            row["beside"] = dict.fromkeys(row["beside"], interval(gaps["budget"]))
            row["right"] = {"value": 0.5 if row["num_frames"] == 8 else 0.75, "low": 0.4, "high": 0.8}
    for row in told["same"][1:]:
        row["beside"] = interval(gaps["same"])
    for own in told["totals"]:
        own["beside"] = interval(gaps["total"])
    return told


def interval(gap: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("value", "low", "high", "num_films"), (*gap, 40), strict=True))


MORE, LESS, NEITHER = (0.2, 0.1, 0.3), (-0.2, -0.3, -0.1), (0.0, -0.1, 0.1)


@pytest.mark.parametrize(
    ("gaps", "told"),
    [
        (
            {"budget": MORE},
            "more frames with fewer tokens each are better: {best}, +20.0 (+10.0 to +30.0) points beside",
        ),
        ({"budget": LESS}, "few frames with all their tokens are better: even {best}, -20.0 (-30.0 to -10.0) points"),
        ({"budget": NEITHER}, "more frames are not surely better, nor worse: {best}, +0.0 (-10.0 to +10.0) points"),
        ({"budget": MORE}, "With still more it falls: 8 frames of "),
        ({"total": MORE}, "AIM stays better: +20.0 (+10.0 to +30.0) points."),
        (
            {"total": LESS},
            "All tokens of fewer frames are better there: -20.0 (-30.0 to -10.0) points",
        ),
        ({"total": NEITHER}, "No sure difference: +0.0 (-10.0 to +10.0) points for AIM."),
        ({"same": LESS}, "From 4 frames on it surely answers less well than with 2: there the model itself breaks."),
        ({"same": NEITHER}, "No sure loss up to 8 frames"),
    ],
)
def test_the_section_says_what_the_numbers_say(report, gaps, told):
    page = section(sure(report, **({"budget": NEITHER, "total": NEITHER, "same": NEITHER} | gaps)))
    own = next(row for row in report["budgets"][0]["rows"] if row["method"] == "aim")
    assert told.format(best=f"2 frames of {int(own['tokens'])} tokens under AIM") in page
    assert "*Published, not measured here" in page and "121 against 227" in page


def test_what_cannot_cost_the_same_is_told(report):
    told = copy.deepcopy(report)
    told["budgets"][0]["refused"] = {"merge_only, as_dense=1, 8 frames": "it comes no nearer"}
    assert "Left out: merge_only, as_dense=1, 8 frames: it comes no nearer." in section(told)


def test_the_chart_begins_each_line_at_all_tokens_of_few_frames(report):
    left, right = draw(report).axes
    for axes in (left, right):
        rings = [line for line in axes.lines if line.get_markersize() == 10]
        assert [line.get_ydata()[0] for line in rings] == [
            100 * own["rows"][0]["right"]["value"] for own in report["budgets"]
        ]
    assert [line.get_xdata()[0] for line in left.lines if line.get_markersize() == 10] == [1, 2]
    assert list(left.lines[0].get_xdata()) == [1, 2, 4]  # in grey, all tokens of more and more frames
