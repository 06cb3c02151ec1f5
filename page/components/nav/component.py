"""Nav panel: the pages of the app, each at its own address."""

from __future__ import annotations

from page.components.base import Panel

PAGES = {"explore": "", "explain": "explain", "compare": "compare", "lab": "lab"}  # name → path below the app's address


class NavPanel(Panel):
    """Has no value: its links are fixed. Gradio's own bar knows one language, see `Blocks.route`."""

    def __init__(self, here: str = "explore", **kwargs):
        """here: the page that it stands on, one of `PAGES`."""
        super().__init__("nav", "NAV", fixed={"here": here, "pages": PAGES}, **kwargs)
