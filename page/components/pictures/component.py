"""Pictures panel: the pictures of one question in their order; the image upload has the first, this has the others."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioRootModel

from page import scripts
from page.checks import MAX_PICTURES
from page.components.base import Panel

_ORDER = "components/pictures/order.js"


class FurtherPictures(GradioRootModel):
    """Uploaded files."""

    root: list[FileData]


class PicturesPanel(Panel):
    """Its value in Python is a tuple of the paths of the pictures after the first, unopened."""

    data_model = FurtherPictures

    def __init__(self, **kwargs):
        super().__init__("pictures", "PICTURES_PANEL", events=("order",), fixed={"most": MAX_PICTURES}, **kwargs)

    def preprocess(self, payload: Any) -> Any:
        """payload: `FurtherPictures` or None."""
        return tuple(file.path for file in payload.root) if payload else ()

    def postprocess(self, value: Any) -> Any:
        """value: paths; returns FurtherPictures."""
        return FurtherPictures(root=[FileData(path=str(path)) for path in value or ()])

    def example_payload(self) -> list:
        return []

    def follow(self, image: gr.Image) -> None:
        """Keep one order of the first picture, in its upload, and the further ones, without a request."""
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        both = [image, self]
        gr.on([image.change], None, both, both, js=scripts.call(_ORDER, "settled"), **quiet)
        self.order(None, None, both, js=scripts.call(_ORDER, "ordered"), **quiet)
