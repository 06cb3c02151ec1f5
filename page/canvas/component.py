"""TokenExplorer: the canvas as a Gradio component. Python hands over a result; the rest happens in the browser."""

from __future__ import annotations

import gradio as gr
from gradio.data_classes import FileData, GradioModel

from aim_core.result import Result
from page import assets
from page.canvas.frames import pictures
from page.canvas.records import explorer_record
from page.served import served
from page.spoken import both
from visual.palette import browser_palette

SCRIPTS = (
    "run", "merging", "ranking", "naming", "marks", "layout", "paint", "overlays", "life", "timeline", "reading",
    "stage", "stepper", "controls", "explorer",
)  # fmt: skip


class ExplorerData(GradioModel):
    """Frames as files that Gradio serves, and `explorer_record` of the same run."""

    frames: list[FileData]
    record: dict


class TokenExplorer(gr.HTML):
    """Frames of a run with everything that happened to their visual tokens."""

    data_model = ExplorerData

    def __init__(self, **kwargs):
        super().__init__(
            html_template=assets.text("canvas/explorer.html"),  # static: nothing a visitor types gets into it
            css_template=assets.text("canvas/explorer.css"),
            js_on_load=assets.text("script/common.js", *(f"canvas/{name}.js" for name in SCRIPTS)),
            apply_default_css=False,
            words=both("EXPLORER"),
            palette=browser_palette(),
            **kwargs,  # Gradio makes it again with arguments of its own
        )

    def preprocess(self, payload: ExplorerData | None) -> None:
        """The browser never sends a run back."""

    def postprocess(self, value: Result | None) -> ExplorerData | None:
        if value is None:
            return None
        frames = served(pictures(value.trace), self.GRADIO_CACHE)
        return ExplorerData(frames=frames, record=explorer_record(value.trace, value.by_hand))

    def api_info(self) -> dict:
        return {"type": "object"}
