"""Compare: the page that answers one question under many methods, each set so that it costs the same."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr
from gradio.i18n import I18nData

from aim_core.budget import MEASURES
from aim_core.methods.registry import METHODS
from page import layout_inputs, layout_shared, scripts
from page.compare_handlers import AskedComparison, CompareHandlers
from page.compare_link import LEAST, MOST
from page.compare_switching import CompareSwitching
from page.components.compare.component import ComparePanel
from page.components.models.component import ModelsPanel
from page.components.nav.component import NavPanel
from page.exports.events import ADDRESS
from page.exports.panel import TAKE
from page.handlers import Handlers
from page.i18n import STRINGS, text, translatable
from page.layout import MediaInputs
from page.method_texts import method_title
from page.per_model import PerModel
from page.server.settings import ServerSettings
from page.state.models import Models
from page.state.store import ByteCache
from page.state.waiting import EXPORT_LINE, MODEL_LINE

USUAL = ["aim", "fastv", "pyramid_drop", "vtw", "divprune", "visionzip", "vidcom2", "v_cast", "evs"]
USUAL += ["fewer_frames", "average_pooling", "random"]
EXPORTS = ("figures", "csv", "page")


class Inputs(NamedTuple):
    """What is asked."""

    media: MediaInputs
    question: gr.Textbox
    budget: gr.Slider
    measure: gr.Dropdown
    frames: gr.Slider
    methods: gr.CheckboxGroup
    run: gr.Button
    stop: gr.Button

    @property
    def settings(self) -> list[Any]:
        """As a link sets them."""
        return [self.question, self.budget, self.measure, self.frames, self.methods]


class Taken(NamedTuple):
    """What is taken away. key: of the page's last comparison in the server's memory."""

    key: gr.State
    buttons: dict[str, gr.Button]
    files: gr.File
    code: gr.Code
    link: gr.Textbox


def build(
    models: Models,
    handlers: PerModel[Handlers],
    demo: gr.Blocks,
    kept: ByteCache[AskedComparison],
    settings: ServerSettings,
) -> PerModel[CompareHandlers]:
    """Its components and events, on the route that is being built; returns its handlers. kept: as they take it."""
    adapter = models.first.engine.adapter
    with gr.Row(elem_id="head"):
        NavPanel("compare", elem_id="nav")
        picker = ModelsPanel(elem_id="models")
    gr.Markdown(text("COMPARE_INTRO"), elem_id="intro")
    with gr.Row(elem_id="screen"):
        with gr.Column(elem_id="inputs"):
            media = layout_inputs.media(adapter)
            question = layout_inputs.question_box()
            with gr.Row():
                run = gr.Button(text("COMPARE_RUN"), variant="primary", size="lg", elem_id="run", scale=4)
                stop = gr.Button(text("STOP"), size="lg", elem_id="stop", interactive=False, scale=1, min_width=80)
            budget, measure, frames = _settings("video" in adapter.modalities)
        with gr.Column(elem_id="told"):
            titles = [(_title(name), name) for name in METHODS]
            methods = gr.CheckboxGroup(titles, value=USUAL, label=text("METHODS"), elem_id="methods")
            panel = ComparePanel(elem_id="compare")
            taken = _taken()
    samples = layout_shared.samples_by_folder(media, question, models)
    inputs = Inputs(media, question, budget, measure, frames, methods, run, stop)
    compared = PerModel(models, lambda own: CompareHandlers(own, handlers.of(own), panel, media, inputs.settings, kept))
    switching = CompareSwitching(models, compared, picker, media, frames, samples, settings)
    _connect(demo, compared, inputs, taken, switching)
    return compared


def _title(name: str) -> I18nData:
    return translatable(f"METHOD.{name}", {language: method_title(name, language) for language in STRINGS})


def _settings(has_frames: bool) -> tuple[gr.Slider, gr.Dropdown, gr.Slider]:
    """Budget, what it is a share of, number of frames."""
    with gr.Group(elem_id="settings"):
        budget = gr.Slider(LEAST, MOST, 10, step=1, label=text("BUDGET"), info=text("BUDGET_INFO"), elem_id="budget")
        measures = [(text(f"MEASURES.{name}"), name) for name in MEASURES]
        measure = gr.Dropdown(measures, value="flops", label=text("MEASURE"), elem_id="measure")
        frames = layout_inputs.frames_slider(has_frames)
    return budget, measure, frames


def _taken() -> Taken:
    """An accordion with a table, a page, code and a link."""
    with gr.Accordion(text("EXPORTS.name"), open=False, elem_id="exports"):
        with gr.Row():
            buttons = {kind: gr.Button(text(f"COMPARE_EXPORTS.{kind}"), size="md") for kind in EXPORTS}
        files = gr.File(label=text("EXPORTS.files"), file_count="multiple", interactive=False, elem_id="export_files")
        code = gr.Code(label=text("EXPORTS.code"), language="python", interactive=False, elem_id="export_code")
        link = gr.Textbox(label=text("EXPORTS.link_name"), interactive=False, lines=2, buttons=["copy"], elem_id="link")
    return Taken(gr.State(None), buttons, files, code, link)


def _connect(
    demo: gr.Blocks,
    handlers: PerModel[CompareHandlers],
    inputs: Inputs,
    taken: Taken,
    switching: CompareSwitching,
) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    asked = [inputs.run.click, inputs.question.submit]
    layout_inputs.arm_stop(inputs.stop, asked)
    compared = gr.on(
        asked,
        handlers.call("run"),
        [*inputs.media.inputs, *inputs.settings, inputs.media.more],
        [handlers.first.panel, taken.key, taken.code, taken.link],
        api_visibility="private",
        **MODEL_LINE,
        show_progress_on=handlers.first.panel,
    )
    layout_inputs.disarm_stop(inputs.stop, [compared], last=[compared])
    inputs.stop.click(handlers.call("stop"), None, None, concurrency_limit=None, **quiet)
    compared.success(None, taken.link, taken.link, js=scripts.call(ADDRESS, "standsIn"), **quiet)
    tabs = [*inputs.media.inputs, inputs.media.more, inputs.media.tabs]
    linked = demo.load(
        switching.restore,
        taken.link,
        [*dict.fromkeys([*inputs.settings, *tabs, *switching.fitted])],
        js=scripts.call(ADDRESS, "linked"),
        concurrency_limit=None,
        **quiet,
    )
    asks = [inputs.media.video, inputs.media.image, inputs.question]
    linked.success(None, asks, None, js=scripts.call(ADDRESS, "beginCompared"), **quiet)
    for kind, button in taken.buttons.items():
        made = button.click(
            handlers.first.maker(kind),
            taken.key,
            taken.files,
            api_name=f"compare_{kind}",
            api_visibility="private",
            **EXPORT_LINE,
        )
        made.success(None, taken.files, None, js=TAKE, api_visibility="private")
