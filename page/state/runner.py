"""Runner: the engine with an LRU cache of decoded clips, and the timing of prefills side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from threading import Lock

import numpy as np
from cachetools import LRUCache

from aim_core.budget import Budget
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.errors import MediaError
from aim_core.media.frames import Frames, together
from aim_core.method_comparison import MethodRun, each_method
from aim_core.result import Result
from aim_core.turns import NOBODY, Asker, Turns
from aim_core.world_score import WorldCheck, WorldScore
from aim_lab.estimate import Estimate, estimate
from aim_lab.line import Line
from aim_lab.measure import Failed, Task, measured
from aim_lab.settings import Setting
from aim_lab.sweep import Known, Plan
from page.checks import MAX_PICTURES, refusal
from page.i18n import strings
from page.media_errors import media_error
from page.server.record import note
from page.state.space import is_zero_gpu
from page.state.store import StoredRun
from page.state.talks import Talks
from page.state.zero_gpu import LONGEST_S, lent, needed_seconds

_CLIPS_KEPT = 8 + MAX_PICTURES
TIMED_TURNS = 3, 2  # of a small model, where waiting for a third is not felt, and of a large one; one has no spread
_SMALL = 50_000_000  # parameters


class Runner:
    """An engine with an LRU cache of decoded clips; safe to use from many threads.

    turns: of the visitors, one at a time; whoever runs the model has one.
    world: what tells its model's world from others, if that was fitted.
    talks: where runs leave their caches for further questions; on ZeroGPU nowhere, as a call leaves nothing behind.
    """

    def __init__(
        self,
        engine: Engine,
        world: WorldScore | None = None,
        turns: Turns | None = None,
        talks: Talks | None = None,
    ):
        self.engine, self.world, self.turns = engine, world, turns or Turns(1)
        self.talks, self.converses = talks or Talks(), not is_zero_gpu()
        self.is_small = is_small(engine)
        self.timed_prefills = TIMED_TURNS[not self.is_small]
        self._run = lent(engine.run, self._seconds(1, 1))
        self._time = lent(engine.time_prefills, self._seconds(2 * (self.timed_prefills + 1), 0))
        self._view_tokens = lent(engine.view_tokens, self._seconds(1, 0))
        self._each_method = lent(self._methods, self._methods_seconds)
        self._measured = lent(partial(measured, engine), self._task_seconds)
        self._estimate = lent(partial(estimate, engine), lambda *_, **__: LONGEST_S)
        self._clips: LRUCache[tuple, Frames] = LRUCache(_CLIPS_KEPT)
        self._several: LRUCache[tuple, tuple[list[Frames], Frames]] = LRUCache(_CLIPS_KEPT)
        self._seen: LRUCache[int, tuple[Frames, tuple[np.ndarray, ...]]] = LRUCache(_CLIPS_KEPT)
        self._lock = Lock()

    def run(
        self, frames: Frames, question: str, config: AimConfig, kept_for: tuple[str | None, str] | None = None, **more
    ) -> Result:
        """One answer, and what the model saw; more: as `Engine.run` takes it. To be called in a turn of `turns`.

        kept_for: the page whose further questions may go to this run's cache, and what it calls the run.
        Small models are scored by other scorers too: that takes a few per cent of a run.
        """
        more = {"other_scores": self.is_small} | more
        if kept_for is None or not self.converses:
            return self.pictured(self._run(frames, question, config=config, **more), frames)
        talk = self.engine.converse(frames, question, config=config, **more)
        self.talks.keep(*kept_for, talk)
        return self.pictured(talk.result, frames)

    def pictured(self, result: Result, frames: Frames) -> Result:
        """The result with the pixels that the model gets of its file."""
        return replace(result, pictures=self._pictures(frames))

    def timed(self, stored: StoredRun, frames: Frames, stop: Callable[[], bool]) -> StoredRun:
        """The same request with its prefills timed, dense and AIM in turns; a large model is warm from its answers."""
        runs = stored.dense, stored.aim
        configs, warm = [run.config for run in runs], int(self.is_small)
        times = self._time(frames, stored.question, configs=configs, repeats=self.timed_prefills, warm=warm, stop=stop)
        dense, aim = (replace(run, timing=run.timing.with_prefills(own)) for run, own in zip(runs, times, strict=True))
        return replace(stored, dense=dense, aim=aim, timed_prefills=self.timed_prefills)

    def frames(self, files: str | Sequence[str], num_frames: int, asker: Asker = NOBODY, sound: bool = True) -> Frames:
        """Sampled frames of a file, or several pictures, from the cache if the same were decoded lately. Not to be
        called in a turn of `turns`, since that would keep other visitors waiting for this file. The line in the log
        says who decoded it. With a video's sound, if the model hears and is to. Of several
        pictures a bad one is named."""
        if isinstance(files, str) or len(files) == 1:
            return self._file(files if isinstance(files, str) else files[0], num_frames, asker, sound)
        pictures = [self._picture(path, number, asker) for number, path in enumerate(files, 1)]
        key = tuple(map(id, pictures))
        with self._lock:
            known = self._several.get(key)
            if known is None or any(one is not own for one, own in zip(known[0], pictures, strict=True)):
                known = self._several[key] = pictures, together(pictures)
        return known[1]

    def _picture(self, path: str, number: int, asker: Asker) -> Frames:
        """One of several; number: from 1."""
        about = {"number": number, "name": os.path.basename(path)}
        try:
            frames = self._file(path, 1, asker, False)
        except MediaError as error:
            raise refusal(strings().PICTURE_BAD.format(**about, problem=media_error(str(error))), "file") from error
        if frames.kind != "image":
            raise refusal(strings().PICTURE_IS_VIDEO.format(**about), "file")
        return frames

    def _file(self, path: str, num_frames: int, asker: Asker, sound: bool) -> Frames:
        """One file."""
        try:
            info = os.stat(path)  # not its times: Gradio renews those of a copy in use
            key = (path, info.st_ino, info.st_size, num_frames, sound)
        except (OSError, ValueError):
            return self.engine.frames(path, num_frames, sound=sound, asker=asker)  # raises with a sentence
        with self._lock:
            clip = self._clips.get(key)
        if clip is not None:
            note(reader="cached")
            return clip
        clip = self.engine.frames(path, num_frames, sound=sound, asker=asker)
        note(reader=clip.reader)
        with self._lock:
            self._clips[key] = clip
        return clip

    def world_check(self, frames: Frames, question: str) -> WorldCheck | None:
        """Whether frames are of the model's world, by their visual tokens; None where no score belongs to the model. Of
        several pictures each is looked at alone, as the score was fitted; the strangest one says.

        question: the one that was just asked about them.
        """
        if self.world is None:
            return None
        if not frames.sizes:
            return self.world.check(self._view_tokens(frames, question))
        alone = [Frames(picture[None], np.zeros(1, np.float32), 0.0, "image") for picture in frames.shown]
        checks = [self.world.check(self._view_tokens(one, question)) for one in alone]
        return max(checks, key=lambda check: check.score)

    def each_method(
        self, frames: Frames, question: str, methods: Sequence[str], budget: Budget, stop: Callable[[], bool]
    ) -> Iterator[MethodRun]:
        """As `method_comparison.each_method`. What comes next is to be asked for in a turn of `turns`."""
        return self._each_method(frames, question, methods=methods, budget=budget, stop=stop)

    def estimate(self, plan: Plan, tasks: Sequence[Task]) -> Estimate:
        """As `aim_lab.estimate.estimate`. To be called in a turn of `turns`, with the first task's frames held."""
        return self._estimate(plan, tasks)

    def measured(self, task: Task, is_done: Callable[[Setting], bool]) -> Iterator[Line | Failed]:
        """As `aim_lab.measure.measured`. What comes next is to be asked for in a turn of `turns`."""
        return self._measured(task, is_done=is_done)

    def parts(self, plan: Plan, task: Task, log: Known) -> Iterator[Task]:
        """A task as it is measured: whole, so that its dense run is made once; where a GPU is lent for one call at a
        time, setting by setting."""
        if not is_zero_gpu():
            yield task
            return
        for own in task.settings:
            yield replace(plan.task(task.document, log), settings=(own,))

    def _methods(self, frames: Frames, question: str, **settings) -> Iterator[MethodRun]:
        yield from each_method(self.engine, frames, question, **settings, num_timed=self.timed_prefills)

    def _seconds(self, prefills: int, answers: int) -> Callable[..., int]:
        """How long a call takes that is given frames first."""
        return lambda frames, *_, **__: needed_seconds(self.engine.adapter, frames, prefills, answers)

    def _methods_seconds(self, frames: Frames, question: str, methods: Sequence[str], **_) -> int:
        """Each method runs once for its answer, looks for its setting, and runs again to be timed."""
        runs = len(methods) + 1
        return needed_seconds(self.engine.adapter, frames, runs * (2 + self.timed_prefills), runs)

    def _task_seconds(self, task: Task, **_) -> int:
        """Each setting may look for its knob; the dense run comes first."""
        most = max(task.recipe.reference, *(own.num_frames for own in task.settings))
        frames, runs = task.document.clip.frames(most), len(task.settings) + 1
        assert isinstance(frames, Frames)
        return needed_seconds(self.engine.adapter, frames, 2 * runs, runs)

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
