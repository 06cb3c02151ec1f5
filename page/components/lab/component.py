"""Lab panel: what a sweep costs, how far it is, and its settings as a table and as points with their Pareto front."""

from __future__ import annotations

from page.components.base import Panel
from page.components.lab.published import SOURCE, published
from visual.palette import browser_palette


class LabPanel(Panel):
    """Shows `lab_record`."""

    def __init__(self, **kwargs):
        fixed = {"palette": browser_palette(), "published": published(), "source": SOURCE}
        super().__init__("lab", "LAB", fixed=fixed, **kwargs)
