"""Panel: the base class of the components that draw in the browser."""

from __future__ import annotations

from typing import Any

import gradio as gr

from page import assets
from page.i18n import by_language


class Panel(gr.HTML):
    """A component whose value is a JSON record, drawn by a script; what a visitor typed is shown as text nodes only."""

    def __init__(self, template: str, scripts: tuple[str, ...], texts: str, **kwargs):
        """template: .html and .css under page/, without ending; scripts: under page/, after the common one; texts:
        their name in the locales. Everything else is a property that the script reads.
        """
        super().__init__(
            html_template=assets.text(f"{template}.html"),  # static: nothing a visitor types gets into it
            css_template=assets.text(f"{template}.css"),
            js_on_load=assets.text("components/common.js", *scripts),
            apply_default_css=False,
            texts=by_language(texts),
            **kwargs,  # Gradio makes it again with arguments of its own
        )

    def preprocess(self, payload: Any) -> Any:
        """The browser never sends a record back."""
        return None

    def postprocess(self, value: Any) -> Any:
        return value

    def api_info(self) -> dict:
        return {"type": "object"}
