"""One request: media and settings in, the dense and the AIM result out."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.decode import load_frames
from aim_core.media.frames import Frames
from aim_core.result import Result

Report = Callable[[float, str], None]
_CLIPS_KEPT = 8
TIMED_PREFILLS = 3  # for models small enough that waiting for three is not felt
_SMALL = 50_000_000  # parameters


class Runner:
    """An engine with the clips that were decoded lately."""

    def __init__(self, engine: Engine):
        self.engine = engine
        small = sum(p.numel() for p in engine.adapter.model.parameters()) < _SMALL
        self.timed_prefills = TIMED_PREFILLS if small else 1
        self._clips: OrderedDict[tuple, Frames] = OrderedDict()
        self._lock = Lock()

    def compare(
        self, path: str, question: str, config: AimConfig, num_frames: int, report: Report
    ) -> tuple[Result, Result]:
        """The dense result and the AIM result for one question. `report` hears the share done and what is going on."""
        report(0.05, "Reading the video")
        clip = self.frames(path, num_frames)
        report(0.3, "Dense: the model reads every visual token")
        dense = self._run(clip, question, AimConfig.dense())
        report(0.6, "AIM: merging and pruning")
        aim = self._run(clip, question, config)
        report(0.85, "Drawing")
        return dense, aim

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

    def _run(self, clip: Frames, question: str, config: AimConfig) -> Result:
        return self.engine.run(clip, question, config, timed_prefills=self.timed_prefills)
