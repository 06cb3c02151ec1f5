"""Talk: the events of further questions, on the caches that the last run has left."""

from __future__ import annotations

import gradio as gr
from gradio.events import Dependency

from page import layout_inputs
from page.handlers import Handlers
from page.layout import Controls
from page.state.waiting import MODEL_LINE
from page.talk_handlers import TalkHandlers


def connect(handlers: Handlers, controls: Controls, done: list[Dependency], press_run: str) -> None:
    """Ask on, or Enter, asks the caches; a question asked anew is one for Run. done: what fills the page with a run."""
    own, key, talk = TalkHandlers(handlers), handlers.results.key, handlers.results.talk
    asked = [talk.ask.click, talk.question.submit]
    layout_inputs.arm_stop(controls.stop, asked)
    on = gr.on(
        asked,
        own.ask,
        [talk.question, key],
        talk.panel,
        api_visibility="private",
        **MODEL_LINE,
        show_progress_on=talk.panel,
    )
    layout_inputs.disarm_stop(controls.stop, [on], last=[on])
    anew = talk.anew.click(
        None, talk.question, controls.question, js="(question) => question", api_visibility="private"
    )
    anew.then(None, None, None, js=press_run, api_visibility="private")
    for run in done:
        run.success(own.begin, key, talk.panel, show_progress="hidden", api_visibility="private")
