"""Wiring: the events of the export panel, and of an address that holds settings."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import Dependency

from page.exports.handlers import Exports
from page.exports.panel import COPY, TAKE


def connect(demo: gr.Blocks, exports: Exports) -> Dependency:
    """Connect buttons, link and load; returns the event of a loaded run, which fills the page as a run does."""
    media, controls, results = exports.media, exports.controls, exports.results
    panel, figures = results.exports, results.figures
    for kind, button in panel.buttons.items():
        made = button.click(
            exports.maker(kind),
            [results.key, figures.layer, figures.scale],
            panel.files,
            api_visibility="private",
            show_progress_on=panel.files,
            concurrency_id="exports",
            concurrency_limit=2,
        )
        made.success(None, panel.files, None, js=TAKE, api_visibility="private")
    settings = [controls.question, *controls.sliders]
    linked = panel.link.click(exports.link, [*media.inputs, *settings], panel.address, api_visibility="private")
    linked.success(None, panel.address, panel.address, js=COPY, api_visibility="private")
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    demo.load(exports.restore, None, [*settings, *media.inputs, media.tabs], **quiet)
    loaded = [*results.panels, results.key, *settings, panel.note]
    return panel.load.upload(exports.load, [panel.load, results.key], loaded, **quiet)


def enable(exports: Exports, done: list[Dependency]) -> None:
    """After every run there is something to take."""
    panel, key = exports.results.exports, exports.results.key
    for run in done:
        run.success(
            exports.ready, key, [panel.code, *panel.buttons.values()], show_progress="hidden", api_visibility="private"
        )
