"""Story: the results of a run, in the order in which a visitor asks for them."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr

from aim_core.config import AimConfig
from page import layout_shared
from page.components.answers.component import AnswersPanel
from page.components.explorer.component import TokenExplorer
from page.components.word_frames.component import WordFramesPanel
from page.exports.panel import export_panel
from page.i18n import ENGLISH, text


def results(default: AimConfig, depth: int) -> SimpleNamespace:
    """Answers and numbers, the explorer, and figures; `panels` are what a run fills."""
    gr.Markdown(text("ANSWERS"))
    answers = AnswersPanel(elem_id="answers")
    with gr.Accordion(text("NUMBERS"), open=False, elem_id="all_numbers"):
        gr.Markdown(text("NUMBERS_LEAD"))
        numbers = gr.Markdown(text("NO_NUMBERS"), elem_id="numbers")
        _why("NUMBERS")

    gr.Markdown(text("EXPLORE"))
    explorer = TokenExplorer(elem_id="explorer")
    with gr.Row(elem_id="whys"):
        _why("MERGE")
        _why("PRUNE")
        _why("MARKS")

    word_frames = WordFramesPanel(elem_id="word_frames")

    figures = _figures(default, depth)
    exports = export_panel()
    with gr.Accordion(text("DATA"), open=False):
        gr.Markdown(text("DATA_LEAD"))
        data = gr.JSON(label=text("SUMMARY"))
    panels = [answers, numbers, explorer, word_frames, data]
    return SimpleNamespace(panels=panels, answers=answers, explorer=explorer, figures=figures, exports=exports)


def _why(name: str) -> None:
    """A question and its answer that unfolds."""
    with gr.Accordion(text(f"WHY_{name}_NAME"), open=False):
        gr.Markdown(text(f"WHY_{name}"))


def _figures(default: AimConfig, depth: int) -> SimpleNamespace:
    """Still pictures and charts; `panels` are what `Handlers.figures` draws."""
    with gr.Accordion(text("FIGURES"), open=False, elem_id="figures") as box:
        gr.Markdown(text("FIGURES_LEAD"))
        with gr.Row():
            first_cut = min(default.l1 + 1, depth - 1)
            layer = gr.Slider(0, depth - 1, first_cut, step=1, label=text("FIGURE_LAYER"), elem_id="layer", scale=3)
            scales = [(text(f"FIGURE_SCALES.{scale}"), scale) for scale in ENGLISH["FIGURE_SCALES"]]
            scale = gr.Radio(scales, value="rank", label=text("FIGURE_SCALE"), scale=1)
        groups_legend = layout_shared.legend("groups")
        groups, groups_note = layout_shared.picture("groups"), gr.Markdown(elem_id="groups_note")
        alive_legend = layout_shared.legend("alive")
        alive, alive_note = layout_shared.picture("alive"), gr.Markdown(elem_id="alive_note")
        scores_legend = layout_shared.legend("scores")
        scores, scores_note = layout_shared.picture("scores"), gr.Markdown(elem_id="scores_note")
        with gr.Row():
            retained = layout_shared.plot("retained")
            ranked = layout_shared.plot("ranked")
        cost = layout_shared.plot("cost")
        _why("FIGURES")
    panels = [groups, groups_note, alive, alive_note, scores, scores_note, retained, ranked, cost]
    opened = [gr.State(False), groups_legend, alive_legend, scores_legend]  # what opening the box sets
    return SimpleNamespace(box=box, is_open=opened[0], opened=opened, layer=layer, scale=scale, panels=panels)
