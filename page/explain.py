"""Explain: the page that tells the idea in steps. Each asks for a prediction, runs, and tells what that run measured.

What is set here is set here alone: the page that explores keeps its own video, question and sliders.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gradio as gr

from aim_core.config import AimConfig
from aim_core.errors import Stopped
from page.checks import guarded
from page.components.answers.component import AnswersPanel, answers_record
from page.components.explorer.component import Explored, TokenExplorer
from page.components.nav.component import NavPanel
from page.components.tour.component import Tour
from page.components.tour.steps import NUM_FRAMES, SAMPLES, measured, steps
from page.handlers import Handlers
from page.i18n import text
from page.layout import Update
from page.state.samples import SAMPLES as FOLDER
from page.state.startup import Loaded
from page.state.store import StoredRun
from page.state.waiting import MODEL_LINE, waiting

FAILED = "() => ({failed: Date.now()})"


class Explain:
    """The story about one model; its runs share `handlers`' engine and their turn with the other pages' runs."""

    def __init__(self, loaded: Loaded, handlers: Handlers):
        adapter = loaded.engine.adapter
        self.kind = adapter.modalities[-1]
        frames = NUM_FRAMES if self.kind == "video" else 1
        self.steps = steps(adapter.num_layers, adapter.default_config(), adapter.least_l1, frames)
        self.runner, self.cancellation = handlers.runner, handlers.cancellation
        self.sample, self.question = str(FOLDER / SAMPLES[self.kind][0]), SAMPLES[self.kind][1]

    def build(self) -> None:
        """Its components and events, on the route that is being built."""
        NavPanel("explain", elem_id="nav")
        with gr.Row(elem_id="screen"):
            with gr.Column(elem_id="inputs"):
                self.tour = Tour(self.steps, self.kind, elem_id="tour")
            with gr.Column(elem_id="told"):
                self._clip()
                self.answers = AnswersPanel(elem_id="answers")
                self.explorer = TokenExplorer(elem_id="explorer")
        run = self.tour.go(
            self.run,
            None,
            [self.tour, self.answers, self.explorer],
            trigger_mode="multiple",  # a step may be left while it waits
            api_visibility="private",
            **MODEL_LINE,
            show_progress_on=self.tour,
        )
        run.failure(None, None, self.tour, js=FAILED, api_visibility="private", show_progress="hidden")

    def _clip(self) -> None:
        """What the questions are about, until a run shows its frames."""
        look: dict[str, Any] = {
            "label": text(self.kind.upper()),
            "interactive": False,
            "elem_id": "clip",
            "height": 420,
        }
        if self.kind == "video":
            gr.Video(self.sample, autoplay=True, loop=True, **look)
        else:
            gr.Image(self.sample, **look)

    @guarded
    def run(self, event: gr.EventData, request: gr.Request) -> Update:
        """Run a step's settings; the nearest step there is, whatever number was sent."""
        with suppress(Stopped), self.cancellation.run(request.session_hash) as stop:
            step = event._data.get("step") if isinstance(event._data, dict) else 0
            stored = self.stored(step if type(step) is int else 0, stop)
            return {
                self.tour: measured(stored),
                self.answers: answers_record(stored.runs, timed=False, is_saved=True),
                self.explorer: Explored(stored.shown),
            }
        return gr.skip()

    def stored(self, index: int, stop: Callable[[], bool] = lambda: False) -> StoredRun:
        """The runs of one step, dense and AIM."""
        step = self.steps[min(max(0, index), len(self.steps) - 1)]
        config = AimConfig(step.keep_ratio, step.l1, step.l2)
        details, frames = self.runner.is_small, self.runner.frames(self.sample, step.frames, waiting("file", stop))
        with self.runner.turns.turn(waiting("model", stop)):
            dense, aim = (
                self.runner.run(frames, self.question, one, details=details, stop=stop)
                for one in (AimConfig.dense(), config)
            )
        return StoredRun(self.sample, self.question, step.frames, dense, aim, details=details)
