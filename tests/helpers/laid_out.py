"""The components of a page and the handlers that fill them, without a browser and without events."""

from __future__ import annotations

import gradio as gr

from page import layout_inputs, layout_results
from page.exports.handlers import Exports
from page.handlers import Handlers
from page.state.startup import Loaded


def exports_of(loaded: Loaded) -> Exports:
    """The exports of a page around this model; its other handlers are their `handlers`."""
    engine = loaded.engine
    default = engine.adapter.default_config()
    with gr.Blocks():
        media = layout_inputs.media(engine.adapter)
        controls = layout_inputs.controls(loaded, default, media)
        handlers = Handlers(loaded, layout_results.results(default, engine.num_layers))
    return Exports(handlers, loaded, media, controls)
