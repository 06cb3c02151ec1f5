"""Bar panel: at the bottom of a narrow window Run, Stop, the slider that was last moved, and both answers in a line."""

from __future__ import annotations

from page.components.base import Panel
from visual.palette import browser_palette


class BarPanel(Panel):
    """Has no value: its script reads the page's own controls and works them."""

    def __init__(self, **kwargs):
        super().__init__("bar", "BAR", fixed={"palette": browser_palette()}, **kwargs)
