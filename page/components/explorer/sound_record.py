"""Sound record: what the explorer's script needs of a run's audio tokens, packed into JSON."""

from __future__ import annotations

import numpy as np

from aim_core.audio_trace import AudioTrace
from aim_core.trace import Trace
from page.components.explorer.packing import packed


def sound_record(trace: Trace) -> dict | None:
    """None for a run without sound. seconds: that a token stands for; retained: audio tokens entering each layer.

    By token: chunk int32; start float32, seconds, of several sounds one after the other; row int32, its merged token;
    loudness float32, None where it is not known. By merged token: last int16, the last layer it entered, or -1.
    scored: layers with scores; scores: float32 (scored layers, merged tokens), NaN for one that did not enter.
    views: for each view the seconds of its first frame.
    """
    audio = trace.audio
    if audio is None:
        return None
    by_layer = {layer: audio.scores_by_row(layer) for layer in range(len(audio.kept))}
    scored = {layer: scores for layer, scores in by_layer.items() if scores is not None}
    last = np.full(audio.num_merged, -1, dtype=np.int64)
    last[audio.row] = audio.last_layer()
    return {
        "seconds": audio.seconds,
        "retained": audio.retained.tolist(),
        "chunk": packed(np.unique(audio.chunk, return_inverse=True)[1], "<i4"),
        "start": packed(_in_a_row(audio), "<f4"),
        "row": packed(audio.row, "<i4"),
        "loudness": None if audio.loudness is None else packed(audio.loudness, "<f4"),
        "last": packed(last, "<i2"),
        "scored": [*scored],
        "scores": packed(np.stack([*scored.values()]) if scored else np.zeros((0, 0)), "<f4"),
        "views": [float(trace.times[view.frames[0]]) for view in trace.all_views],
    }


def _in_a_row(audio: AudioTrace) -> np.ndarray:
    """(T,) seconds, sounds one after the other in their order."""
    start, before = audio.start.astype(np.float64), 0.0
    for sound in np.unique(audio.sound):
        own = audio.sound == sound
        start[own] += before
        before = float(start[own].max()) + audio.seconds
    return start
