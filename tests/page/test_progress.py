"""Progress: what is told of a run by layer and by word, and how often."""

from __future__ import annotations

import pytest

from aim_core.config import AimConfig
from page.i18n import STRINGS
from page.state import progress
from page.state.progress import LayerProgress

TEXTS = {"layer": "layer {layer} (0 to {last})", "word": "word {word}"}


def told(monkeypatch, seconds_a_layer: float, passes: int, layers: int = 4) -> list[tuple[float, str]]:
    clock, shown = iter(range(1000)), []
    monkeypatch.setattr(progress.time, "monotonic", lambda: 100 + seconds_a_layer * next(clock))
    on_layer = LayerProgress(lambda *one: shown.append(one), layers, 0.2, 0.6, TEXTS)
    for _ in range(passes):
        for layer in range(layers):
            on_layer(layer)
    return shown


def test_the_prefill_moves_the_bar_and_words_do_not(monkeypatch):
    shown = told(monkeypatch, 1.0, passes=2)
    assert [sentence for _, sentence in shown] == [f"layer {i} (0 to 3)" for i in range(4)] + ["word 2"] * 4
    assert [share for share, _ in shown] == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.6, 0.6])


def test_fast_layers_are_not_all_told(monkeypatch):
    assert len(told(monkeypatch, 0.01, passes=10)) == 2


def test_a_run_tells_it_layer_by_layer(monkeypatch, engine, frames):
    monkeypatch.setattr(progress, "_EVERY", 0)
    shown = []
    on_layer = LayerProgress(lambda *one: shown.append(one), engine.num_layers, 0.0, 1.0, TEXTS)
    result = engine.run(frames, "is there a star?", config=AimConfig.dense(), max_new_tokens=3, on_layer=on_layer)
    sentences = [sentence for _, sentence in shown]
    assert sentences[: engine.num_layers] == [f"layer {i} (0 to 11)" for i in range(12)]
    words = [f"word {word}" for word in range(2, len(result.answer_ids) + 1)]
    assert sentences[engine.num_layers :: engine.num_layers] == words


@pytest.mark.parametrize("language", STRINGS)
def test_its_sentences_name_layer_and_word(language):
    texts = STRINGS[language]["SO_FAR"]
    assert "7" in texts["layer"].format(layer=7, last=27) and "3" in texts["word"].format(word=3)
