"""Fewer bits in the lab: what is kept alike, and a page that says what the numbers say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from aim_lab.code import _reached
from aim_lab.documents import Document
from aim_lab.log import LineLog
from training.lab import low_bit_weights, pagerank
from training.lab.low_bit_weights import FORMATS, METHODS, Seen, _of_question, _rows, kept_alike, section

NAMES = [*FORMATS]


def trace(*layers: list[bool]):
    return SimpleNamespace(num_layers=len(layers), num_patches=4, alive=lambda layer: np.array(layers[layer]))


def test_kept_alike_is_the_mean_over_the_layers_that_some_enter():
    full = trace([True] * 4, [True, True, False, False], [True, False, False, False], [False] * 4)
    other = trace([True] * 4, [True, False, True, False], [True, True, False, False], [True] * 4)
    assert kept_alike(full, full) == 1 and kept_alike(full, other) == (0.5 + 1) / 2
    assert kept_alike(trace([True] * 4, [False] * 4), other) is None


def seen(form: str, method: str, video: int, right: bool, **others) -> Seen:
    about = {"is_same": right, "kl": 0.0, "kept": None if method == "dense" else 0.9} | others
    return Seen("", "", str(video), "?", form, method, right, **about)


def test_rows_compare_with_full_precision_under_the_same_method():
    wrong = {NAMES[3]}
    done = [
        seen(form, method, video, form not in wrong) for method in METHODS for form in FORMATS for video in range(40)
    ]
    rows = {(row["form"], row["method"]): row for row in _rows(done)}
    assert len(rows) == 8 and all(row["n"] == row["num_videos"] == 40 for row in rows.values())
    assert rows[NAMES[3], "aim"]["gap"]["value"] == -1 and rows[NAMES[1], "aim"]["gap"]["value"] == 0
    assert rows[NAMES[1], "aim"]["kept"] == pytest.approx(0.9) and rows[NAMES[1], "dense"]["kept"] is None
    times = {
        form: {method: [10.0 * (1 + index), 20.0 * (1 + index)] for method in METHODS}
        for index, form in enumerate(NAMES)
    }
    page = section({"rows": [*rows.values()], "bytes": dict.fromkeys(NAMES, 2e6), "prefill_ms": times})
    assert "40 questions about 40 videos" in page and "45 ms (3.00×)" in page
    assert f"surely other than float32 are {NAMES[3]} worse by -100.0" in page and "are bfloat16" not in page


class Once:
    """An engine that may run each question once; what it says is its name."""

    num_layers = 12

    def __init__(self, said: str):
        self.said, self.left = said, len(METHODS)

    def run(self, frames, question, **settings):
        assert self.left
        self.left -= 1
        logprobs = np.log(np.array([0.5, 0.5]))
        return SimpleNamespace(answer=self.said, first_token_logprobs=logprobs, trace=trace([True] * 4))


def test_what_the_log_has_is_not_asked_again(tmp_path):
    clip = SimpleNamespace(content=lambda: "v", frames=lambda count: np.zeros((count, 1, 1, 3)))
    engines = {form: Once("red" if form == NAMES[0] else "blue") for form in FORMATS}
    read = lambda: LineLog(tmp_path / "log.jsonl", lambda line: Seen(**line))  # noqa: E731
    first = [*_of_question(engines, Document(clip, "what?", "red"), "w", read())]
    again = [*_of_question(engines, Document(clip, "what?", "red"), "w", read())]
    assert first == again and len(first) == 8
    assert [one.is_right for one in first] == [one.is_same for one in first] == [True, False, False, False] * 2


def test_what_an_answer_hangs_on_is_in_its_code():
    """Frames, words, AIM's settings and the choice of questions are constants of modules, which no key names."""
    assert {"training.answering", "training.eval_sets", "aim_core.low_bits"} <= _reached([*low_bit_weights.CODE])
    assert {"training.answering", "training.eval_sets", "training.lab.items"} <= _reached([*pagerank.CODE])
