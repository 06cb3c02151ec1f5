"""Results: what a run fills, in the order in which a visitor asks for them."""

from __future__ import annotations

import gradio as gr

from aim_core.config import AimConfig
from page import layout_shared
from page.components.answers.component import AnswersPanel
from page.components.asked.component import AskedPanel
from page.components.explorer.component import TokenExplorer
from page.components.first_token.component import FirstTokenPanel
from page.components.talk.component import TalkPanel
from page.components.word_frames.component import WordFramesPanel
from page.exports.panel import export_panel
from page.i18n import ENGLISH, text
from page.layout import Figures, Results, Talk


def results(default: AimConfig, depth: int) -> Results:
    """Answers beside each other, the explorer with its tabs, figures and exports."""
    asked = AskedPanel(elem_id="asked")
    answers = AnswersPanel(elem_id="answers")
    talk = _talk()
    explorer = TokenExplorer(elem_id="explorer")  # its tabs show one of what follows at a time, see page.css
    word_frames = WordFramesPanel(elem_id="word_frames")
    first_token = FirstTokenPanel(elem_id="first_token")
    with gr.Column(elem_id="numbers"):
        gr.Markdown(text("COMPARISON_LEAD"))
        comparison = gr.Markdown(text("NO_COMPARISON"), elem_id="comparison_table")
        _why("COMPARISON")
        with gr.Accordion(text("DATA"), open=False):
            gr.Markdown(text("DATA_LEAD"))
            summary = gr.JSON(label=text("SUMMARY"))
    gr.Markdown(text("WHYS"), elem_id="whys")
    figures = _figures(default, depth)
    exports = export_panel()
    key = gr.State(None)
    return Results(asked, answers, comparison, explorer, word_frames, first_token, summary, key, figures, exports, talk)


def _talk() -> Talk:
    """Further questions, folded until they are wanted."""
    with gr.Accordion(text("TALK_NAME"), open=False, elem_id="talk"):
        question = gr.Textbox(  # of one line, so that Enter asks
            label=text("TALK_QUESTION"), placeholder=text("TALK_EXAMPLE"), lines=1, max_lines=4, elem_id="further"
        )
        with gr.Row():
            ask = gr.Button(text("TALK_ASK"), variant="primary", size="md", elem_id="ask_on")
            anew = gr.Button(text("TALK_ANEW"), size="md", elem_id="ask_anew")
        panel = TalkPanel(elem_id="talked")
    return Talk(question, ask, anew, panel)


def _why(name: str) -> None:
    """A question and its answer that unfolds."""
    with gr.Accordion(text(f"WHY_{name}_NAME"), open=False):
        gr.Markdown(text(f"WHY_{name}"))


def _figures(default: AimConfig, depth: int) -> Figures:
    """Still pictures and charts."""
    with gr.Accordion(text("FIGURES"), open=False, elem_id="figures") as box:
        gr.Markdown(text("FIGURES_LEAD"))
        with gr.Row():
            first_cut = min(default.l1 + 1, depth - 1)
            layer = gr.Slider(0, depth - 1, first_cut, step=1, label=text("FIGURE_LAYER"), elem_id="layer", scale=3)
            scales = [(text(f"FIGURE_SCALES.{scale}"), scale) for scale in ENGLISH["FIGURE_SCALES"]]
            scale = gr.Radio(scales, value="rank", label=text("FIGURE_SCALE"), scale=1)
        groups_legend = layout_shared.legend("groups")
        groups, groups_caption = layout_shared.picture("groups"), gr.Markdown(elem_id="groups_caption")
        alive_legend = layout_shared.legend("alive")
        alive, alive_caption = layout_shared.picture("alive"), gr.Markdown(elem_id="alive_caption")
        scores_legend = layout_shared.legend("scores")
        scores, scores_caption = layout_shared.picture("scores"), gr.Markdown(elem_id="scores_caption")
        with gr.Row():
            retained = layout_shared.plot("retained")
            sorted_scores = layout_shared.plot("sorted_scores")
        cost = layout_shared.plot("cost")
        _why("FIGURES")
    return Figures(
        box=box,
        is_open=gr.State(False),
        layer=layer,
        scale=scale,
        groups_legend=groups_legend,
        groups=groups,
        groups_caption=groups_caption,
        alive_legend=alive_legend,
        alive=alive,
        alive_caption=alive_caption,
        scores_legend=scores_legend,
        scores=scores,
        scores_caption=scores_caption,
        retained=retained,
        sorted_scores=sorted_scores,
        cost=cost,
    )
