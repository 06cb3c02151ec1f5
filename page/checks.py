"""Checks on what a visitor or an API caller sends, each problem as one sentence that says what to do."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
from collections.abc import Callable
from numbers import Real

import gradio as gr
import torch

from aim_core.config import AimConfig
from aim_core.media.errors import MediaError

MAX_WORDS, MAX_LETTERS = 200, 2000
MAX_FRAMES = 32
_log = logging.getLogger(__name__)


def checked_question(question: object) -> str:
    """The question without spaces around it."""
    text = str(question or "").strip()
    if not text:
        raise gr.Error("Type a question first.", title="No question")
    if len(text.split()) > MAX_WORDS or len(text) > MAX_LETTERS:
        count = f"{len(text.split()):,} words"
        raise gr.Error(f"The question has {count}; ask in at most {MAX_WORDS}.", title="Question too long")
    return text


def checked_config(keep_ratio: object, l1: object, l2: object) -> AimConfig:
    """Slider values as a configuration."""
    try:
        return AimConfig(float(keep_ratio), _whole("l1", l1), _whole("l2", l2))
    except (TypeError, ValueError) as error:
        raise gr.Error(f"These settings do not work: {error}.", title="Settings") from error


def checked_frames(num_frames: object) -> int:
    """How many frames to sample."""
    try:
        count = _whole("the number of frames", num_frames)
    except ValueError as error:
        raise gr.Error(f"These settings do not work: {error}.", title="Settings") from error
    if not 1 <= count <= MAX_FRAMES:
        raise gr.Error(f"Choose between 1 and {MAX_FRAMES} frames, not {count}.", title="Settings")
    return count


def checked_media(shown: object, other: object) -> str:
    """The path of the upload on the open tab, else of the one on the other."""
    path = shown or other
    if not path:
        raise gr.Error("Upload a video or an image, or pick a sample, then press Run.", title="Nothing to look at")
    return str(path)


def guarded(handler: Callable) -> Callable:
    """A handler, plain or a generator, that raises sentences only; details go to the log, never to the page."""

    @functools.wraps(handler)
    def safe(*args, **kwargs):
        with sentences():
            return handler(*args, **kwargs)

    @functools.wraps(handler)
    def safe_steps(*args, **kwargs):
        with sentences():
            yield from handler(*args, **kwargs)

    return safe_steps if inspect.isgeneratorfunction(handler) else safe


@contextlib.contextmanager
def sentences():
    """Raise gr.Error with one sentence for whatever goes wrong inside."""
    try:
        yield
    except gr.Error:
        raise
    except MediaError as error:
        raise gr.Error(str(error), title="This file cannot be used") from error
    except (MemoryError, torch.OutOfMemoryError) as error:
        _log.exception("out of memory")
        raise gr.Error("Not enough memory. Use fewer frames or a smaller model.", title="Memory") from error
    except Exception as error:
        _log.exception("a request failed")
        raise gr.Error("Something went wrong here. Try again or try another file.", title="Sorry") from error


def _whole(name: str, value: object) -> int:
    is_whole = isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer()
    if not is_whole:
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    return int(value)
