"""Extreme numbers in a saved run: each, set to what no run says, is refused in a sentence or shown and taken away."""

from __future__ import annotations

import io
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import gradio as gr
import numpy as np
import pytest

from aim_core.config import AimConfig
from aim_core.overrides import TokenOverrides
from page.exports.saved_run.file import save_run
from page.i18n import ENGLISH
from page.state.model_facts import ModelFacts
from page.state.startup import Loaded
from page.state.store import StoredRun
from page.token_text import SavedTokens
from tests.helpers.laid_out import exports_of

COUNT = int(os.environ.get("EXTREMES", "100"))  # `make fuzz` tries them all
HERE = '"here"'
TEXTS = ("0", "1", "-1", "1e308", "-1e308", "1e-320", "1e999999", "NaN", "Infinity", "-Infinity", "null", "true")
TEXTS += ("9223372036854775808", "-9223372036854775809", "1" + "0" * 400, "1" + "0" * 5000)
TEXTS += ("[" * 500 + "]" * 500, "[" * 99_999)
MOST_OF_A_LIST = 2


@pytest.fixture(scope="module")
def saved(engine, frames, tmp_path_factory) -> dict[str, bytes]:
    """The members of a run with marks by hand."""
    runs = [
        engine.run(frames, "what?", config=config, overrides=marks, max_new_tokens=2, details=True)
        for config, marks in (
            (AimConfig.dense(), None),
            (AimConfig(0.25, 4, 9), None),
            (AimConfig(0.25, 4, 9), TokenOverrides(protect=((0, 1),))),
        )
    ]
    stored = StoredRun("clip.mp4", "what?", 4, *runs[:2], 1, True, runs[2], known="yes")
    facts = ModelFacts("m", {"hidden": 128, "kv": 64, "intermediate": 320, "q": 256}, 4)
    path = tmp_path_factory.mktemp("saved") / "run.npz"
    save_run(stored, facts, SavedTokens.of(stored.runs, engine.adapter.processor.tokenizer), path)
    with ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def places(value: Any, at: tuple = ()) -> Iterator[tuple]:
    """Where numbers, and lists that may be empty, are in a JSON value; the first few of each list."""
    if isinstance(value, dict):
        for name, own in value.items():
            yield from places(own, (*at, name))
    elif isinstance(value, list):
        for index, own in enumerate(value[:MOST_OF_A_LIST]):
            yield from places(own, (*at, index))
    elif isinstance(value, int | float | None):
        yield at


def records(text: bytes) -> Iterator[tuple[str, bytes]]:
    """What was set to what, and the record."""
    for at in places(json.loads(text)):
        record = json.loads(text)
        inner = record
        for name in at[:-1]:
            inner = inner[name]
        inner[at[-1]] = "here"
        for value in TEXTS:
            yield f"{at} {value[:24]}", json.dumps(record).replace(HERE, value, 1).encode()


def arrays(text: bytes) -> Iterator[tuple[str, bytes]]:
    array = np.load(io.BytesIO(text))
    if not array.size:
        return
    if array.dtype.kind == "f":
        values: tuple = (0, -1, np.nan, np.inf, -np.inf, np.finfo(array.dtype).max, np.finfo(array.dtype).min)
    else:
        values = (0, 1, -1, np.iinfo(array.dtype).max, np.iinfo(array.dtype).min)
    for index in (0, -1):
        for value in values:
            own = array.copy()
            own.reshape(-1)[index] = np.array(value).astype(array.dtype)
            if own.tobytes() != array.tobytes():
                file = io.BytesIO()
                np.save(file, own)
                yield f"[{index}] {value}", file.getvalue()


def extremes(saved: dict[str, bytes]) -> list[tuple[str, str, bytes]]:
    """Which member is changed, how, and what it becomes."""
    return [
        (name, told, own)
        for name, text in saved.items()
        for told, own in (records if name == "run.json" else arrays)(text)
    ]


def test_an_extreme_number_is_refused_in_a_sentence_or_shown_and_taken_away(engine, checkpoint, saved, tmp_path):
    exports = exports_of(Loaded(engine, str(checkpoint), is_embedded=False))
    found, path, num_shown, wrong = extremes(saved), tmp_path / "run.npz", 0, []
    tried = random.Random(0).sample(found, min(COUNT, len(found)))
    for name, told, own in tried:
        with ZipFile(path, "w", ZIP_STORED) as file:
            for other, text in saved.items():
                file.writestr(other, own if other == name else text)
        try:
            num_shown += shown_and_taken(exports, path)
        except Exception as error:
            wrong.append(f"{name} {told}: {error!r}")
    assert not wrong
    assert len(tried) > num_shown > len(tried) // 10


def shown_and_taken(exports, path: Path) -> bool:
    """False if the file is refused in a sentence; else all that the browser and files get of it is made."""
    try:
        update = exports.load(str(path), None)
    except gr.Error as error:
        assert str(error.message).endswith(".") and error.message != ENGLISH["WENT_WRONG"]
        return False
    for component, value in update.items():
        sent = component.postprocess(value)
        json.dumps(sent.model_dump() if hasattr(sent, "model_dump") else sent, allow_nan=False)
    for kind in ("json", "csv", "saved"):
        (made,) = exports.maker(kind)(update[exports.results.key], 0, "rank", [], progress=lambda *_: None)
        if kind == "json":
            json.loads(Path(made).read_text(), parse_constant=pytest.fail)
    return True
