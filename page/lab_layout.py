"""Lab layout: the components of the lab's page, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.i18n import I18nData

from aim_core.methods.registry import METHODS
from page.components.lab.component import LabPanel
from page.components.nav.component import NavPanel
from page.components.questions.component import QuestionsPanel
from page.exports.lab import KINDS
from page.i18n import STRINGS, text, translatable
from page.lab_plan import BY, FRAMES, SHARES, USUAL_FRAMES, USUAL_METHODS, USUAL_SHARES
from page.method_texts import method_title


@dataclass(frozen=True, eq=False)
class LabLayout:
    """key: of the sweep that is shown. counted: of the sweep whose cost was told, which may start."""

    files: gr.File
    table: gr.UploadButton
    samples: gr.Button
    questions: QuestionsPanel
    methods: gr.CheckboxGroup
    by: gr.Radio
    shares: gr.CheckboxGroup
    frames: gr.CheckboxGroup
    more: gr.Textbox
    cost: gr.Button
    run: gr.Button
    stop: gr.Button
    panel: LabPanel
    key: gr.State
    counted: gr.State
    buttons: dict[str, gr.Button]
    taken: gr.File
    code: gr.Code

    @property
    def form(self) -> list[Any]:
        """As `LabForm` takes them."""
        return [self.methods, self.by, self.shares, self.frames, self.more]

    @property
    def inputs(self) -> list[Any]:
        """As handlers take them."""
        return [self.files, self.questions, *self.form]

    @property
    def shown(self) -> list[Any]:
        """What a sweep fills."""
        return [self.panel, self.key, self.counted, self.run, self.code]


def lab_layout(has_frames: bool, questions: dict[str, Any]) -> LabLayout:
    """On the route that is being built. has_frames: whether the model reads videos. questions: the table's first."""
    NavPanel("lab", elem_id="nav")
    gr.Markdown(text("LAB_INTRO"), elem_id="intro")
    with gr.Row(elem_id="screen"):
        with gr.Column(elem_id="inputs"):
            asked = _asked(questions)
            grid = _grid(has_frames)
        with gr.Column(elem_id="told"):
            buttons = _buttons()
            panel = LabPanel(elem_id="lab")
            taken = _taken()
    return LabLayout(**asked, **grid, **buttons, panel=panel, key=gr.State(None), counted=gr.State(""), **taken)


def _asked(questions: dict[str, Any]) -> dict[str, Any]:
    files = gr.File(
        label=text("LAB_FILES"), file_count="multiple", file_types=["video", "image"], height=120, elem_id="lab_files"
    )
    with gr.Row(elem_id="lab_fill"):
        name: Any = text("LAB_TABLE")  # Gradio translates it; its annotation says plain text
        table = gr.UploadButton(name, file_types=[".csv", ".jsonl"], size="md", elem_id="lab_table")
        samples = gr.Button(text("LAB_SAMPLES"), size="md", elem_id="lab_samples")
    panel = QuestionsPanel(value=questions, elem_id="questions")
    return {"files": files, "table": table, "samples": samples, "questions": panel}


def _grid(has_frames: bool) -> dict[str, Any]:
    titles = [(_title(name), name) for name in METHODS]
    with gr.Group(elem_id="settings"):
        methods = gr.CheckboxGroup(titles, value=USUAL_METHODS, label=text("METHODS"), elem_id="methods")
        by = gr.Radio(
            [(text(f"LAB_BY.{name}"), name) for name in BY], value=BY[0], label=text("LAB_SAME"), elem_id="by"
        )
        chosen = [(f"{share} %", share) for share in SHARES]
        shares = gr.CheckboxGroup(chosen, value=USUAL_SHARES, label=text("LAB_SHARES"), elem_id="shares")
        counts = FRAMES if has_frames else FRAMES[:1]
        frames = gr.CheckboxGroup(
            [(str(count), count) for count in counts],
            value=USUAL_FRAMES if has_frames else [1],
            label=text("LAB_FRAMES"),
            visible=has_frames,
            elem_id="lab_frames",
        )
    with gr.Accordion(text("LAB_MORE"), open=False, elem_id="lab_more"):
        more = gr.Textbox(
            label=text("LAB_GRIDS"), info=text("LAB_GRIDS_INFO"), lines=2, max_lines=6, elem_id="lab_grids"
        )
    return {"methods": methods, "by": by, "shares": shares, "frames": frames, "more": more}


def _buttons() -> dict[str, Any]:
    with gr.Row(elem_id="lab_buttons"):
        cost = gr.Button(text("LAB_COST"), variant="secondary", size="lg", elem_id="cost_of", scale=2, min_width=90)
        run = gr.Button(
            text("LAB_RUN"), variant="primary", size="lg", elem_id="run", interactive=False, scale=2, min_width=90
        )
        stop = gr.Button(text("STOP"), size="lg", elem_id="stop", interactive=False, scale=1, min_width=64)
    return {"cost": cost, "run": run, "stop": stop}


def _taken() -> dict[str, Any]:
    with gr.Accordion(text("EXPORTS.name"), open=False, elem_id="exports"):
        with gr.Row(elem_id="export_buttons"):
            buttons = {kind: gr.Button(text(f"LAB_EXPORTS.{kind}"), size="md") for kind in KINDS}
        files = gr.File(label=text("EXPORTS.files"), file_count="multiple", interactive=False, elem_id="export_files")
        code = gr.Code(label=text("EXPORTS.code"), language="shell", interactive=False, elem_id="export_code")
    return {"buttons": buttons, "taken": files, "code": code}


def _title(name: str) -> I18nData:
    return translatable(f"METHOD.{name}", {language: method_title(name, language) for language in STRINGS})
