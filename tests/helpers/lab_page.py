"""The lab's page without a browser: handlers as a server has them that has just begun, and a sweep of two questions."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image

from aim_core.turns import NOBODY, Turns
from aim_lab.line import Log
from page.components.questions.component import AskedRow
from page.lab_handlers import LabHandlers, sample_questions
from page.lab_layout import LabLayout, lab_layout
from page.server.settings import SweepSettings
from page.state.cancellation import Cancellation
from page.state.runner import Runner
from page.state.startup import Loaded
from page.state.sweeps import Sweeps
from page.state.taken_files import TakenFiles
from training.drawing import render
from training.world import frame_times, make_scene

FORM = (["aim", "random"], "keep_ratio", [25], [1], "")  # no budget: finding a setting takes longer than a run
ROWS = [AskedRow("3.png", "where is it?", "left"), AskedRow("4.png", "how many?", "=2")]
REQUEST = SimpleNamespace(session_hash="page")


class RecordedTurns(Turns):
    """Turns(1) that count, and that others may look in on."""

    def __init__(self):
        super().__init__(1)
        self.count = 0

    def turn(self, asker=NOBODY):
        self.count += 1
        return super().turn(asker)


def layout_of(loaded: Loaded) -> LabLayout:
    with gr.Blocks():
        return lab_layout(True, sample_questions(loaded))


def pictures(folder: Path) -> list[str]:
    """Those that ROWS asks about."""
    for seed in (3, 4):
        Image.fromarray(render(make_scene(seed), frame_times(1), 128)[0]).save(folder / f"{seed}.png")
    return [str(folder / "3.png"), str(folder / "4.png")]


def server(loaded, layout, folder, **most) -> LabHandlers:
    """Handlers as a server has them that has just begun, with sweeps in a folder that may be there already."""
    runner = Runner(loaded.engine, turns=RecordedTurns())
    handlers = SimpleNamespace(runner=runner, cancellation=Cancellation(), taken=TakenFiles(1 << 30))
    settings = SweepSettings(folder=folder, **most)
    sweeps = Sweeps(settings.place, settings.most_bytes, settings.keep_seconds)
    return LabHandlers(loaded, handlers, layout, sweeps, settings)


def refused(call, *args) -> str:
    with pytest.raises(gr.Error) as caught:
        got = call(*args)
        list(got) if hasattr(got, "__next__") else None
    return str(caught.value.message)


def counted(own: LabHandlers, files, rows=ROWS, form=FORM) -> tuple[dict, str]:
    shown = own.cost(files, rows, *form, REQUEST)
    return shown[own.layout.panel], shown[own.layout.counted]


def swept(own: LabHandlers, key: str, files, rows=ROWS, form=FORM):
    for shown in own.run(key, files, rows, *form, REQUEST):
        yield shown[own.layout.panel]


def keys_in(folder) -> list[str]:
    (path,) = folder.glob("*/lines.jsonl")
    lines = path.read_bytes().count(b"\n")
    keys = [line.key for line in Log(path)]
    assert len(keys) == lines  # none twice
    return keys
