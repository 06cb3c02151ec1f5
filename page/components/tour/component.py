"""Tour: its component, and the events that set the page up for a step and return what a run measured."""

from __future__ import annotations

from dataclasses import asdict

import gradio as gr

from page.components.base import Panel
from page.components.tour.steps import NUM_FRAMES, SAMPLES, measured, steps
from page.layout import Controls, MediaInputs, Update
from page.state.samples import SAMPLES as FOLDER
from page.state.startup import Loaded
from page.state.store import ResultStore

PRESS_RUN = "() => document.getElementById('run').click()"
FAILED = "() => ({failed: Date.now()})"


class Tour(Panel):
    """Five steps. value: `measured` of the last run, or {"failed": when}; the script sends {"step"} with "go"."""

    def __init__(self, steps: list[dict], **kwargs):
        super().__init__("tour", "TOUR", events=("go",), fixed={"steps": steps}, **kwargs)


class Guide:
    """The tour on a page around one model."""

    def __init__(self, loaded: Loaded):
        adapter = loaded.engine.adapter
        self.kind = adapter.modalities[-1]
        frames = NUM_FRAMES if self.kind == "video" else 1
        self.steps = steps(adapter.num_layers, adapter.default_config(), adapter.least_l1, frames)
        self.tour = Tour([asdict(step) for step in self.steps], elem_id="tour")

    def connect(self, media: MediaInputs, controls: Controls, store: ResultStore, key: gr.State, done: list):
        """Steps set the page up and press Run; each run in `done` tells what it measured, or that it failed."""
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        changed = [media.video, media.image, controls.question, *controls.sliders]

        def go(event: gr.EventData) -> Update:
            return self.set_up(int(event.step), media, controls)

        self.tour.go(go, None, changed, **quiet).success(None, None, None, js=PRESS_RUN, **quiet)

        def last(key: str | None) -> dict:
            stored = store.get(key)
            return measured(stored) if stored else gr.skip()

        for run in done:
            run.success(last, key, self.tour, **quiet)
        done[0].failure(None, None, self.tour, js=FAILED, **quiet)

    def set_up(self, index: int, media: MediaInputs, controls: Controls) -> Update:
        """Sample, question and sliders of a step; the nearest there is to `index`."""
        step = self.steps[min(max(0, index), len(self.steps) - 1)]
        name, question = SAMPLES[self.kind]
        sample = str(FOLDER / name)
        return {
            media.video: sample if self.kind == "video" else None,
            media.image: sample if self.kind == "image" else None,
            controls.question: question,
            controls.keep_ratio: step.keep_ratio,
            controls.l1: step.l1,
            controls.l2: step.l2,
            controls.num_frames: step.frames,
        }
