"""Runs: one engine, the clips that were decoded lately, and how often a prefill is timed."""

from __future__ import annotations

import os
from collections import OrderedDict
from threading import Lock

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.decode import load_frames
from aim_core.media.frames import Frames
from aim_core.result import Result

_CLIPS_KEPT = 8
TIMED_PREFILLS = 3  # for models small enough that waiting for three is not felt
_SMALL = 50_000_000  # parameters


class Runner:
    """An engine with the clips that were decoded lately."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.is_small = is_small(engine)
        self.timed_prefills = TIMED_PREFILLS if self.is_small else 1
        self._clips: OrderedDict[tuple, Frames] = OrderedDict()
        self._lock = Lock()

    def run(self, path: str, num_frames: int, question: str, config: AimConfig, timed: bool, **more) -> Result:
        """One answer. timed: whether the prefill is repeated for its time; more: as `Engine.run` takes it."""
        prefills = self.timed_prefills if timed else 1
        return self.engine.run(self.frames(path, num_frames), question, config, timed_prefills=prefills, **more)

    def frames(self, path: str, num_frames: int) -> Frames:
        """Sampled frames of a file, from memory if the same file was read lately."""
        try:
            info = os.stat(path)
            key = (path, info.st_mtime_ns, info.st_size, num_frames)
        except (OSError, ValueError):
            return load_frames(path, num_frames)  # raises with a sentence
        with self._lock:
            if key in self._clips:
                self._clips.move_to_end(key)
                return self._clips[key]
        clip = load_frames(path, num_frames)
        with self._lock:
            self._clips[key] = clip
            while len(self._clips) > _CLIPS_KEPT:
                self._clips.popitem(last=False)
        return clip


def is_small(engine: Engine) -> bool:
    """Whether the model is small enough to run again whenever a slider moves, and to record every detail."""
    return sum(p.numel() for p in engine.adapter.model.parameters()) < _SMALL
