"""Panel: the base class of the components that draw in the browser."""

from __future__ import annotations

from typing import Any

import gradio as gr

from page import assets, scripts
from page.i18n import by_language


class Panel(gr.HTML):
    """A component whose value is a JSON record, drawn by a script; what a visitor typed is shown as text nodes only."""

    def __init__(self, name: str, texts: str, events: tuple[str, ...] = (), **kwargs):
        """name: of a folder in page/components/, with files of this name that end in .html, .css and .js, which is a
        module that exports `start`. texts: their name in the locales. events: what the script triggers. Everything
        else is a property that the script reads.
        """
        self.entry = f"components/{name}/{name}.js"
        super().__init__(
            html_template=assets.text(f"components/{name}/{name}.html"),  # static: nothing a visitor types gets into it
            css_template=assets.text("components/common.css", f"components/{name}/{name}.css"),
            js_on_load=scripts.start(self.entry, events),
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
