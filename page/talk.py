"""Talk: the events of further questions, on the caches that the last run has left."""

from __future__ import annotations

import gradio as gr
from gradio.events import Dependency

from page import layout_inputs
from page.handlers import Handlers
from page.layout import Controls
from page.per_model import PerModel
from page.state.models import Models
from page.state.waiting import MODEL_LINE
from page.talk_handlers import TalkHandlers

PRESS_RUN = "() => document.getElementById('run').click()"


def connect(models: Models, handlers: PerModel[Handlers], controls: Controls, done: list[Dependency]) -> None:
    """Ask on, or Enter, asks the caches; a question asked anew is one for Run. done: what fills the page with a run."""
    own = PerModel(models, lambda loaded: TalkHandlers(handlers.of(loaded)))
    key, talk = handlers.first.results.key, handlers.first.results.talk
    asked = [talk.ask.click, talk.question.submit]
    layout_inputs.arm_stop(controls.stop, asked)
    on = gr.on(
        asked,
        own.call("ask"),
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
    anew.then(None, None, None, js=PRESS_RUN, api_visibility="private")
    for run in done:
        run.success(own.call("begin"), key, talk.panel, show_progress="hidden", api_visibility="private")
