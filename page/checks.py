"""Checks on what a visitor or an API caller sends, each problem as one sentence that says what to do."""

from __future__ import annotations

import contextlib
import errno
import functools
import inspect
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import gradio as gr
import torch

from aim_core.adapters.base import Adapter
from aim_core.config import AimConfig
from aim_core.media.errors import MediaError
from aim_core.media.frames import Frames
from page.i18n import strings
from page.media_errors import media_error

MAX_WORDS, MAX_LETTERS = 200, 2000
MAX_FRAMES = 32
MAX_PICTURES = 8  # with one question
MAX_SIDE = 100_000  # pixels that a side may be said to have
_log = logging.getLogger(__name__)


class Refusal(gr.Error):
    """What tells a visitor that something cannot be done; expected, so its traceback is not for the server's log."""

    def __init__(self, sentence: str, why: str):
        """why: a word for the log, which is the name of its title in TITLES."""
        super().__init__(_as_text(sentence), title=strings().TITLES[why], print_exception=False)
        self.why = why


def _as_text(sentence: str) -> str:
    """What the page, which takes a sentence for HTML, shows as the text that it is: visitors name files in it."""
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", sentence)


def refusal(sentence: str, title: str) -> Refusal:
    """A sentence under a title of TITLES, to be raised."""
    return Refusal(sentence, title)


def checked_question(question: object) -> str:
    """The question without spaces around it."""
    if not isinstance(question, str | None):
        raise refusal(strings().BAD_QUESTION, "question")
    text = (question or "").strip()
    if not text:
        raise refusal(strings().NO_QUESTION, "question")
    if (words := len(text.split())) > MAX_WORDS:
        raise refusal(strings().LONG_QUESTION.format(count=f"{words:,}", most=MAX_WORDS), "long")
    if len(text) > MAX_LETTERS:
        raise refusal(strings().LONG_LETTERS.format(count=f"{len(text):,}", most=f"{MAX_LETTERS:,}"), "long")
    return text


def checked_config(
    keep_ratio: Any, l1: object, l2: object, least_l1: int = 0, audio_keep_ratio: Any = 1.0, audio_floor: Any = 1.0
) -> AimConfig:
    """Slider values as a configuration. least_l1: the model's earliest."""
    try:
        config = replace(
            AimConfig(float(keep_ratio), _whole("l1", l1), _whole("l2", l2)),
            audio_keep_ratio=float(audio_keep_ratio),
            audio_floor=float(audio_floor),
        )
        if config.l1 < least_l1:
            raise ValueError(strings().EARLY.format(least=least_l1, l1=config.l1))
        return config
    except (TypeError, ValueError) as error:
        raise refusal(strings().BAD_SETTINGS.format(reason=error), "settings") from error


def checked_frames(num_frames: object) -> int:
    """How many frames to sample."""
    try:
        count = _whole(strings().NUM_FRAMES, num_frames)
    except ValueError as error:
        raise refusal(strings().BAD_SETTINGS.format(reason=error), "settings") from error
    if not 1 <= count <= MAX_FRAMES:
        raise refusal(strings().BAD_FRAMES.format(most=MAX_FRAMES, count=count), "settings")
    return count


def shown_file(video: str | None, image: str | None, tab: object) -> str | None:
    """The path of the upload on the open tab, "video" or "image", else of the one on the other; None without any."""
    return (image or video) if tab == "image" else (video or image)


def shown_files(video: str | None, image: str | None, tab: object, more: object) -> tuple[str, ...]:
    """`shown_file`, and where that is a picture, the further ones beside it."""
    path = shown_file(video, image, tab)
    further = more if path == image and isinstance(more, list | tuple) else ()
    return (str(path), *map(str, further)) if path else ()


def extras(rest: Sequence[object]) -> tuple[tuple, tuple]:
    """What an event tells beside the settings that every model has: what the controls of sound say, in their order, and
    further pictures. Either may be left out."""
    pictures = next((tuple(one) for one in rest if isinstance(one, list | tuple)), ())
    return tuple(one for one in rest if not isinstance(one, list | tuple)), pictures


def checked_media(video: str | None, image: str | None, tab: object, more: object = ()) -> tuple[str, ...]:
    """The paths of the uploads that are meant, see `shown_files`."""
    paths = shown_files(video, image, tab, more)
    if not paths:
        raise refusal(strings().NO_MEDIA, "media")
    if len(paths) > MAX_PICTURES:
        raise refusal(strings().MANY_PICTURES.format(most=MAX_PICTURES, count=len(paths)), "media")
    return paths


def checked_one_file(video: object, image: object) -> str:
    """The path of the one file that a program asks about."""
    if video and image:
        raise refusal(strings().TWO_FILES, "media")
    if not (video or image):
        raise refusal(strings().NO_FILE, "media")
    return str(video or image)


def checked_size(height: object, width: object) -> tuple[int, int]:
    """Height and width of frames in pixels."""
    try:
        size = _whole("height", height), _whole("width", width)
        if not all(1 <= side <= MAX_SIDE for side in size):
            raise ValueError(strings().BAD_SIZE.format(most=MAX_SIDE, height=size[0], width=size[1]))
    except ValueError as error:
        raise refusal(strings().BAD_SETTINGS.format(reason=error), "settings") from error
    return size


def checked_kind(adapter: Adapter, frames: Frames) -> None:
    """Refuse a video where the family reads pictures only, and several pictures where it reads one at a time."""
    if frames.sizes and not adapter.several_pictures:
        raise refusal(strings().ONE_PICTURE.format(count=len(frames.sizes)), "media")
    if not frames.sizes and len(frames.frames) > 1 and "video" not in adapter.modalities:
        raise refusal(strings().PICTURES_ONLY, "media")


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
        raise refusal(media_error(str(error)), "file") from error
    except (MemoryError, torch.OutOfMemoryError) as error:
        _log.exception("out of memory")
        raise refusal(strings().NO_MEMORY, "memory") from error
    except Exception as error:
        if is_disk_full(error):
            _log.error("the disk is full")
            raise refusal(strings().DISK_FULL, "disk") from error
        _log.exception("a request failed")
        raise refusal(strings().WENT_WRONG, "wrong") from error


def is_disk_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _whole(name: str, value: object) -> int:
    if not isinstance(value, Real) or isinstance(value, bool) or not float(value).is_integer():
        raise ValueError(strings().NOT_WHOLE.format(name=name, value=repr(value)))
    return int(float(value))
