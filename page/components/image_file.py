"""An image upload that gives the path of the file unopened: the media process decodes it, not the app."""

from __future__ import annotations

import gradio as gr
from gradio.data_classes import ImageData


class ImageFile(gr.Image):
    """`gr.Image` whose value in Python is the path of the uploaded file, whatever is in it."""

    def get_block_name(self) -> str:
        return "image"  # the page draws it with the stock component

    def preprocess(self, payload: ImageData | None) -> str | None:
        return payload.path if payload else None
