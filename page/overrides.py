"""Overrides: patches that the reader protects or removes in the explorer, checked before they reach the model."""

from __future__ import annotations

import gradio as gr

from aim_core.overrides import Mark, TokenOverrides
from aim_core.trace import Trace
from page.checks import refusal
from page.i18n import strings


def checked_overrides(sent: object, trace: Trace) -> TokenOverrides:
    """{"protect": [[view, patch], ...], "remove": [...]} as overrides of this trace's patches.

    Anything else, also a patch that the frames do not have, is refused with a sentence.
    """
    if not isinstance(sent, dict) or not set(sent) <= {"protect", "remove"}:
        raise _refused()
    try:
        return TokenOverrides(*(_pairs(sent.get(name, []), trace) for name in ("protect", "remove")))
    except ValueError as error:
        raise refusal(strings().BAD_OVERRIDES_BOTH.format(reason=error), "overrides") from error


def _pairs(sent: object, trace: Trace) -> tuple[Mark, ...]:
    if not isinstance(sent, list) or len(sent) > trace.group.size:
        raise _refused()
    return tuple(_pair(pair, trace) for pair in sent)


def _pair(sent: object, trace: Trace) -> Mark:
    if not isinstance(sent, list) or len(sent) != 2 or any(type(number) is not int for number in sent):
        raise _refused()
    view, patch = sent
    num_views, num_patches = trace.group.shape
    if not (0 <= view < num_views and 0 <= patch < num_patches) or trace.group[view, patch] < 0:
        raise _refused()
    return view, patch


def _refused() -> gr.Error:
    return refusal(strings().BAD_OVERRIDES, "overrides")
