"""Wiring: the events of the export panel, and of an address that holds settings."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr

from page.exports.handlers import Exports
from page.exports.panel import COPY, TAKE


def connect(
    demo: gr.Blocks, events: Exports, media: SimpleNamespace, controls: SimpleNamespace, results: SimpleNamespace,
    key: gr.State,
):  # fmt: skip
    """Connect buttons, link and load; returns the event of a loaded run, which fills the page as a run does."""
    part, figures = results.exports, results.figures
    for kind, button in part.buttons.items():
        made = button.click(
            events.maker(kind), [key, figures.layer, figures.scale], part.files, show_progress_on=part.files,
            api_visibility="private", concurrency_id="exports", concurrency_limit=2,
        )  # fmt: skip
        made.success(None, part.files, None, js=TAKE, api_visibility="private")
    settings = [controls.question, *controls.sliders]
    linked = part.link.click(
        events.link, [media.video, media.image, media.shown, *settings], part.address, api_visibility="private"
    )
    linked.success(None, part.address, part.address, js=COPY, api_visibility="private")
    demo.load(
        events.restore, None, [*settings, media.video, media.image, media.tabs, media.shown], api_visibility="private",
        show_progress="hidden",
    )  # fmt: skip
    return part.load.upload(
        events.load, [part.load, key], [*results.panels, key, *settings, part.note], api_visibility="private",
        show_progress="hidden",
    )  # fmt: skip


def enable(events: Exports, results: SimpleNamespace, key: gr.State, done: list) -> None:
    """After every run there is something to take."""
    part = results.exports
    for run in done:
        run.success(
            events.ready, key, [part.code, *part.buttons.values()], show_progress="hidden", api_visibility="private"
        )
