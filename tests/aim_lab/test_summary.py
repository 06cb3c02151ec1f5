"""Records, fronts, files and charts of a sweep, and how well agreement stands in for right answers."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from aim_lab.chart import draw
from aim_lab.export import as_csv, as_json, as_text, written
from aim_lab.fidelity import fidelity
from aim_lab.settings import Setting
from aim_lab.summary import front, summarise
from tests.helpers.lab import line

DENSE = Setting.of("dense", 8)
SOME = [Setting.of("aim", 8, keep_ratio=ratio) for ratio in (0.1, 0.2, 0.4, 0.8)]


@pytest.fixture
def lines():
    """40 videos, two questions each; the more is kept, the more is right, and the more it costs."""
    found = []
    for video in range(40):
        for question in ("a?", "b?"):
            place = (f"v{video}", question)
            found.append(line(DENSE, *place, True, flops=1000, same_answer=True, kl=0.0, kv_bytes=2**20))
            for i, setting in enumerate(SOME):
                right = video % 8 < 2 * (i + 1)
                cost = {"flops": 100 * (i + 1), "prefill_ms": [3.0, 1.0, 2.0 + i], "kv_bytes": 1000}
                found.append(line(setting, *place, right, same_answer=right, kl=1 - i / 4, **cost))
    return found


def test_rows_are_means_with_intervals_that_draw_whole_videos(lines):
    dense, *rows = summarise(lines)
    assert (dense.n, dense.num_videos, dense.accuracy.value, dense.kv) == (80, 40, 1.0, 1.0)
    assert [row.accuracy.value for row in rows] == [0.25, 0.5, 0.75, 1.0]
    assert [row.ms for row in rows] == [2.0, 3.0, 3.0, 3.0]
    half = rows[1].accuracy
    assert half.low == pytest.approx(0.5 - 1.96 * (0.25 / 40) ** 0.5, abs=0.02)  # 40 videos tell, not 80 questions
    assert rows[0].kl == 1.0 and rows[0].as_dict()["settings"] == {"keep_ratio": 0.1}


def test_without_right_answers_there_is_agreement(lines):
    (row,) = summarise([replace(own, wanted="") for own in lines if own.setting == SOME[1]])
    assert row.accuracy is None and row.agreement.value == 0.5
    with pytest.raises(ValueError, match="go by agreement"):
        front([row])
    assert front([row], value="agreement") == [row]


def test_the_front_has_what_no_other_beats(lines):
    rows = summarise(lines)
    assert [row.setting for row in front(rows)] == SOME  # dense costs more and is as good as the last
    assert [row.setting for row in front(rows, "kv")] == [SOME[3]]


def test_files_hold_every_line(lines, tmp_path):
    read = list(csv.DictReader(io.StringIO(as_csv(lines))))
    assert [row["key"] for row in read] == [own.key for own in lines]
    assert json.loads(read[1]["settings"]) == {"keep_ratio": 0.1} and read[0]["right"] == "True"
    told = json.loads(as_json(summarise(lines)))
    assert told["fronts"]["accuracy by flops"] == [str(own) for own in SOME]
    assert "dense, 8 frames" in as_text(summarise(lines))
    with pytest.raises(ValueError, match=r"should end in \.csv or \.parquet"):
        written(lines, tmp_path / "lines.txt")


def test_parquet_holds_every_line(lines, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: `make lab-test` has it")
    table = parquet.read_table(written(lines, tmp_path / "lines.parquet"))
    assert table.column("key").to_pylist() == [own.key for own in lines]
    assert table.column("flops").to_pylist() == [own.flops for own in lines]


def test_the_chart_shows_every_setting_and_the_front(lines):
    figure = draw(summarise(lines))
    assert len(figure.axes) == 3
    axes = figure.axes[0]
    (joined,) = [own for own in axes.lines if own.get_label() == "front"]
    assert list(joined.get_xdata()) == [100, 200, 300, 400] and list(joined.get_ydata()) == [25, 50, 75, 100]
    points = {own.get_label(): own for own in axes.containers}
    assert list(points["aim"].lines[0].get_xdata()) == [100, 200, 300, 400]
    with pytest.raises(ValueError, match="no row to draw"):
        draw([])


def test_fidelity_is_the_rank_correlation_over_settings(lines):
    found = {own.stand_in: own for own in fidelity(lines)}
    assert found["agreement"].rank == found["kl"].rank == 1.0 and found["agreement"].lost == 0
    assert (found["kl"].num_settings, found["kl"].num_videos) == (4, 40)
    assert found["first_token"].rank is None  # the same everywhere: no order


def test_a_stand_in_that_is_wrong_is_told_as_wrong(lines):
    turned = [replace(own, same_answer=not own.right, kl=None) for own in lines]
    found = {own.stand_in: own for own in fidelity(turned)}
    assert found["agreement"].rank == -1.0 and found["agreement"].lost == pytest.approx(0.75)
    assert found["kl"].rank is None
    with pytest.raises(ValueError, match="at least 4 settings"):
        fidelity([own for own in lines if own.setting != SOME[0]])
