"""Blocks: Gradio's, which answers whatever goes wrong with a sentence, and puts it into the record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Sequence
from typing import Any

import gradio as gr
from gradio.exceptions import ComponentProcessingError, InvalidPathError
from starlette.routing import Route

from page.checks import is_disk_full, refusal
from page.i18n import strings
from page.server.queue import FairQueue
from page.server.record import Record, noting
from page.server.settings import ServerSettings

_log = logging.getLogger(__name__)


class PageBlocks(gr.Blocks):
    """The blocks of the page with settings, a record and a queue of their own, from `settle` on."""

    settings: ServerSettings
    record: Record
    fair_queue: FairQueue
    _api_info: Any = None
    tidied: Sequence[Callable[[], object]] = ()  # called now and then
    more_routes: Sequence[Route] = ()  # of the page itself

    def settle(self, settings: ServerSettings, under_way: Callable[[], Container[str]]) -> None:
        """Take what was connected so far into a fair queue that nothing goes round.

        under_way: numbers of the events that are truly worked on, and do not wait for the model or for a decoder.
        """
        for fn in self.fns.values():
            fn.queue = fn.fn is not None  # Gradio's examples would go round it
        self.queue(api_open=False)
        self.settings, self.record = settings, Record()
        self._queue = self.fair_queue = FairQueue(self, settings, self.record, under_way)

    def is_open(self, session: str) -> bool:
        """Whether a session's page has not been closed, as far as is known."""
        state = self.state_holder.session_data.get(session)
        return state is not None and not state.is_closed

    def numbers(self) -> set[int]:
        return {*self.fns}

    def has_place(self, session: str | None, address: str) -> bool:
        return self.fair_queue.has_place(session, address)

    def names(self) -> set[str]:
        return {str(fn.api_name) for fn in self.fns.values()}

    def api_has_changed(self) -> None:
        """What is told about the endpoints is to be made anew."""
        self._api_info = None
        if app := getattr(self, "app", None):
            app.page_api_info.clear()

    def parameters(self, name: str) -> dict[str, bool] | None:
        if self._api_info is None:
            self._api_info = self.get_api_info() or {}
        endpoint = self._api_info.get("named_endpoints", {}).get(f"/{name}")
        return endpoint and {one["parameter_name"]: one["parameter_has_default"] for one in endpoint["parameters"]}

    async def process_api(self, block_fn: Any, inputs: list[Any], *args: Any, **more: Any) -> dict[str, Any]:
        """As Gradio's, of which nothing but gr.Error comes, with `why` in the notes of its event."""
        with noting(self.fair_queue.notes.get(more.get("event_id") or "", {})) as notes:
            try:
                return await super().process_api(block_fn, inputs, *args, **more)
            except gr.Error as error:
                notes["why"] = getattr(error, "why", "refused")
                raise
            except Exception as error:
                is_told_with_values = isinstance(error, ComponentProcessingError)
                cause = error.__cause__ if is_told_with_values else error
                if is_disk_full(cause):
                    notes["why"] = "disk"
                    raise refusal(strings().DISK_FULL, "disk") from error
                notes["why"] = "wrong"
                _log.error("a request failed", exc_info=cause)
                raise refusal(strings().WENT_WRONG, "wrong") from error

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **more: Any) -> Any:
        """As Gradio's; what its components cannot take is bad input, and no failure of ours."""
        try:
            return await super().preprocess_data(block_fn, inputs, *args, **more)
        except gr.Error as error:
            error.print_exception = False
            raise
        except InvalidPathError as error:
            raise refusal(strings().REFUSED["elsewhere"], "file") from error
        except Exception as error:
            raise refusal(strings().BAD_INPUT, "settings") from error
