"""Recorder: what `aim` saw happen, prefill by prefill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

from aim_core.adapters.layout import AudioChunk, Layout
from aim_core.audio_trace import AudioTrace
from aim_core.forward.merged_prompt import MergedPrompt
from aim_core.layer_trace import LayerTrace
from aim_core.trace import Trace
from aim_core.view import View


@dataclass(frozen=True, eq=False)
class AudioRows:
    """Where the audio tokens of one prompt went.

    chunks:  in the order of the prompt.
    groups:  for each chunk (tokens,) int64, the audio row that each token ended in.
    seconds: that a token stands for.
    """

    chunks: tuple[AudioChunk, ...]
    groups: tuple[Tensor, ...]
    seconds: float

    def trace(self, kept: Sequence[Tensor], scores: Sequence[Tensor | None]) -> AudioTrace:
        """As NumPy records; kept: for each layer the audio rows that entered it; scores: theirs, where measured."""
        sizes = [len(chunk.rows) for chunk in self.chunks]
        number = [chunk.first + np.arange(size) for chunk, size in zip(self.chunks, sizes, strict=True)]
        return AudioTrace(
            np.repeat([chunk.sound for chunk in self.chunks], sizes),
            np.repeat(np.arange(len(sizes)), sizes),
            (np.concatenate(number) * self.seconds).astype(np.float32),
            self.seconds,
            np.concatenate([group.cpu().numpy() for group in self.groups]),
            tuple(rows.cpu().numpy() for rows in kept),
            tuple(_numpy(own, 1) for own in scores),
        )


@dataclass(frozen=True, eq=False)
class Record:
    """What one prefill did to the visual tokens of one sample.

    views:    the grids of patches behind the visual tokens.
    groups:   for each view (patches,) int64, the visual row each patch ended in, -1 for one that was dropped before
              layer 0; separators have rows too.
    rounds:   for each view, its rounds of merging, see `Merged`.
    planned:  visual tokens that the method lets into each layer, whatever was removed by hand; where text goes by one
              count with them, both together.
    kept:     for each layer (k,) int64, ascending visual rows that entered it.
    places:   for each layer (k,) int64, where those rows stand among all that the layer has.
    scores:   for each layer (k,) the scores of those rows, or None where none were needed.
    steps:    for each layer (heads, steps, k) how these scores came about, or None where that was not asked for.
    others:   for each layer (2, k) the attention that those rows receive and that the last token pays them, or None.
    folded:   for each layer (f, 2) int64, rows that left before it and the rows they went on in, or None for none.
    num_text: for each layer, the rows of text and audio that entered it.
    num_rows: for each layer, the rows that it computed and stored, padding aside: in mode "masked" hidden ones too.
    audio:    what is known of the prompt's sounds; None where it has none, or the method has no say in them.
    kept_audio: for each layer (k,) int64, ascending audio rows that entered it; empty without `audio`.
    kept_text: for each layer (k,) int64, ascending text rows that entered it, the last row not counted; empty where
               text has no count of its own.
    audio_places, audio_scores: for each layer where those rows stand, and their scores, as `places` and `scores`.
    audio_chunks: tokens of each chunk of the prompt's sounds before merging, also where the method has no say in them.
    planned_audio: for each layer the audio tokens that the method lets into it; () for a prompt without.
    """

    views: tuple[View, ...]
    groups: tuple[Tensor, ...]
    rounds: tuple[tuple[Tensor, ...], ...]
    planned: tuple[int, ...]
    kept: list[Tensor] = field(default_factory=list)
    places: list[Tensor] = field(default_factory=list)
    scores: list[Tensor | None] = field(default_factory=list)
    steps: list[Tensor | None] = field(default_factory=list)
    others: list[Tensor | None] = field(default_factory=list)
    folded: list[Tensor | None] = field(default_factory=list)
    num_text: list[int] = field(default_factory=list)
    num_rows: list[int] = field(default_factory=list)
    audio: AudioRows | None = None
    kept_audio: list[Tensor] = field(default_factory=list)
    kept_text: list[Tensor] = field(default_factory=list)
    audio_places: list[Tensor] = field(default_factory=list)
    audio_scores: list[Tensor | None] = field(default_factory=list)
    audio_chunks: tuple[int, ...] = ()
    planned_audio: tuple[int, ...] = ()

    @classmethod
    def begin(
        cls, layout: Layout, prompt: MergedPrompt, planned: Sequence[int], seconds: float, heard: Sequence[int]
    ) -> Record:
        """Of a prompt that no layer has seen yet; seconds: that an audio token stands for; heard: how many of them are
        let into each layer, where the method has a say in them."""
        audio = AudioRows(layout.audio, prompt.heard, seconds) if prompt.heard else None
        views = tuple(part.view for part in layout.views)
        chunks = tuple(len(chunk.rows) for chunk in layout.audio)
        entering = tuple(heard) if prompt.heard else (sum(chunks),) * len(planned)
        record = cls(views, prompt.groups, prompt.rounds, tuple(planned), audio=audio)
        return replace(record, audio_chunks=chunks, planned_audio=entering) if chunks else record

    @property
    def audio_per_layer(self) -> tuple[int, ...]:
        """Audio tokens that entered each layer; () for a prompt without. All of them where the method has no say."""
        return tuple(map(len, self.kept_audio)) if self.audio else self.planned_audio

    def trace(self, frames: np.ndarray, times: np.ndarray, similarity: Sequence[Tensor] | None = None) -> Trace:
        """As NumPy records, with the frames (F, H, W, 3) uint8 and their times (F,) in seconds.

        similarity: for each view (patches,), see `Trace.similarity`.
        """
        layers = tuple(
            LayerTrace(
                index, kept.cpu().numpy(), _numpy(scores, 1), _numpy(steps, 3), **_each(others), folded=_pairs(folded)
            )
            for index, (kept, scores, steps, others, folded) in enumerate(
                zip(self.kept, self.scores, self.steps, self.others, self.folded, strict=True)
            )
        )
        rows = [group.cpu().numpy() for group in self.groups]
        rounds = [[new.cpu().numpy() for new in own] for own in self.rounds]
        planned = np.array(self.planned, dtype=np.int64)
        likeness = None if similarity is None else [_numpy(own, 1) for own in similarity]
        trace = Trace.of_views(frames, times, self.views, rows, layers, planned, rounds, likeness)
        trace = replace(trace, kept_text=tuple(own.cpu().numpy() for own in self.kept_text))
        if self.audio is None:
            return trace
        return replace(trace, audio=self.audio.trace(self.kept_audio, self.audio_scores))


@dataclass(eq=False)
class Recorder:
    """What happened inside one `aim` block.

    records:  one Record for each sample of the latest prefill that had visual tokens.
    merge_ms: time that prefill took to merge, by the clock.
    """

    records: list[Record] = field(default_factory=list)
    merge_ms: float = 0.0

    @property
    def record(self) -> Record:
        """The only sample's record. Raises ValueError if there was none, or more than one."""
        if len(self.records) != 1:
            raise ValueError(f"expected one sample with visual tokens, got {len(self.records)}")
        return self.records[0]


def _each(others: Tensor | None) -> dict[str, np.ndarray]:
    return {} if others is None else dict(zip(("received", "last_token"), others.float().cpu().numpy(), strict=True))


def _pairs(folded: Tensor | None) -> np.ndarray:
    return np.zeros((0, 2), dtype=np.int64) if folded is None else folded.cpu().numpy()


def _numpy(values: Tensor | None, num_axes: int) -> np.ndarray:
    return np.zeros((0,) * num_axes, dtype=np.float32) if values is None else values.float().cpu().numpy()
