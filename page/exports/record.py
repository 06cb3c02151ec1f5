"""Record: one run as plain values, which the JSON file holds and a saved run carries beside its trace.

Version 6 of the format, keys in order:

format    "aim-explorer run"; version 6.
model     {"name", "sizes": {"hidden", "kv", "intermediate", "q"}, "number_bytes"}: what was asked, and what its cost
          needs.
file      name of the video or picture, without its folder. more: those of further pictures asked about with it, only
          where there are any. question: as typed. num_frames: as chosen.
sound     whether the model was to hear the file's sound, if it can and the file has one.
known     the right answer, where the question comes with a sample; else null.
world     {"score", "limit"} as in `WorldCheck`: above the limit the file is not of the model's world; null where that
          cannot be told.
settings  the fields of `AimConfig`, and "protect", "remove": marks by hand, each [view, patch].
runs      "dense", "aim", and "hand" where there are marks: {"answer", "answer_ids", "tokens_per_layer",
          "visual_per_layer", "num_text", "language_flops", "vision_flops", "audio_per_layer" (empty without sound),
          "vision_ms", "merge_ms", "prefill_ms", "decode_ms", "runs_ms", "first_words_ms"} each; times in milliseconds,
          see `Timing`.
timed_prefills  how many prefills prefill_ms is the median of; 0 where the two were not timed side by side.
trace     only in the JSON file, see `trace_record`: that of the last of the runs.

Version 5 had no "sound" and no "audio_per_layer": there "num_text" has audio tokens too. Version 4 had no
"audio_keep_ratio" and "audio_floor" in its settings. Version 3 had no "world". Version 2 had no "known" and no
"first_words_ms" either. Version 1 had no "q": there it is "hidden"; and no "runs_ms": there prefill_ms is without
merge_ms.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from aim_core.audio_trace import AudioTrace
from aim_core.result import Result
from aim_core.trace import Trace
from page.state.model_facts import ModelFacts
from page.state.store import StoredRun

FORMAT, VERSION = "aim-explorer run", 6


def run_record(stored: StoredRun, model: ModelFacts) -> dict[str, Any]:
    """Everything but the trace, as JSON has it; of a trace alone, format and version are all there is."""
    if stored.is_bare:
        return {"format": FORMAT, "version": VERSION}
    overrides = {"protect": stored.overrides.protect, "remove": stored.overrides.remove}
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": asdict(model),
        "file": Path(stored.path).name,
        **({"more": [Path(path).name for path in stored.more]} if stored.more else {}),
        "question": stored.question,
        "num_frames": stored.num_frames,
        "sound": stored.hears,
        "known": stored.known,
        "world": asdict(stored.world) if stored.world else None,
        "settings": asdict(stored.aim.config) | overrides,
        "runs": {name: _side(run) for name, run in stored.runs.items()},
        "timed_prefills": stored.timed_prefills,
    }


def trace_record(trace: Trace) -> dict[str, Any]:
    """A trace without its pixels.

    size: height and width of the frames, or a pair for each of several pictures. times: seconds of each frame.
    views: {"medium", "frames", "grid", "box"} each, as in `View`.
    For each view, lists over its own patches: group (merged token within the view), row (among all visual rows), both
    -1 for a patch that was dropped before layer 0, similarity (cosine with the merged token). rounds: for each round of
    merging and view, see `Trace.rounds`.
    planned: visual tokens the schedule lets into each layer. layers: {"layer", "kept", "importance", "folded"} each;
    importance is empty where none was measured, folded has pairs of a row that left right before the layer and the row
    that it went on in. audio: None without a sound, else as in `AudioTrace`: seconds that a token stands for; of each
    token sound, chunk, start, row and loudness; of each layer kept and scores. What is not known is null.
    """
    views = trace.all_views
    sizes = [rows * columns for rows, columns in (view.grid for view in views)]
    similarity = None if trace.similarity is None else _own(trace.similarity, sizes)
    return {
        "size": list(trace.frames.shape[1:3]) if trace.sizes is None else trace.sizes.tolist(),
        "times": _plain(trace.times),
        "views": [asdict(view) for view in views],
        "group": _own(trace.group, sizes),
        "row": _own(trace.rows(), sizes),
        "similarity": similarity,
        "rounds": [[own[own >= 0].tolist() for own in new] for new in trace.rounds],
        "planned": trace.planned.tolist(),
        "layers": [
            {
                "layer": layer.layer,
                "kept": layer.kept.tolist(),
                "importance": _plain(layer.scores),
                "folded": layer.folded.tolist(),
            }
            for layer in trace.layers
        ],
        "audio": _audio_record(trace.audio) if trace.audio else None,
    }


def _audio_record(audio: AudioTrace) -> dict[str, Any]:
    columns = {name: _plain(getattr(audio, name)) for name in ("sound", "chunk", "start", "row")}
    return {
        "seconds": audio.seconds,
        **columns,
        "loudness": None if audio.loudness is None else _plain(audio.loudness),
        "kept": [rows.tolist() for rows in audio.kept],
        "scores": [_plain(own) for own in audio.scores],
    }


def _side(result: Result) -> dict[str, Any]:
    return {
        "answer": result.answer,
        "answer_ids": list(result.answer_ids),
        **asdict(result.cost),
        **asdict(result.timing),
    }


def _own(values: np.ndarray, sizes: list[int]) -> list[list]:
    """Each view's own patches, without what fills up smaller views."""
    return [_plain(row[:size]) for row, size in zip(values, sizes, strict=True)]


def _plain(values: np.ndarray) -> list:
    """Numbers as JSON knows them, so short that they still come back as the same float32; null for NaN."""
    if values.dtype.kind != "f":
        return values.tolist()
    return [float(str(value)) if np.isfinite(value) else None for value in values.astype(np.float32)]
