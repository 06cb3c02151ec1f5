"""Runner: the engine with an LRU cache of decoded clips, and the timing of prefills side by side."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

import numpy as np
from cachetools import LRUCache

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.decode import load_frames
from aim_core.media.frames import Frames
from aim_core.result import Result
from aim_core.world_score import WorldCheck, WorldScore
from page.state.store import StoredRun

_CLIPS_KEPT = 8
TIMED_TURNS = 3, 2  # of a small model, where waiting for a third is not felt, and of a large one; one has no spread
_SMALL = 50_000_000  # parameters


class Runner:
    """An engine with an LRU cache of decoded clips; safe to use from many threads.

    world: what tells its model's world from others, if that was fitted.
    """

    def __init__(self, engine: Engine, world: WorldScore | None = None):
        self.engine, self.world = engine, world
        self.is_small = is_small(engine)
        self.timed_prefills = TIMED_TURNS[not self.is_small]
        self._clips: LRUCache[tuple, Frames] = LRUCache(_CLIPS_KEPT)
        self._seen: LRUCache[int, tuple[Frames, tuple[np.ndarray, ...]]] = LRUCache(_CLIPS_KEPT)
        self._lock = Lock()

    def run(self, path: str, num_frames: int, question: str, config: AimConfig, **more) -> Result:
        """One answer, and what the model saw; more: as `Engine.run` takes it.

        Small models are scored by other scorers too: that takes a few per cent of a run.
        """
        more = {"other_scores": self.is_small} | more
        result = self.engine.run(self.frames(path, num_frames), question, config=config, **more)
        return self.pictured(result, path, num_frames)

    def pictured(self, result: Result, path: str, num_frames: int) -> Result:
        """The result with the pixels that the model gets of its file."""
        return replace(result, pictures=self._pictures(self.frames(path, num_frames)))

    def timed(self, stored: StoredRun, stop: Callable[[], bool]) -> StoredRun:
        """The same request with its prefills timed, dense and AIM in turns; a large model is warm from its answers."""
        frames, runs = self.frames(stored.path, stored.num_frames), (stored.dense, stored.aim)
        configs, warm = [run.config for run in runs], int(self.is_small)
        times = self.engine.time_prefills(
            frames, stored.question, configs=configs, repeats=self.timed_prefills, warm=warm, stop=stop
        )
        dense, aim = (replace(run, timing=run.timing.with_prefills(own)) for run, own in zip(runs, times, strict=True))
        return replace(stored, dense=dense, aim=aim, timed_prefills=self.timed_prefills)

    def frames(self, path: str, num_frames: int) -> Frames:
        """Sampled frames of a file, from the cache if the same file was decoded lately."""
        try:
            info = os.stat(path)
            key = (path, info.st_ino, info.st_size, num_frames)  # not its times: Gradio renews those of a copy in use
        except (OSError, ValueError):
            return load_frames(path, num_frames)  # raises with a sentence
        with self._lock:
            clip = self._clips.get(key)
        if clip is None:
            clip = load_frames(path, num_frames)
            with self._lock:
                self._clips[key] = clip
        return clip

    def world_check(self, frames: Frames, question: str) -> WorldCheck | None:
        """Whether frames are of the model's world, by their visual tokens; None where no score belongs to the model.

        question: the one that was just asked about them.
        """
        return self.world.check(self.engine.view_tokens(frames, question)) if self.world else None

    def _pictures(self, frames: Frames) -> tuple[np.ndarray, ...]:
        """What the model is given of these frames, from the cache if they were asked about lately."""
        with self._lock:
            known = self._seen.get(id(frames))
        if known is None or known[0] is not frames:
            known = frames, self.engine.pictures(frames)
            with self._lock:
                self._seen[id(frames)] = known
        return known[1]


def is_small(engine: Engine) -> bool:
    """Whether the model is small enough to run again whenever a slider moves, and to record every detail."""
    return sum(p.numel() for p in engine.adapter.model.parameters()) < _SMALL
