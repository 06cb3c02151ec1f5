"""Panel: the base class of the components that draw in the browser."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from page import assets, scripts
from page.i18n import by_language


class Panel(gr.HTML):
    """A component whose value is a JSON record, drawn by a script; what a visitor typed is shown as text nodes only."""

    def __init__(self, name: str, texts: str, events: tuple[str, ...] = (), fixed: dict | None = None, **kwargs):
        """name: of a folder in page/components/, with files of this name that end in .html, .css and .js, which is a
        module that exports `start`. texts: their name in the locales. events: what the script triggers. fixed: what
        else the script reads, which never changes.
        """
        self.folder, self.entry = name, f"components/{name}/{name}.js"
        self.fixed = {"texts": by_language(texts), **(fixed or {})}
        super().__init__(
            html_template=assets.text(f"components/{name}/{name}.html"),  # static: nothing a visitor types gets into it
            css_template=assets.text("components/common.css", f"components/{name}/{name}.css"),
            js_on_load=scripts.start(self.entry, events),
            apply_default_css=False,
            fixed=json.dumps(self.fixed),  # one text: Gradio copies each part of a property at each step of each run
            **kwargs,  # Gradio makes it again with arguments of its own
        )

    def preprocess(self, payload: Any) -> Any:
        """The browser never sends a record back."""
        return None

    def postprocess(self, value: Any) -> Any:
        return value

    def api_info(self) -> dict:
        return {"type": "object"}
