"""PageRank under the microscope: the maths by slow references, what its sentences say, and a small run of all of it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from aim_core.methods.scorers import AttentionReceived, LastTokenAttention
from aim_core.ops.pagerank import pagerank
from benchmarks.layer_share import Lap, shares
from benchmarks.shapes import TINY, random_model
from training.eval_sets import Item
from training.lab import pagerank as lab
from training.lab import pagerank_maths as maths
from training.lab import pagerank_position_words as position_words
from training.lab import pagerank_report as report_of
from training.lab import pagerank_video as of_video
from training.lab import pagerank_words as words
from training.lab.experiment import ASSETS, RUNS, Options
from training.lab.pagerank_video import (
    ANOTHER,
    DTYPES,
    LAST,
    OVER_ROWS,
    OVER_UNIFORM,
    PAGERANK,
    RECEIVED,
    SETTINGS,
    Cut,
)
from training.questions import TYPES
from training.wide_questions import ask_wide
from training.wide_world import make_wide_scene
from training.wordings import ASKED, KEPT, TOLD, reworded
from training.world import frame_times

MODEL = "assets/model"


def attention(heads: int = 4, kv_heads: int = 2, n: int = 31) -> tuple[torch.Tensor, torch.Tensor, float]:
    made = torch.Generator().manual_seed(3)
    return torch.randn(1, heads, n, 8, generator=made), torch.randn(1, kv_heads, n, 8, generator=made), 8**-0.5


def matrix(n: int = 9) -> torch.Tensor:
    return maths.transitions(maths.logits_of(*attention(2, 1, n)))


def test_whole_matrices_score_as_the_scorers_do():
    query, key, scale = attention()
    logits = maths.logits_of(query, key, scale)
    for score, expected in [
        (maths.pagerank_score(logits, 0.2, 3, 0.1), pagerank(query, key, scale, 0.2, 3, 0.1)),
        (maths.received_score(logits), AttentionReceived()(query, key, scale)),
        (maths.last_score(logits), LastTokenAttention()(query, key, scale)),
    ]:
        torch.testing.assert_close(score, expected[0].double(), rtol=1e-5, atol=1e-8)


def test_rounded_logits_are_those_of_eager_attention_in_that_precision():
    query, key, scale = attention(2, 2)
    expected = torch.matmul(query.bfloat16(), key.bfloat16().transpose(2, 3)) * scale
    found = maths.logits_of(query, key, scale, torch.bfloat16)
    past = torch.ones(31, 31, dtype=torch.bool).tril()
    assert torch.equal(found[:, past], expected[0].double()[:, past])
    assert (found[:, ~past] == -math.inf).all() and not torch.equal(found, maths.logits_of(query, key, scale))


def test_the_end_of_the_steps_solves_their_equation_in_fractions():
    head, teleport = matrix()[0], Fraction(3, 20)
    rows, n = [[Fraction(float(x)) for x in row] for row in head], 9
    expected = [Fraction(0)] * n  # a token's rank needs later ones only: from the last to the first
    for token in reversed(range(n)):
        gain = sum(expected[row] * rows[row][token] for row in range(token + 1, n))
        expected[token] = (teleport / n + (1 - teleport) * gain) / (1 - (1 - teleport) * rows[token][token])
    found = maths.stationary(matrix(), float(teleport))
    np.testing.assert_allclose(found[0], list(map(float, expected)), rtol=1e-12)
    torch.testing.assert_close(maths.steps(matrix(), 400, float(teleport))[-1], found, rtol=1e-9, atol=0)


def test_without_teleport_everything_ends_on_the_first_token_as_slowly_as_the_next_eigenvalue_says():
    even = torch.zeros(2, 9, 9, dtype=torch.float64).masked_fill(torch.ones(9, 9).triu(1) > 0, -math.inf)
    own = (matrix() + maths.transitions(even)) / 2  # no row keeps to itself
    values = np.sort(np.abs(np.linalg.eigvals(own[1].numpy())))
    assert float(maths.slowest(own)[1]) == pytest.approx(1 - values[-2], abs=1e-9)
    assert maths.steps(own, 3000)[-1, :, 0].numpy() == pytest.approx([1, 1], abs=1e-6)


def test_agreement_is_1_for_the_same_set_and_0_for_chance():
    found, rng = [], np.random.default_rng(0)
    for _ in range(400):
        one, other = (set(rng.permutation(12)[:5].tolist()) for _ in range(2))
        slow = (len(one & other) / 5 - 5 / 12) / (1 - 5 / 12)
        found.append(maths.beyond_chance(*(np.isin(np.arange(12), list(own)) for own in (one, other))))
        assert found[-1] == pytest.approx(slow)
    assert np.mean(found) == pytest.approx(0, abs=0.05)
    same = np.arange(12) < 5
    assert maths.beyond_chance(same, same) == 1
    for one, other in ((same, np.arange(12) < 6), (same | True, same | True), (same & False, same & False)):
        with pytest.raises(ValueError, match="0 < k < 12"):
            maths.beyond_chance(one, other)


def test_the_highest_are_kept_and_of_equal_ones_the_first():
    assert maths.kept(np.array([1.0, 3.0, 2.0, 3.0, 2.0]), 3).tolist() == [False, True, True, True, False]


def test_a_position_is_judged_by_other_videos_alone():
    scores = np.random.default_rng(1).random((5, 6))
    found = maths.by_position(scores)
    for video, place in product(range(5), range(6)):
        others = [1 + sum(own[k] < own[place] for k in range(6)) for at, own in enumerate(scores) if at != video]
        assert found[video, place] == pytest.approx(sum(others) / 4)


def test_a_ranking_that_position_decides_is_told_from_one_that_it_does_not():
    rng, cut = np.random.default_rng(0), Cut(3, 8)
    orders = {name: lambda: rng.permutation(33).tolist() for name in report_of.SCORERS}
    found = [
        {"scores": [{name: make() for name, make in orders.items()} | {PAGERANK: list(range(33))}]} for _ in range(40)
    ]
    (row,) = report_of.position(found, [cut], 33, 4)
    fixed, drawn = row["scorers"][PAGERANK], row["scorers"][LAST]
    assert [fixed[name]["value"] for name in ("order", "predicted", "share", "first")] == [1, 1, 1, 1]
    assert fixed["frames"] == [1, 0, 0, 0] and fixed["changed"]["value"] == 1
    assert drawn["order"]["value"] < 0.1 and abs(drawn["predicted"]["value"]) < 0.15
    assert drawn["first"]["low"] < 0 < drawn["first"]["high"] and sum(drawn["frames"]) == pytest.approx(1, abs=1e-3)


def test_every_wording_of_a_question_can_be_put_in_other_words():
    said = {"shape": "star", "color": "red", "kind": "red objects", "name": "red star", "other": "blue ring"}
    for kind in TYPES:
        own = [wording.format(**said) for wording in (*ASKED[kind], *TOLD[kind], *KEPT[kind])]
        for number, text in enumerate(own):
            other = reworded(kind, text, number)
            assert other in own[: len(ASKED[kind])] and other != text
    with pytest.raises(ValueError, match="in no wording of the type color"):
        reworded("color", "how many?", 0)


def test_shares_of_time_are_ratios_of_medians_and_those_of_operations_are_counted():
    runs = [[Lap(100, ms, rank), Lap(50, 2.0, 0.0)] for ms, rank in ((10.0, 1.0), (30.0, 6.0), (20.0, 2.0))]
    adapter = random_model(TINY, 2)
    own = shares(adapter, runs)
    assert own["rows"] == [100, 50] and own["time"] == [2 / 20, 0] and own["whole_time"] == 2 / 22
    rank = 16 * 4 * 100**2 + 2 * 100**2 * 64
    layers = [2 * n * (2 * 64 * 64 + 2 * 64 * 32) + 6 * n * 64 * 96 + 4 * n * n * 64 for n in (100, 50)]
    assert own["flops"] == pytest.approx([rank / (layers[0] + rank), 0])
    assert own["whole_flops"] == pytest.approx(rank / (sum(layers) + rank))


def of(value: float, spread: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": value - spread, "high": value + spread}


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (0.3, "more than the 20.0 % of its operations"),
        (0.1, "less than the"),
        (0.22, "about as its operations say (20.0 %)"),
    ],
)
def test_the_page_says_whether_time_follows_operations(time, told):
    run = {"rows": [500, 400], "time": [0.0, 0.05], "flops": [0.0, 0.2]}
    long = {"rows": [6000, 5000], "time": [0.0, time], "flops": [0.0, 0.2]}
    said = words.time_verdict([{"shape": "a model", "runs": [run, long]}])
    assert told in said and f"a model from 5.0 % at 400 tokens to {100 * time:.1f} % at 5,000" in said


@pytest.mark.parametrize(
    ("next_one", "many", "told"),
    [(0.99, 0.97, "has settled"), (0.99, 0.6, "One more iteration changes little"), (0.8, 0.5, "has not settled")],
)
def test_the_page_says_whether_five_iterations_settle_it(next_one, many, told):
    own = {"iterations": [5, 6, 100], "mean": {"kept": [of(1.0), of(next_one), of(many)]}}
    assert told in words.convergence_verdict(own)


def test_the_page_says_whether_a_teleport_ranks_alike():
    assert "nearly the same tokens" in words.teleport_verdict({"released": of(0.9)})
    assert "another ranking" in words.teleport_verdict({"released": of(0.8)})


@pytest.mark.parametrize(("agreement", "told"), [(0.9, "hardly depends on the question"), (0.5, "keeps depends on")])
def test_the_page_says_whether_the_question_matters(agreement, told):
    scorers = {PAGERANK: {ANOTHER: of(agreement)}, RECEIVED: {ANOTHER: of(0.7)}, LAST: {ANOTHER: of(0.3)}}
    said = words.question_verdict([{"scorers": scorers}])
    assert told in said and "the last token's attention to 0.30" in said


@pytest.mark.parametrize(("rounded", "told"), [(0.98, "Rounding changes next to nothing"), (0.7, "Rounding alone")])
def test_the_page_says_what_rounding_and_settings_do(rounded, told):
    row = {name: of(rounded) for name in DTYPES} | {name: of(0.8) for name in SETTINGS} | {"3 iterations": of(0.4)}
    said = words.settings_verdict([row])
    assert told in said and "3 iterations moves it most (0.40)" in said


@pytest.mark.parametrize(
    ("rows", "uniform", "told"),
    [
        (0.55, 0.1, "`pagerank_over_uniform` brings that to +0.10, `pagerank_causal` to +0.55"),
        (0.1, -0.5, "`pagerank_causal` brings that to +0.10, `pagerank_over_uniform` to -0.50"),
        (0.5, -0.5, "neither correction halves that: `pagerank_causal` +0.50 and `pagerank_over_uniform` -0.50"),
    ],
)
def test_the_page_says_what_the_corrections_take_away(rows, uniform, told):
    values = {PAGERANK: 0.6, OVER_ROWS: rows, OVER_UNIFORM: uniform}
    scorers = {name: {"first": of(value), "frames": [0.6, 0.2, 0.1, 0.1]} for name, value in values.items()}
    said = position_words.correction_verdict([{"layer": 3, "scorers": scorers}])
    assert told in said and "overshoots" not in said


def test_the_page_says_when_a_correction_fills_the_last_frame_instead():
    values = {PAGERANK: 0.6, OVER_ROWS: 0.55, OVER_UNIFORM: 0.1}
    scorers = {name: {"first": of(value), "frames": [0.1, 0.2, 0.1, 0.6]} for name, value in values.items()}
    said = position_words.correction_verdict([{"layer": 3, "scorers": scorers}])
    assert "`pagerank_over_uniform` overshoots: the last frame has 60 % of what it keeps in layer 3" in said


def test_the_page_says_which_scorers_answer_better_and_which_worse():
    gaps = {OVER_ROWS: 0.03, OVER_UNIFORM: -0.03, RECEIVED: 0.005, LAST: 0.04}
    rows = [{"schedule": "early", "scorer": name, "minus_pagerank": of(gap)} for name, gap in gaps.items()]
    assert position_words.answer_verdict(rows, "early") == (
        "Right answers beside PageRank's where an eighth is kept early, in points: more with `pagerank_causal` (+3.0, "
        "+2.0 to +4.0), last token's attention (+4.0, +3.0 to +5.0); fewer with `pagerank_over_uniform` (-3.0, -4.0 "
        "to -2.0); not surely more or fewer with attention received (+0.5, -0.5 to +1.5)."
    )
    assert "fewer" not in position_words.answer_verdict(rows[:1], "early")


def test_half_of_the_mass_of_even_attention_lies_where_summing_finds_it():
    u = (np.arange(2_000_000) + 0.5) / 2_000_000
    mass = np.cumsum(np.log(1 / u) ** 5) / (math.factorial(5) * len(u))
    assert position_words.half() == pytest.approx(np.searchsorted(mass, 0.5) / len(u), rel=1e-2)


def video(number: int) -> list[Item]:
    rng, scene = np.random.default_rng(number), make_wide_scene(number, True, visits=False)
    asked = (ask_wide(scene, kind, rng, frame_times(2), kept=0.5) for kind in TYPES)
    return [Item(number, scene, question) for question in asked if question]


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Two videos of two frames, one with a second question; all that is written lands elsewhere."""
    videos = [video(3)[:2], video(4)[:1]]
    assert [len(own) for own in videos] == [2, 1]
    model = str(Path(MODEL).resolve())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lab, "questions_of", lambda name, count: videos)
    monkeypatch.setattr(lab, "times", partial(lab.times, lengths=(200, 400), repeats=1, large=TINY))
    for module in (lab, of_video):
        monkeypatch.setattr(module, "NUM_FRAMES", 2)
    return Options("pagerank", model)


def test_a_small_run_goes_on_where_it_stood_and_gives_the_page(small):
    log = RUNS / "pagerank.jsonl"
    with pytest.raises(ValueError, match="give it more minutes"):
        lab.measure(replace(small, minutes=-1.0))  # ends after the first video
    (begun,) = log.read_text().splitlines()
    report = json.loads(json.dumps(lab.measure(small)))
    assert report["num_videos"] == 2 and log.read_text().splitlines()[0] == begun and log.read_text().count("\n") == 2

    embedded, random = (one["runs"][-1] for one in report["time"])
    scored = [layer in (6, 7) for layer in range(12)]
    assert [bool(share) for share in embedded["flops"]] == [bool(share) for share in embedded["time"]] == scored
    assert random["rows"] == sorted(random["rows"], reverse=True) and random["time"][-1] == 0 < random["time"][0] < 1
    for when in ("released", "early"):  # every scorer at the same cost
        assert len({row["flops"] for row in report["answers"] if row["schedule"] == when}) == 1
    assert [row["n"] for row in report["answers"]] == [3] * 13
    assert [cut["layer"] for cut in report["stability"]] == [cut["layer"] for cut in report["position"]] == [3, 6, 7]
    kept = dict(zip(report["convergence"]["iterations"], report["convergence"]["mean"]["kept"], strict=True))
    assert kept[5]["value"] == 1 > kept[100]["value"]

    page = lab.section(report)
    assert "over 2 held-out videos of the wide world" in page and "nan" not in page
    drawn = {path.name for path in ASSETS.glob("*.png")}
    assert drawn == {"pagerank_time.png", "pagerank_convergence.png", "pagerank_position.png"}
    assert {*re.findall(r"\(\.\./assets/lab/([^)]*)\)", page)} == drawn
