"""Progress: what is told of a run by layer and of its answer so far, and how often."""

from __future__ import annotations

import pytest

from aim_core.config import AimConfig
from page.i18n import STRINGS
from page.state import progress
from page.state.progress import RunProgress

TEXTS = {"layer": "layer {layer} (0 to {last})", "said": "said {said}"}


def told(monkeypatch, seconds_a_step: float, words: list[str], layers: int = 4) -> list[tuple[float, str]]:
    clock, shown = iter(range(1000)), []
    monkeypatch.setattr(progress.time, "monotonic", lambda: 100 + seconds_a_step * next(clock))
    run = RunProgress(lambda *one: shown.append(one), layers, 0.2, 0.6, TEXTS)
    for i in range(len(words)):
        for layer in range(layers):
            run.layer(layer)
        run.text(" ".join(words[: i + 1]))
    return shown


def test_the_prefill_moves_the_bar_and_then_the_answer_is_shown_word_by_word(monkeypatch):
    shown = told(monkeypatch, 1.0, ["a", "red", "ball"])
    said = ["said a", "said a red", "said a red ball"]
    assert [sentence for _, sentence in shown] == [f"layer {i} (0 to 3)" for i in range(4)] + said
    assert [share for share, _ in shown] == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.6])


def test_fast_layers_and_words_are_not_all_told(monkeypatch):
    assert len(told(monkeypatch, 0.01, ["word"] * 30)) == 2


def test_of_a_long_answer_the_end_is_shown_as_it_is(monkeypatch):
    *_, (_, sentence) = told(monkeypatch, 1.0, ["{braces}", *["word"] * 50])
    assert sentence.startswith("said … ") and sentence.endswith("word word") and len(sentence) < 130
    assert told(monkeypatch, 1.0, ["{braces} {0}"])[-1][1] == "said {braces} {0}"


def test_a_run_tells_its_layers_and_its_answer_so_far(monkeypatch, engine, frames):
    monkeypatch.setattr(progress, "_EVERY", 0)
    shown = []
    run = RunProgress(lambda *one: shown.append(one), engine.num_layers, 0.0, 1.0, TEXTS)
    asked = {"config": AimConfig.dense(), "max_new_tokens": 3, "on_layer": run.layer, "on_text": run.text}
    result = engine.run(frames, "is there a star?", **asked)
    sentences = [sentence for _, sentence in shown]
    assert sentences[: engine.num_layers] == [f"layer {i} (0 to 11)" for i in range(12)]
    assert sentences[-1] == f"said {result.answer}" and all(one.startswith("said ") for one in sentences[12:])


@pytest.mark.parametrize("language", STRINGS)
def test_its_sentences_name_layer_and_answer(language):
    texts = STRINGS[language]["SO_FAR"]
    assert "7" in texts["layer"].format(layer=7, last=27) and "red" in texts["said"].format(said="red")
