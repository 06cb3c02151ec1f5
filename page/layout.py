"""Layout: the components of the page by name; what a handler returns is one value for each of them that changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

Update = dict[Any, Any]  # component → its new value; Gradio leaves the other outputs of an event as they are


@dataclass(frozen=True, eq=False)
class MediaInputs:
    """A video and an image, each on its tab.

    more: further pictures that a question is about beside the image.
    shown: name of the open tab, "video" or "image". opened: for each tab, the event of its being opened.
    """

    video: gr.Video
    image: gr.Image
    more: gr.HTML
    shown: gr.State
    tabs: gr.Tabs
    video_tab: gr.Tab
    video_samples: gr.Column
    image_samples: gr.Column
    opened: dict[str, Callable]

    @property
    def inputs(self) -> list[Component]:
        """As handlers take them."""
        return [self.video, self.image, self.shown]

    def holding(self, file: str, kind: str, more: Sequence[str] = ()) -> Update:
        """A file on the open tab of its kind, "video" or "image", and none on the other; more: pictures beside it."""
        files = {self.video: file if kind == "video" else None, self.image: file if kind == "image" else None}
        return files | {self.more: [*more], self.shown: kind, self.tabs: gr.Tabs(selected=kind)}


@dataclass(frozen=True, eq=False)
class Controls:
    """The question, the settings with what they will cost, Run and Stop."""

    question: gr.Textbox
    keep_ratio: gr.Slider
    l1: gr.Slider
    l2: gr.Slider
    num_frames: gr.Slider
    sound_box: gr.Column
    hears: gr.Checkbox
    audio_keep_ratio: gr.Slider
    audio_floor: gr.Slider
    details: gr.Checkbox
    estimate: gr.HTML
    run: gr.Button
    stop: gr.Button

    @property
    def sliders(self) -> list[gr.Slider]:
        """As handlers take them."""
        return [self.keep_ratio, self.l1, self.l2, self.num_frames]

    @property
    def sound(self) -> list[Any]:
        """Of a model that hears, as handlers take them last."""
        return [self.hears, self.audio_keep_ratio, self.audio_floor]


@dataclass(frozen=True, eq=False)
class Figures:
    """Still pictures and charts, drawn while their accordion is open."""

    box: gr.Accordion
    is_open: gr.State
    layer: gr.Slider
    scale: gr.Radio
    groups_legend: gr.Image
    groups: gr.Image
    groups_caption: gr.Markdown
    alive_legend: gr.Image
    alive: gr.Image
    alive_caption: gr.Markdown
    scores_legend: gr.Image
    scores: gr.Image
    scores_caption: gr.Markdown
    retained: gr.Plot
    sorted_scores: gr.Plot
    cost: gr.Plot

    @property
    def opened(self) -> list[Component]:
        """What opening the accordion sets."""
        return [self.is_open, self.groups_legend, self.alive_legend, self.scores_legend]

    @property
    def drawn(self) -> list[Component]:
        """What is drawn of a run."""
        return [
            self.groups,
            self.groups_caption,
            self.alive,
            self.alive_caption,
            self.scores,
            self.scores_caption,
            self.retained,
            self.sorted_scores,
            self.cost,
        ]


@dataclass(frozen=True, eq=False)
class ExportPanel:
    """Buttons by kind of file, and what they fill; `load` and `link` need no run. listed: what `files` shows, paths."""

    buttons: dict[str, gr.Button]
    files: gr.File
    listed: gr.State
    code: gr.Code
    link: gr.Button
    address: gr.Textbox
    load: gr.UploadButton
    note: gr.Markdown


@dataclass(frozen=True, eq=False)
class Talk:
    """What further questions are asked with. panel: shows what the caches hold, and the answers."""

    question: gr.Textbox
    ask: gr.Button
    anew: gr.Button
    panel: gr.HTML


@dataclass(frozen=True, eq=False)
class Results:
    """What a run fills. key: of the page's last run in the server's store."""

    asked: gr.HTML
    answers: gr.HTML
    comparison: gr.Markdown
    explorer: gr.HTML
    word_frames: gr.HTML
    first_token: gr.HTML
    summary: gr.JSON
    key: gr.State
    figures: Figures
    exports: ExportPanel
    talk: Talk

    @property
    def panels(self) -> list[Component]:
        """In the order in which /run returns them."""
        panels = [self.answers, self.comparison, self.asked, self.explorer, self.word_frames]
        return [*panels, self.first_token, self.summary]

    @property
    def answered(self) -> list[Component]:
        """Those that show what has been answered before all of a run is there."""
        return [self.asked, self.answers, self.first_token]

    @property
    def timed(self) -> list[Component]:
        """Those that show times, in the order in which /times returns them."""
        return [self.answers, self.comparison, self.summary]
