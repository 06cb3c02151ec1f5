"""Waiting: who asks and when to stop, for the lines in front of the decoder and the model, and what is shown there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import gradio as gr
from gradio.context import LocalContext

from aim_core.turns import Asker
from page.i18n import strings

RUNS_AT_ONCE = 32  # that wait in lines of this app; further ones wait in Gradio's
MODEL_LINE: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": RUNS_AT_ONCE}  # of an event
EXPORT_LINE: dict[str, Any] = {"concurrency_id": "exports", "concurrency_limit": 2}
SWEEP_LINE: dict[str, Any] = {"concurrency_id": "sweeps", "concurrency_limit": 4}  # which share the model cell by cell


def waiting(line: Literal["file", "model"], stop: Callable[[], bool], now: str = "", share: float = 0.0) -> Asker:
    """The visitor whose event is being answered, who is shown how many turns come before.

    now, share: what the bar says once it is this visitor's turn, if anything, and how far it is then.
    """
    show, texts = gr.Progress(), strings()
    client = getattr(LocalContext.request.get(None), "client", None)
    sentence, now = texts.WAITING[line], now or {"file": texts.READING, "model": ""}[line]
    return Asker(
        name=str(getattr(client, "host", "")),
        stop=stop,
        on_wait=lambda before: show(share, sentence.format(count=before + 1)),
        on_turn=lambda: show(share, now) if now else None,
        ident=LocalContext.event_id.get(None) or "",
    )
