"""Compare panel: methods at one cost in a table that is sorted by any column, their tokens by layer, and the frames of
all with what survived, linked."""

from __future__ import annotations

from typing import Any, NamedTuple

from gradio.data_classes import FileData, GradioModel

from aim_core.trace import Trace
from page.components.base import Panel
from page.state.frame_files import write_frames
from visual.palette import browser_palette
from visual.view_pictures import view_pictures


class CompareData(GradioModel):
    """Pictures of the views as files that Gradio serves, and `compare_record`."""

    pictures: list[FileData]
    record: dict


class Compared(NamedTuple):
    """A run whose views are drawn, and `compare_record` of all runs."""

    trace: Trace
    record: dict


class ComparePanel(Panel):
    """Shows what each method made of one question."""

    data_model = CompareData

    def __init__(self, **kwargs):
        super().__init__("compare", "COMPARE", fixed={"palette": browser_palette()}, **kwargs)

    def postprocess(self, value: Any) -> Any:
        """value: a `Compared` or None; returns CompareData."""
        if value is None:
            return None
        return CompareData(pictures=write_frames(view_pictures(value.trace), self.GRADIO_CACHE), record=value.record)
