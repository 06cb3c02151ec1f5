"""Token explorer: a canvas with every view of a run and its visual tokens; all interaction happens in the browser."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from gradio.data_classes import FileData, GradioModel

from aim_core.result import Result
from page.components.base import Panel
from page.components.explorer.record import explorer_record
from page.state.frame_files import write_frames
from visual.palette import browser_palette
from visual.view_pictures import view_pictures


class ExplorerData(GradioModel):
    """Pictures of the views as files that Gradio serves, and `explorer_record` of the same run.

    seen:    the views as the model got them; empty where that is not known.
    hand:    `by_hand_record`.
    refused: {"sentence", "at"}: why marks were refused, and when, in seconds since 1970.
    """

    pictures: list[FileData]
    seen: list[FileData]
    record: dict
    hand: dict | None = None
    refused: dict | None = None


class Explored(NamedTuple):
    """A run, what marks did to its answer, and why other marks were refused just now."""

    result: Result
    hand: dict | None = None
    refused: str = ""


class TokenExplorer(Panel):
    """Frames of a run with everything that happened to their visual tokens."""

    data_model = ExplorerData

    def __init__(self, **kwargs):
        super().__init__("explorer", "EXPLORER", events=("overrides",), fixed={"palette": browser_palette()}, **kwargs)

    def postprocess(self, value: Any) -> Any:
        """value: an `Explored` or None; returns ExplorerData."""
        if value is None:
            return None
        run = value.result
        pictures = write_frames(view_pictures(run.trace), self.GRADIO_CACHE)
        seen = write_frames(list(run.pictures), self.GRADIO_CACHE)
        record = explorer_record(run.trace, run.overrides, run.pictures)
        refused = {"sentence": value.refused, "at": time.time()} if value.refused else None
        return ExplorerData(pictures=pictures, seen=seen, record=record, hand=value.hand, refused=refused)
