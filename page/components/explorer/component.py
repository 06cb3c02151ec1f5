"""Token explorer: a canvas with every view of a run and its visual tokens; all interaction happens in the browser."""

from __future__ import annotations

from typing import Any

from gradio.data_classes import FileData, GradioModel

from page.components.base import Panel
from page.components.explorer.record import explorer_record
from page.state.frame_files import write_frames
from visual.palette import browser_palette
from visual.view_pictures import view_pictures


class ExplorerData(GradioModel):
    """Pictures of the views as files that Gradio serves, and `explorer_record` of the same run.

    seen: the views as the model got them; empty where that is not known.
    """

    pictures: list[FileData]
    seen: list[FileData]
    record: dict


class TokenExplorer(Panel):
    """Frames of a run with everything that happened to their visual tokens."""

    data_model = ExplorerData

    def __init__(self, **kwargs):
        super().__init__("explorer", "EXPLORER", events=("overrides",), fixed={"palette": browser_palette()}, **kwargs)

    def postprocess(self, value: Any) -> Any:
        """value: a `Result` or None; returns ExplorerData."""
        if value is None:
            return None
        pictures = write_frames(view_pictures(value.trace), self.GRADIO_CACHE)
        seen = write_frames(list(value.pictures), self.GRADIO_CACHE)
        record = explorer_record(value.trace, value.overrides, value.pictures)
        return ExplorerData(pictures=pictures, seen=seen, record=record)
