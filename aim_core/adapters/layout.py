"""Layout: which rows of a prompt are visual, and which patch of which image or frame each of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from aim_core.ops.merging import Merged
from aim_core.ops.tower_attention import TowerAttention
from aim_core.view import View


@dataclass(frozen=True, eq=False)
class ViewSpan:
    """The patches of one view and where they are; tokens are merged inside a view only.

    rows: (n,) int64, the row of each patch in raster order; n = view.grid rows x columns. In a `MediaSpan` counted
          among its own rows, in a `Layout` among the prompt's.
    merged: how the view was merged before the projector, where a family does that.
    tower:  (1 view, n) what the vision tower says of the patches, where a method asked for it.
    """

    view: View
    rows: Tensor
    merged: Merged | None = None
    tower: TowerAttention | None = None


@dataclass(frozen=True, eq=False)
class MediaSpan:
    """What an image or a video puts into a prompt: `num_rows` rows, in order, in the places made for them.

    Rows that belong to no view (newlines) may be pruned as visual tokens are, but are never merged.
    """

    num_rows: int
    views: tuple[ViewSpan, ...]


@dataclass(frozen=True, eq=False)
class AudioChunk:
    """A few seconds of a sound; its tokens are merged inside it only.

    rows:  (n,) int64, the rows of the prompt of its tokens, ascending.
    sound: index of the sound in the prompt.
    first: the number of its first token among those of the sound.
    """

    rows: Tensor
    sound: int
    first: int


@dataclass(frozen=True, eq=False)
class Layout:
    """The rows of one prompt that are no text.

    views:  with rows counted in the prompt.
    visual: (v,) int64, ascending, all visual rows.
    audio:  chunks in the order of the prompt; no row of them is visual.
    """

    views: tuple[ViewSpan, ...]
    visual: Tensor
    audio: tuple[AudioChunk, ...] = ()


def assign_rows(places: Tensor, media: Sequence[MediaSpan]) -> Layout:
    """Give the places made for visual tokens, (v,) rows of a prompt, to its media in turn.

    Raises ValueError if there are more or fewer places than the media have rows.
    """
    if sum(medium.num_rows for medium in media) != len(places):
        raise ValueError(f"the prompt has {len(places)} places for {sum(m.num_rows for m in media)} visual tokens")
    views, start = [], 0
    for medium in media:
        own = places[start : start + medium.num_rows]
        views += [replace(part, rows=own[part.rows.to(own.device)]) for part in medium.views]
        start += medium.num_rows
    return Layout(tuple(views), places)


def assign_media(is_placeholder: Tensor, media: Sequence[MediaSpan]) -> list[Layout]:
    """A layout for each sample of a batch: places (B, N) bool, media of all samples in order.

    `generate` repeats each prompt for beams and for several answers, but its media were encoded once: if there
    are places for whole multiples of the media, each layout serves that many neighbours.
    Raises ValueError if places and media do not match.
    """
    num_rows, num_places = sum(medium.num_rows for medium in media), int(is_placeholder.sum())
    times, rest = divmod(num_places, num_rows) if num_rows else (0, 1)
    if rest or not times or len(is_placeholder) % times:
        raise ValueError(
            f"the prompt has {num_places} places for {num_rows} visual tokens: pass all of it at once, without "
            "prefill_chunk_size, with the images and videos it was made for"
        )
    queue, layouts = list(media), []
    for places in is_placeholder[::times]:
        rows = places.nonzero()[:, 0]
        own: list[MediaSpan] = []
        while queue and sum(medium.num_rows for medium in own) < len(rows):
            own.append(queue.pop(0))
        layouts += [assign_rows(rows, own)] * times
    return layouts


def audio_chunks(is_audio: Tensor, is_start: Tensor, length: int) -> tuple[AudioChunk, ...]:
    """The audio rows of one prompt, chunk by chunk.

    is_audio, is_start: (N,) bool, rows of audio tokens, and of the marks that stand before each sound.
    length: tokens of a chunk; a sound's last one may have fewer.
    """
    rows = is_audio.nonzero()[:, 0]
    sounds, found = is_start.cumsum(0)[rows], []
    for sound, own in enumerate(rows[sounds == number] for number in sounds.unique()):
        starts = range(0, len(own), length)
        found += [AudioChunk(part, sound, first) for first, part in zip(starts, own.split(length), strict=True)]
    return tuple(sorted(found, key=lambda chunk: int(chunk.rows[0])))


def consecutive(view: View, start: int) -> ViewSpan:
    """The usual case: a view whose patches fill consecutive rows from `start` on."""
    rows, columns = view.grid
    return ViewSpan(view, torch.arange(start, start + rows * columns))
