"""Switching: the picker in the page's head, what it may ask for, and the page fitted to the model that answers."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aim_core.low_bits import WEIGHTS
from page import layout_inputs, layout_shared
from page.checks import MAX_FRAMES, guarded, refusal
from page.components.models.component import ADDRESS, EMBEDDED, ModelsPanel, models_record, state_record
from page.exports.handlers import Exports
from page.i18n import STRINGS, language, strings
from page.layout import Update
from page.per_model import PerModel
from page.server.settings import ServerSettings
from page.state.models import Models

USUAL_FRAMES = 8  # that memory is counted for where a page does not say


class Picker:
    """A picker of models in a page's head."""

    def __init__(self, models: Models, panel: ModelsPanel, settings: ServerSettings):
        self.models, self.panel, self.settings = models, panel, settings

    def connect(self, fit: Callable, shown: list[Any], fitted: list[Any]) -> None:
        """The picker's events; all are cheap, and none waits behind a run.

        fit: makes of the values of `shown` those of `fitted`, as they are for the model that answers now.
        """
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        self.panel.look(self.look, None, self.panel, trigger_mode="always_last", **quiet)
        self.panel.choose(self.choose, None, self.panel, **quiet)
        self.panel.fit(fit, shown, fitted, trigger_mode="always_last", **quiet)

    @guarded
    def look(self, event: gr.EventData):
        """The models that there are, with what each needs for the page's number of frames."""
        return self.record(_frames(event._data), weights=self._weights(event._data))

    @guarded
    def choose(self, event: gr.EventData):
        """Let another model answer, or stop the loading of one."""
        asked = event._data if isinstance(event._data, dict) else {}
        self._check_owner(asked.get("secret"))
        frames, weights = _frames(asked), self._weights(asked)
        if asked.get("stop") is True:
            self.models.stop()
            return self.record(frames, weights=weights)
        key = str(asked.get("key") or "").strip()
        choice = None if key == EMBEDDED else self.models.offered(key, weights)
        if choice is None and key != EMBEDDED:
            raise refusal(strings().NOT_OFFERED, "model")
        if not self.models.begin(choice, frames):
            raise refusal(strings().LOADING_ALREADY, "model")
        return self.record(frames, weights=weights)

    def record(self, num_frames: int, is_fitted: bool = False, weights: str = "") -> dict:
        return models_record(self.models, num_frames, self.settings.switchers, is_fitted, weights)

    def _weights(self, asked: object) -> str:
        """How a page says that weights are to be kept; as the server has it where it says nothing."""
        weights = asked.get("weights") if isinstance(asked, dict) else None
        return weights if weights in WEIGHTS else self.models.weights

    def _check_owner(self, secret: object) -> None:
        """Refuse who may not switch."""
        if self.settings.switchers == "all":
            return
        if self.settings.switchers == "nobody":
            raise refusal(strings().NO_SWITCHING, "model")
        given = secret if isinstance(secret, str) else ""
        if not hmac.compare_digest(given.encode(), self.settings.owner_key.encode()):
            raise refusal(strings().NOT_THE_OWNER, "model")


class Switching(Picker):
    """The picker of Explore, and the page as it is for another model. fitted: the components that change with it."""

    def __init__(
        self,
        models: Models,
        exports: PerModel[Exports],
        panel: ModelsPanel,
        notice: gr.Markdown,
        samples: dict[Path, list[gr.Column]],
        settings: ServerSettings,
    ):
        """samples: see `layout_shared.samples_by_folder`."""
        super().__init__(models, panel, settings)
        self.exports, self.notice, self.samples = exports, notice, samples
        self.media, self.controls = exports.first.media, exports.first.controls
        self.layer = exports.first.results.figures.layer
        self.connect(self.fit, [self.controls.estimate, self.media.video], self.fitted)

    @property
    def fitted(self) -> list[Any]:
        controls, tab = self.controls, self.media.video_tab
        return [
            self.panel,
            self.notice,
            *controls.sliders,
            controls.sound_box,
            *controls.sound,
            controls.details,
            controls.estimate,
            tab,
            self.media.tabs,
            self.media.shown,
            self.layer,
            *chain.from_iterable(self.samples.values()),
        ]

    def route(self) -> Route:
        """What a page asks again and again: how far a model is, and which one answers."""

        def state(request: Request) -> Response:
            return JSONResponse(state_record(self.models), headers={"Cache-Control": "no-store"})

        return Route(f"/{ADDRESS}", state)

    @guarded
    def fit(self, estimate, film=None) -> Update:
        """The page as it is for the model that answers now; results stay, with the name of theirs."""
        return self._fitted(estimate, film)

    @guarded
    def restore(self, link) -> Update:
        """What a page shows when it is opened, see `Exports.restore`, fitted to the model that answers."""
        found = self.exports.now.restore(link)
        update: Update = {} if "__type__" in found else found
        if self.models.now is self.models.first:
            return update | {self.panel: self.record(USUAL_FRAMES, is_fitted=True)}
        fitted = self._fitted(None)
        settings = (*self.controls.sliders, *self.controls.sound)
        both = {one: fitted[one] | {"value": update[one]} for one in settings if one in update}
        return fitted | update | both

    def _fitted(self, estimate: object, film: object = None) -> Update:
        loaded, depth = self.models.now, self.models.now.engine.num_layers
        usual = loaded.engine.adapter.default_config()
        layer = gr.update(maximum=depth - 1, value=min(usual.l1 + 1, depth - 1))
        fitted = layout_inputs.fitted(loaded, self.media, self.controls, estimate, film)
        return (
            fitted
            | layout_shared.samples_shown(self.samples, loaded)
            | {
                self.panel: self.record(USUAL_FRAMES, is_fitted=True),
                self.notice: layout_shared.told_of(loaded, STRINGS[language()]),
                self.layer: layer,
            }
        )


def _frames(asked: object) -> int:
    """The number of frames that a page says."""
    count = asked.get("frames") if isinstance(asked, dict) else None
    return count if type(count) is int and 1 <= count <= MAX_FRAMES else USUAL_FRAMES
