"""The method table: a measurement that goes on where it stood, known intervals, and a page that says what they say."""

import json
import math
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from aim_core.methods.before_decoder import before_decoder
from aim_core.methods.registry import METHODS, MethodEntry, make_method
from aim_core.weights import weights_hash
from aim_lab import code
from aim_lab.intervals import difference_over_questions, wilson
from aim_lab.summary import FEWEST_VIDEOS
from training.batched_inference import Video
from training.eval_sets import PER_VIDEO, held_out_set
from training.method_table.__main__ import PAGE, README, REPORT, _beside, main, with_other_rows
from training.method_table.chart import EMPTY, draw
from training.method_table.log import Line, Log, code_of
from training.method_table.measure import BUDGETS, Past, cells, measure, measure_in_processes
from training.method_table.order import SEEDS, SETS, Asked, drawn, videos
from training.method_table.page import BEGIN, CHARTS, END, TITLES, markdown, page_block, rewrite
from training.method_table.readme import readme_block
from training.method_table.summary import summarise
from training.method_table.words import BASELINES, in_words
from training.questions import TYPES, Question

ROOT = Path(__file__).parents[2]
FEW = cells(("aim", "random", "pyramid_drop"), (0.5, 0.1))
NAMES = ("aim", "random", "fewer_frames", "fastv")


@pytest.fixture(scope="module")
def asked(frames) -> list[Asked]:
    """Three questions about two videos."""
    texts = {"a1": ("how many objects are there?", "is there a red star?"), "b2": ("is there a blue circle?",)}
    shown = {"a1": frames, "b2": frames[::-1].copy()}
    return [
        Asked("held_out", 7, video, shown[video], tuple(Question("exist", text, "yes", ()) for text in own))
        for video, own in texts.items()
    ]


@pytest.fixture
def short_answers(monkeypatch):
    """Random weights never end their turn."""
    monkeypatch.setattr("training.method_table.measure.MAX_NEW_TOKENS", 2)


class StopAfter:
    """True once it was asked so often."""

    def __init__(self, times: int):
        self.left = times

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_measurement_that_was_stopped_and_killed_loses_nothing_and_repeats_nothing(
    engine, asked, short_answers, tmp_path, monkeypatch
):
    whole, path, adapter = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl", engine.adapter
    measure(adapter, "w", asked, Log(whole), asked_about=FEW)
    lines = [json.loads(text) for text in whole.read_text().splitlines()]
    assert [(line["question"], line["method"], line["budget"]) for line in lines] == [
        (question.text, *cell) for own in asked for cell in FEW for question in own.questions
    ]

    measure(adapter, "w", asked, Log(path), StopAfter(2), FEW)  # in time, in the middle of a video
    assert len(Log(path)) == 4

    said, calls = Video.said, []

    def killed(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return said(*args, **kwargs)

    monkeypatch.setattr(Video, "said", killed)
    with pytest.raises(KeyboardInterrupt):
        measure(adapter, "w", asked, Log(path), asked_about=FEW)
    monkeypatch.setattr(Video, "said", said)
    assert 4 < len(Log(path)) < len(lines)

    written = path.read_bytes()
    path.write_bytes(written + written.splitlines()[-1][:40])  # as a line is cut off
    measure(adapter, "w", asked, Log(path), asked_about=FEW)
    assert path.read_text() == whole.read_text()

    monkeypatch.setattr(Video, "said", lambda *args, **kwargs: pytest.fail("was asked again"))
    measure(adapter, "w", asked, Log(path), asked_about=FEW)


def test_other_questions_sets_weights_and_code_are_measured_anew(engine, asked, short_answers, tmp_path, monkeypatch):
    path, adapter, one = tmp_path / "log.jsonl", engine.adapter, asked[1]
    measure(adapter, "w", [one], Log(path), asked_about=FEW)
    measure(adapter, "w", asked, Log(path), asked_about=FEW)
    assert len(Log(path)) == 3 * len(FEW)
    measure(adapter, "v", [one], Log(path), asked_about=FEW)
    measure(adapter, "w", [replace(one, set="wide")], Log(path), asked_about=FEW)
    assert Counter((line.weights, line.set) for line in Log(path)) == {
        ("w", "held_out"): 3 * len(FEW),
        ("v", "held_out"): len(FEW),
        ("w", "wide"): len(FEW),
    }
    monkeypatch.setattr("training.method_table.measure.code_of", lambda method: f"new {method == 'random'}")
    measure(adapter, "w", [one], Log(path), asked_about=FEW)
    assert Counter(line.code for line in Log(path))["new True"] == 2


def test_lines_say_what_was_spent_and_why_a_method_was_not_run(engine, asked, short_answers, tmp_path, monkeypatch):
    def breaks(keep_ratio: float = 0.5):
        return before_decoder("broken", Broken())

    monkeypatch.setitem(METHODS, "broken", MethodEntry(breaks, "Broken"))
    log = Log(tmp_path / "log.jsonl")
    measure(engine.adapter, "w", asked[1:], log, asked_about=[*FEW, ("broken", 0.5)])
    found = {(line.method, line.budget): line for line in log}
    for cell in FEW:
        line = found[cell]
        if line.refused:
            assert cell == ("pyramid_drop", 0.1) and line.limit > 0.1 and not line.shares
        else:
            assert line.shares["flops"] == pytest.approx(line.budget, rel=0.05)
    assert found["pyramid_drop", 0.1].refused.startswith("PyramidDrop cannot go under")
    assert found["broken", 0.5].refused == "Broken cannot run here: no such thing."
    assert found["broken", 0.5].limit is None


@dataclass(frozen=True)
class Broken:
    def __call__(self, tokens, metric=None):
        raise RuntimeError("no such thing")

    def reduces(self) -> bool:
        return True


def test_a_video_is_encoded_once_for_all_methods_and_questions(engine, asked, short_answers, tmp_path, monkeypatch):
    encode, calls = engine.adapter.encode, []
    monkeypatch.setattr(engine.adapter, "encode", lambda inputs: calls.append(inputs) or encode(inputs))
    measure(engine.adapter, "w", asked[:1], Log(tmp_path / "log.jsonl"), asked_about=[*FEW, ("visionzip", 0.5)])
    assert len(calls) == 1
    measure(engine.adapter, "w", asked[:1], Log(tmp_path / "log.jsonl"), asked_about=[*FEW, ("tome_in_tower", 0.5)])
    assert len(calls) == 3  # once as before, once with a tower that merges
    with pytest.raises(ValueError, match=r"ToMe in the tower leaves a share of 0.5 in the vision tower, and this one"):
        Video(engine.adapter, asked[0].frames).said(make_method("tome_in_tower", keep_ratio=0.5), ["?"], 1)


ALL_KINDS = ["aim", "vtw", "flashvid", "framefusion", "visionzip", "average_pooling", "random", "tome_in_tower"]


@pytest.mark.parametrize("name", ALL_KINDS)
def test_what_is_shared_by_questions_changes_no_answer(engine, asked, name):
    """The slow way is a run for each question."""
    fitting = {"l1": 2, "l2": 4, "layer": 3}
    own, method = asked[0], make_method(name, **{key: fitting[key] for key in METHODS[name].settings if key in fitting})
    texts = [question.text for question in own.questions]
    inside = method if name == "tome_in_tower" else None
    with torch.inference_mode():
        video = Video(engine.adapter, own.frames, tower=True, inside=inside)
    said = video.said(method, texts, 6)
    runs = [engine.run(own.frames, text, config=method, max_new_tokens=6) for text in texts]
    assert [(one.answer, one.visual_per_layer) for one in said] == [
        (run.answer, run.cost.visual_per_layer) for run in runs
    ]
    planned = [engine.planned(own.frames, text, config=method) for text in texts]
    assert all(one.visual_per_layer == tuple(video.counts(method)) for one in planned)
    assert all(one.views == video.views for one in planned)


def test_another_process_writes_the_log(checkpoint, asked, tmp_path):
    path, one = tmp_path / "log.jsonl", FEW[:1]
    measure_in_processes(checkpoint, "w", asked, path, Past(math.inf), 1, one)
    assert Counter((line.method, line.video) for line in Log(path)) == {("dense", "a1"): 2, ("dense", "b2"): 1}


def test_lines_of_several_writers_stay_whole(tmp_path):
    path = tmp_path / "log.jsonl"
    lines = [Line("w", "c", "held_out", 0, 0.5, "aim", f"v{idx}", "q" * 5000, "exist") for idx in range(40)]

    def write(start: int) -> None:
        log = Log(path)
        for line in lines[start::4]:
            log.add(line)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert sorted(line.video for line in Log(path)) == sorted(line.video for line in lines)


def test_what_draws_by_chance_draws_anew_for_each_video(engine, asked, short_answers, tmp_path):
    log = Log(tmp_path / "log.jsonl")
    measure(engine.adapter, "w", asked, log, asked_about=FEW)
    seeds = {line.video: line.settings["seed"] for line in log if line.method == "random"}
    assert len(set(seeds.values())) == 2


def test_the_code_of_a_method_is_its_own_modules_and_what_every_run_imports(tmp_path, monkeypatch):
    for room in ("aim_core", "aim_lab", "training"):
        shutil.copytree(ROOT / room, tmp_path / room)
    monkeypatch.setattr(code, "_ROOT", tmp_path)
    some = ("dense", "aim", "fastv", "holitom", "fastvid", "vidcom2")
    before = hashes(some)
    assert len(set(before.values())) == len(some)

    def changed(path: str, old: str, new: str) -> set[str]:
        text = (tmp_path / path).read_text()
        assert old in text
        (tmp_path / path).write_text(text.replace(old, new))
        after = hashes(some)
        (tmp_path / path).write_text(text)
        return {name for name in some if after[name] != before[name]}

    assert changed("aim_core/methods/holitom.py", "_OWN = 0.6", "_OWN = 0.7") == {"holitom"}
    assert changed("aim_core/methods/holitom.py", "_OWN = 0.6", "_OWN = 0.6  # more") == set()
    assert changed("aim_core/methods/holitom.py", '"""HoliTom', '"""Now HoliTom') == set()
    assert changed("aim_core/ops/density_peaks.py", "1e-6", "1e-5") == {"holitom", "fastvid"}
    assert changed("aim_core/forward/token_pruner.py", "torch.cat(", "torch.concat(") == set(some)
    hashes(())  # nothing of the copies is remembered


def hashes(names: tuple[str, ...]) -> dict[str, str]:
    for cached in (code.code_hash, code._imported, code._statements):
        cached.cache_clear()
    return {name: code_of(name) for name in names}


def test_a_log_refuses_a_line_that_it_has(tmp_path):
    log, line = Log(tmp_path / "log.jsonl"), Line("w", "c", "held_out", 0, 0.5, "aim", "v", "q", "exist")
    log.add(line)
    with pytest.raises(ValueError, match="already"):
        log.add(replace(line, answer="yes"))
    assert list(Log(tmp_path / "log.jsonl")) == [line]


def test_videos_come_whole_and_drawn_by_the_seed():
    items = held_out_set(10)
    order = drawn(items, 3)
    assert sorted(id(item) for own in order for item in own) == sorted(map(id, items))
    assert order == drawn(items, 3) != drawn(items, 4)
    sizes = [len(own) for own in order]
    assert sizes[0] == PER_VIDEO and all(len({item.video for item in own}) == 1 for own in order)
    assert sizes == sorted(sizes, reverse=True)
    first = [item for own in order[: len(order) // 3] for item in own]
    assert len({item.question.type for item in first}) == len(TYPES)


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_asked_about_as_many_videos_as_the_questions_need(name, monkeypatch):
    monkeypatch.setattr("training.method_table.order.PER_TYPE", 2)
    found = list(videos(name, SEEDS[name][0], 8))
    assert sum(len(own.questions) for own in found[:-1]) < 8 <= sum(len(own.questions) for own in found)
    assert len({own.video for own in found}) == len(found) and {own.set for own in found} == {name}


class InVideo:
    def __init__(self, video: int):
        self.video = video


def test_the_paired_interval_is_that_of_a_slow_bootstrap_over_videos():
    rng = np.random.default_rng(5)
    videos = np.repeat(np.arange(25), 4)
    level = (rng.random(25) < 0.5)[videos]
    one, other = rng.random(100) < 0.1 + 0.8 * level, rng.random(100) < 0.2
    value, low, high = difference_over_questions(one, other, [InVideo(video) for video in videos])
    slow = []
    for _ in range(4000):
        right_one = right_other = number = 0
        for video in rng.integers(0, 25, size=25):
            for idx in range(100):
                if videos[idx] == video:
                    number += 1
                    right_one += int(one[idx])
                    right_other += int(other[idx])
        slow.append((right_one - right_other) / number)
    slow.sort()
    assert value == pytest.approx((one.sum() - other.sum()) / 100)
    assert (low, high) == pytest.approx((slow[100], slow[3900]), abs=0.02)
    alone = difference_over_questions(one, other, [InVideo(idx) for idx in range(100)])
    assert high - low > 1.2 * (alone[2] - alone[1])


def test_where_no_answer_differs_the_interval_is_as_wide_as_so_few_videos_allow():
    same, items = np.array([True, False, True, True]), [InVideo(video) for video in (0, 0, 1, 1)]
    assert difference_over_questions(same, same, items) == (0.0, -wilson(0, 2)[1], wilson(0, 2)[1])


def lines_of(right: dict[str, list[bool]], videos: int, skipped: tuple[str, ...] = ()) -> list[Line]:
    """At one budget, 0.5: for each method whether each question is answered right; None where it was refused."""
    lines = []
    for method, answers in right.items():
        for idx, own in enumerate(answers):
            line = Line(
                "w" * 64,
                "c",
                "held_out",
                7,
                1.0 if method == "dense" else 0.5,
                method,
                f"v{idx % videos}",
                f"q{idx}",
                "exist",
            )
            if method in skipped:
                lines.append(replace(line, refused=f"{METHODS[method].title} cannot go under 60.0%: so.", limit=0.6))
            else:
                shares = {"entering": 0.6, "mean": 0.55, "flops": 0.5 if method != "fewer_frames" else 0.45, "kv": 0.6}
                settings = {"keep_ratio": 0.5 + idx / 100, "seed": idx} if method == "random" else {"layer": 2}
                lines.append(replace(line, answer="yes", right=own, shares=shares, settings=settings))
    return lines


def report_of(num: int = 80, videos: int = 40) -> dict:
    """Random is always right, AIM in three of four, fewer frames never; FastV cannot."""
    right = {"dense": [True] * num, "random": [True] * num, "fewer_frames": [False] * num, "fastv": [False] * num}
    right |= {"aim": [idx % 4 != 0 for idx in range(num)]}
    lines = lines_of(right, videos, ("fastv",))
    half = replace(lines[0], question="asked of the dense model alone", right=False)
    return summarise([*lines, half], cells(NAMES, (0.5,)))


def test_the_summary_counts_only_questions_that_all_were_asked():
    report = report_of()
    assert report["num_questions"] == 80 and report["num_videos"] == 40 and report["types"] == {"exist": 80}
    assert report["dense"]["accuracy"] == 1.0
    rows = {row["method"]: row for row in report["rows"]}
    assert rows["random"]["accuracy"] == 1.0 and rows["aim"]["accuracy"] == 0.75
    assert rows["random"]["minus_aim"]["value"] == 0.25 and rows["random"]["minus_dense"]["value"] == 0.0
    assert 0 < rows["random"]["minus_aim"]["low"] < 0.25 < rows["random"]["minus_aim"]["high"]
    assert rows["random"]["settings"] == {"keep_ratio": [0.895, 0.5, 1.29]}
    assert rows["fewer_frames"]["flops"] == 0.45 and rows["fewer_frames"]["entering"] == 0.6
    assert rows["fastv"]["answered"] == 0 and rows["fastv"]["limit"] == [0.6, 0.6, 0.6]
    assert json.loads(json.dumps(report)) == report


def test_a_question_that_a_method_cannot_reach_is_left_out_of_its_row_alone():
    lines = lines_of({"dense": [True] * 4, "aim": [True, False, True, True], "random": [True] * 4}, 4)
    refused = [replace(line, refused="no", right=False) if line.question == "q0" else line for line in lines[4:8]]
    report = summarise([*lines[:4], *refused, *lines[8:]], cells(("aim", "random"), (0.5,)))
    aim, random = report["rows"]
    assert (aim["answered"], aim["refused"], aim["accuracy"]) == (3, 1, 0.6667)
    assert random["answered"] == 4 and random["minus_aim"]["value"] == 0.3333
    assert "| AIM | 3 of 4 | 66.7 |" in markdown(report) and "| random patches | 4 | 100.0 |" in markdown(report)


def test_nothing_measured_is_told():
    with pytest.raises(ValueError, match="measure on"):
        summarise([])


def test_the_words_say_where_random_and_fewer_frames_stand():
    said = "\n".join(in_words(report_of()))
    assert "**80 questions** about 40 held-out videos" in said
    assert "Random patches **beat AIM** by 25.0 points. " in said
    assert "Fewer frames stay 75.0 points behind AIM. " in said
    assert "Clearly above AIM: random patches. Clearly below AIM: fewer frames." in said
    assert "Not at this cost, but as near as their steps allow: fewer frames 45.0 %." in said
    assert "goes on to 500 questions of each of 2 seeds" in said


def test_few_videos_make_nothing_sure():
    said = "\n".join(in_words(report_of(20, 10)))
    assert FEWEST_VIDEOS > 10 and f"fewer videos than {FEWEST_VIDEOS}" in said
    assert "Random patches **beat AIM** by 25.0 points, which may be chance." in said
    assert "Too few videos to call a difference sure." in said and "No method is clearly" not in said


@pytest.mark.parametrize(
    ("questions", "seeds", "is_full"), [(1008, [1, 2], True), (2000, [1], False), (999, [1, 2], False)]
)
def test_a_full_measurement_says_nothing_of_going_on(questions, seeds, is_full):
    report = report_of() | {"num_questions": questions, "seeds": seeds}
    assert ("goes on" in "\n".join(in_words(report))) != is_full
    assert ("a beginning" in readme_block({"held_out": report})) != is_full


def test_a_row_of_few_videos_has_no_interval_and_is_on_no_side():
    """PyramidDrop reached a quarter on one video of 168, where its interval was a point, clearly below AIM."""
    right = {"dense": [True] * 80, "aim": [idx > 1 for idx in range(80)], "random": [idx > 1 for idx in range(80)]}
    lines = [
        replace(line, refused="no", right=False, limit=0.6) if line.method == "random" and line.video != "v0" else line
        for line in lines_of(right, 40)
    ]
    report = summarise(lines, cells(("aim", "random"), (0.5,)))
    aim, random = report["rows"]
    assert (aim["num_videos"], random["num_videos"], random["answered"]) == (40, 1, 2)
    random["minus_aim"] |= {"low": -0.5, "high": -0.5}
    table = markdown(report)
    assert "| random patches | 2 of 80 | 50.0 | -50.0 | none differs |" in table and "Clearly" not in table
    del random["num_videos"]  # as reports were
    assert markdown(report) == table
    (axes,) = draw(report).axes
    assert [line.get_fillstyle() for line in axes.lines if line.get_marker() == "o"] == ["full", "none"]


def test_two_methods_that_are_right_alike_are_said_to_be_so():
    lines = lines_of({"dense": [True] * 80, "aim": [idx % 4 > 0 for idx in range(80)], "random": [True] * 80}, 40)
    report = summarise(lines, cells(("aim", "random"), (0.5,)))
    assert report["rows"][1]["minus_dense"]["num_unlike"] == 0 and report["rows"][1]["minus_aim"]["num_unlike"] == 20
    assert f"| none differs (±{100 * wilson(0, 40)[1]:.1f}) | +25.0 (" in markdown(report)


def test_the_readme_tells_of_the_baselines_at_a_quarter_and_at_six_hundredths():
    reports = {}
    for name in ("held_out", "wide"):
        whole = report_of() | {"set": name, "seeds": [1, 2]}
        rows = [row | {"budget": budget} for row in whole["rows"] for budget in (0.5, 0.25, 0.06)]
        reports[name] = whole | {"rows": rows}
    said = readme_block(reports)
    assert said.startswith("![Measured") and CHARTS["held_out"] in said and CHARTS["wide"] not in said
    assert said.count("80 questions of 2 seeds, dense 100.0 (") == 2 and "50 %" not in said
    for share in ("25 %", "6 %"):
        assert said.count(f"At {share} of the dense FLOPs AIM 75.0 (") == 2
    assert said.count("Random patches **beat AIM** by 25.0 points.") == 4
    assert said.count("Fewer frames stay 75.0 points behind AIM.") == 4
    assert all(f"`make methods SET={name}`" in said for name in reports)
    assert "AIM is at home" in said and CHARTS["wide"] in readme_block({"wide": reports["wide"]})
    rows = [row | {"limit": [0.3, 0.3, 0.3], "answered": 0} if row["method"] == "fewer_frames" else row for row in rows]
    assert "Fewer frames cannot go under 30.0 %." in readme_block({"wide": reports["wide"] | {"rows": rows}})
    nothing = {"wide": report_of() | {"set": "wide"}}  # at another budget alone
    assert "At " not in readme_block(nothing)


def test_the_table_has_a_row_for_each_method_best_first():
    rows = [line.split(" | ")[0].strip("| ") for line in markdown(report_of()).splitlines() if line.startswith("| ")]
    assert rows[2:] == ["dense", "random patches", "AIM", "fewer frames", "FastV"]
    assert "| FastV | 0 of 80 | **cannot reach it**: 60 % is its limit |" in markdown(report_of())
    assert "keep_ratio 0.895 (0.5–1.29)" in markdown(report_of())


def test_the_page_is_rewritten_between_its_marks_only():
    reports = {"held_out": report_of(), "wide": report_of(20, 10) | {"set": "wide"}}
    block = page_block(reports)
    page = rewrite(f"before\n{BEGIN}\nas it was\n{END}\nafter\n", block)
    assert page.startswith(f"before\n{BEGIN}\n\n") and page.endswith(f"\n\n{END}\nafter\n") and "as it was" not in page
    assert rewrite(page, block) == page
    assert [line for line in page.splitlines() if line.startswith("### ")] == [f"### {own}" for own in TITLES.values()]
    with pytest.raises(ValueError, match="needs one"):
        rewrite("no marks", block)


def test_the_chart_has_a_dot_for_each_method_that_answered():
    (axes,) = draw(report_of()).axes
    dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert dots == [100.0, 75.0, 0.0] and [text.get_text() for text in axes.texts] == [EMPTY]


def test_the_command_writes_charts_and_page_anew_from_the_numbers(tmp_path, monkeypatch):
    for path in (REPORT, PAGE):
        (tmp_path / path).parent.mkdir()
    (tmp_path / REPORT).write_text(json.dumps({"held_out": report_of(), "wide": report_of() | {"set": "wide"}}))
    for path in (PAGE, README):
        (tmp_path / path).write_text(f"{BEGIN}\n{END}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["method_table", "--page-only"])
    main()
    assert markdown(report_of()) in PAGE.read_text(encoding="utf-8")
    assert "80 questions" in README.read_text(encoding="utf-8")
    assert all(Path(chart).stat().st_size > 1000 for chart in CHARTS.values())


def test_sets_stand_side_by_side_while_the_weights_are_the_same():
    one, other = report_of(), report_of() | {"set": "wide"}
    assert list(_beside({"wide": other}, one)) == ["held_out", "wide"]
    assert _beside({"wide": other | {"weights": "old"}}, one) == {"held_out": one}


def test_rows_of_some_methods_go_beside_those_of_others_that_were_asked_the_same():
    old = report_of()
    right = {"dense": [True] * 80, "aim": [idx % 4 != 0 for idx in range(80)], "tome_in_tower": [True, False] * 40}
    new = summarise(lines_of(right, 40), cells(("aim", "tome_in_tower"), (0.5,)))
    together = with_other_rows(new, old)
    assert [row["method"] for row in together["rows"]] == ["aim", "fastv", "tome_in_tower", "random", "fewer_frames"]
    assert together["rows"][2]["accuracy"] == 0.5 and all(own in together["rows"] for own in old["rows"][1:])
    otherwise = summarise(lines_of(right | {"aim": [True] * 80}, 40), cells(("aim", "tome_in_tower"), (0.5,)))
    for wrong, before in ((new, None), (new, old | {"seeds": [8]}), (otherwise, old)):
        with pytest.raises(ValueError, match="leave out --methods"):
            with_other_rows(wrong, before)


def test_the_command_measures_some_methods_and_aim_alone(asked, short_answers, checkpoint, monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr("training.method_table.__main__.videos", lambda *_: asked)
    monkeypatch.setattr("training.method_table.__main__.with_other_rows", lambda new, old: seen.append(new) or new)
    monkeypatch.chdir(tmp_path)
    for path in (REPORT, PAGE):
        path.parent.mkdir()
    for path in (PAGE, README):
        path.write_text(f"{BEGIN}\n{END}\n")
    wanted = ["--methods", "tome_in_tower", "--model", str(checkpoint), "--seeds", "7", "--log", "log.jsonl"]
    monkeypatch.setattr("sys.argv", ["method_table", *wanted])
    main()
    assert {line.method for line in Log(Path("log.jsonl"))} == {"dense", "aim", "tome_in_tower"}
    assert [row["method"] for row in seen[0]["rows"]] == ["aim", "tome_in_tower"] * len(BUDGETS)


def test_the_page_shows_the_reports_of_the_shipped_weights():
    reports = json.loads((ROOT / REPORT).read_text(encoding="utf-8"))
    for path, block in ((PAGE, page_block), (README, readme_block)):
        page = (ROOT / path).read_text(encoding="utf-8")
        assert rewrite(page, block(reports)) == page
    for name, report in reports.items():
        assert report["set"] == name and report["weights"] == weights_hash(ROOT / "assets" / "model")
        found = {(row["method"], row["budget"]) for row in report["rows"]}
        assert found <= set(cells()) and found >= {(name, own) for name in (*BASELINES, "aim") for own in BUDGETS}
        assert (ROOT / CHARTS[name]).stat().st_size < 100_000
    assert (ROOT / REPORT).stat().st_size < 300_000
