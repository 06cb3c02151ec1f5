"""Wiring: the events of the export panel, and of an address that holds settings."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from page import scripts
from page.exports.handlers import Exports
from page.exports.panel import TAKE
from page.per_model import PerModel
from page.state.waiting import EXPORT_LINE

ADDRESS = "address.js"


def connect(
    demo: gr.Blocks, exports: PerModel[Exports], restore: Callable, fitted: Sequence[Component]
) -> list[Dependency]:
    """Connect buttons, link and load; returns the events that fill the page as a run does: a saved run, and opening."""
    media, controls, results = exports.first.media, exports.first.controls, exports.first.results
    panel, figures = results.exports, results.figures
    for kind, button in panel.buttons.items():
        made = button.click(
            _maker(exports, kind),
            [results.key, figures.layer, figures.scale, panel.listed],
            panel.files,
            api_name=f"export_{kind}",
            api_visibility="private",
            show_progress_on=panel.files,
            **EXPORT_LINE,
        )
        made.success(None, panel.files, None, js=TAKE, api_visibility="private")
    settings = [controls.question, *controls.sliders]
    told = [*media.inputs, *settings, *controls.sound, media.more]
    linked = panel.link.click(exports.call("link"), told, panel.address, api_visibility="private")
    copied = scripts.call(ADDRESS, "linkTo")
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    given_link = linked.success(exports.call("copied"), [panel.address] * 2, panel.address, js=copied, **quiet)
    given_link.success(None, panel.address, None, js=scripts.call(ADDRESS, "selectRefused"), api_visibility="private")
    at_once: dict[str, Any] = quiet | {"concurrency_limit": None}  # what a visitor does meanwhile must not be undone
    filled, tabs = [*results.panels, results.key, *settings, *controls.sound], [*media.inputs, media.more, media.tabs]
    link = scripts.call(ADDRESS, "linked")
    shown = [*dict.fromkeys([*filled, *tabs, *fitted])]
    opened = demo.load(restore, panel.address, shown, js=link, **at_once)
    inputs = [*media.inputs, controls.question, results.key]
    given = opened.success(exports.call("opening_inputs"), inputs, [controls.question, *tabs], **at_once)
    loaded = panel.load.upload(exports.call("load"), [panel.load, results.key], [*filled, panel.note], **quiet)
    given.success(None, results.explorer, None, js=scripts.call(ADDRESS, "begin"), api_visibility="private")
    return [loaded, opened]


def _maker(exports: PerModel[Exports], kind: str) -> Callable:
    """As `Exports.maker`, of the model that answers when files are asked for."""

    @functools.wraps(exports.first.maker(kind))
    def make(*args):
        return exports.now.maker(kind)(*args)

    return make


def enable(exports: PerModel[Exports], done: list[Dependency]) -> None:
    """After every run there is something to take."""
    panel, key = exports.first.results.exports, exports.first.results.key
    for run in done:
        run.success(
            exports.call("ready"),
            key,
            [panel.code, *panel.buttons.values()],
            show_progress="hidden",
            api_visibility="private",
        )
