"""Lab: the page that measures many settings on many videos and questions, and goes on where it was ended."""

from __future__ import annotations

from functools import wraps
from typing import Any

import gradio as gr

from page import layout_inputs, scripts
from page.exports.events import ADDRESS
from page.exports.panel import TAKE
from page.handlers import Handlers
from page.lab_handlers import LabHandlers, sample_questions
from page.lab_layout import LabLayout, lab_layout
from page.per_model import PerModel
from page.server.settings import SweepSettings
from page.state.models import Models
from page.state.sweeps import Sweeps
from page.state.waiting import EXPORT_LINE, MODEL_LINE, SWEEP_LINE

IS = "() => ({{__type__: 'update', interactive: {}}})"
OFF, ON = IS.format("false"), IS.format("true")
BEGIN = "components/lab/lab.js"


def build(
    models: Models, handlers: PerModel[Handlers], demo: gr.Blocks, sweeps: Sweeps, most: SweepSettings
) -> PerModel[LabHandlers]:
    """Its components and events, on the route that is being built; returns its handlers."""
    layout = lab_layout("video" in models.first.engine.adapter.modalities, sample_questions(models.first))
    own = PerModel(models, lambda loaded: LabHandlers(loaded, handlers.of(loaded), layout, sweeps, most))
    _connect_inputs(own, layout)
    _connect_runs(demo, own, layout)
    for kind, button in layout.buttons.items():
        made = button.click(
            _maker(own, kind),
            layout.key,
            layout.taken,
            api_name=f"lab_{kind}",
            api_visibility="private",
            **EXPORT_LINE,
        )
        made.success(None, layout.taken, None, js=TAKE, api_visibility="private")
    return own


def _connect_inputs(handlers: PerModel[LabHandlers], layout: LabLayout) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    table = [layout.files, layout.questions]
    filed = [layout.files.upload, layout.files.clear, layout.files.delete]
    gr.on(filed, handlers.call("files_changed"), table, layout.questions, **quiet)
    layout.samples.click(handlers.call("fill_samples"), table, layout.questions, **quiet)
    layout.table.upload(handlers.call("table_given"), [layout.table, layout.files], layout.questions, **quiet)
    changed = [one.input for one in layout.form] + [layout.samples.click, layout.table.upload, *filed]
    changed += [layout.questions.edited]
    for event in changed:
        event(None, None, layout.run, js=OFF, api_visibility="private")


def _connect_runs(demo: gr.Blocks, handlers: PerModel[LabHandlers], layout: LabLayout) -> None:
    """Cost, start, stop, and what an address names."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    layout_inputs.arm_stop(layout.stop, [layout.cost.click, layout.run.click])
    inputs = layout.inputs
    cost = layout.cost.click(
        handlers.call("cost"),
        inputs,
        layout.shown,
        api_visibility="private",
        show_progress_on=layout.panel,
        **MODEL_LINE,
    )
    run = layout.run.click(handlers.call("run"), [layout.counted, *inputs], layout.shown, **quiet, **SWEEP_LINE)
    layout_inputs.disarm_stop(layout.stop, [cost, run], last=[cost, run])
    layout.run.click(None, None, layout.run, js=OFF, api_visibility="private")
    run.failure(None, None, layout.run, js=ON, api_visibility="private")
    layout.stop.click(handlers.call("stop"), layout.key, layout.shown, concurrency_limit=None, **quiet)
    shown = [*layout.shown, layout.files, layout.questions, *layout.form]
    link = scripts.call(ADDRESS, "linked")
    linked = demo.load(handlers.call("restore"), layout.code, shown, js=link, concurrency_limit=None, **quiet)
    linked.success(None, layout.panel, None, js=scripts.call(BEGIN, "goOn"), **quiet)


def _maker(handlers: PerModel[LabHandlers], kind: str):
    """As `LabHandlers.maker`, of the model that answers when files are asked for."""

    @wraps(handlers.first.maker(kind))
    def make(*args):
        return handlers.now.maker(kind)(*args)

    return make
