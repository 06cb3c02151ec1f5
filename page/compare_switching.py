"""Compare switching: the picker on the page that compares, and that page as it is for another model."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import gradio as gr

from page import layout_shared
from page.checks import guarded
from page.compare_handlers import CompareHandlers
from page.components.estimate.component import FRAMES
from page.components.models.component import ModelsPanel
from page.layout import MediaInputs, Update
from page.per_model import PerModel
from page.server.settings import ServerSettings
from page.state.models import Models
from page.switching import USUAL_FRAMES, Picker


class CompareSwitching(Picker):
    """What has been compared stays, with the name of its model. fitted: the components that change with a model."""

    def __init__(
        self,
        models: Models,
        compared: PerModel[CompareHandlers],
        panel: ModelsPanel,
        media: MediaInputs,
        frames: gr.Slider,
        samples: dict[Path, list[gr.Column]],
        settings: ServerSettings,
    ):
        """samples: see `layout_shared.samples_by_folder`."""
        super().__init__(models, panel, settings)
        self.compared, self.media, self.frames, self.samples = compared, media, frames, samples
        columns = chain.from_iterable(samples.values())
        self.fitted: list[Any] = [panel, frames, media.video_tab, media.tabs, media.shown, *columns]
        self.connect(self.fit, [frames], self.fitted)

    @guarded
    def fit(self, num_frames) -> Update:
        """The page as it is for the model that answers now."""
        loaded, media = self.models.now, self.media
        has_frames = "video" in loaded.engine.adapter.modalities
        many = num_frames if isinstance(num_frames, int | float) and num_frames > 1 else FRAMES
        update: Update = {
            self.panel: self.record(USUAL_FRAMES, is_fitted=True),
            self.frames: gr.update(value=many if has_frames else 1, visible=has_frames),
            media.video_tab: gr.update(visible=has_frames),
        }
        pictures = {} if has_frames else {media.shown: "image", media.tabs: gr.Tabs(selected="image")}
        return update | pictures | layout_shared.samples_shown(self.samples, loaded)

    @guarded
    def restore(self, link) -> Update:
        """What a link sets, see `CompareHandlers.restore`, on a page fitted to the model that answers."""
        found = self.compared.now.restore(link)
        update: Update = {} if "__type__" in found else found
        if self.models.now is self.models.first:
            return update | {self.panel: self.record(USUAL_FRAMES, is_fitted=True)}
        fitted = self.fit(update.get(self.frames))
        frames = {self.frames: fitted[self.frames]} if self.frames in update else {}
        return fitted | update | frames
