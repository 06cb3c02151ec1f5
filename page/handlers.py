"""Handlers of the page's events: each checks its inputs, runs the engine and returns new values for components."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import gradio as gr
import numpy as np

from aim_core.config import AimConfig
from aim_core.errors import Stopped
from aim_core.media.frames import Frames
from aim_core.overrides import NO_OVERRIDES, TokenOverrides
from aim_core.result import Result
from aim_core.turns import Turns
from page.checks import (
    checked_config,
    checked_frames,
    checked_kind,
    checked_media,
    checked_question,
    extras,
    guarded,
    refusal,
    shown_files,
)
from page.components.answers.component import answers_record
from page.components.asked.component import Asked
from page.i18n import strings
from page.layout import Results, Update
from page.overrides import checked_overrides
from page.run_panels import RunPanels
from page.server.settings import ServerSettings
from page.state.cancellation import Cancellation
from page.state.model_facts import EMBEDDED_NAME, ModelFacts
from page.state.progress import RunProgress
from page.state.runner import Runner
from page.state.samples import known_answer
from page.state.startup import Loaded
from page.state.store import Maker, ResultStore, StoredRun
from page.state.taken_files import TakenFiles
from page.state.talks import Talks
from page.state.waiting import waiting


class Handlers:
    """The handlers of one page. They return {component: value}; a component that is left out stays as it is."""

    def __init__(
        self,
        loaded: Loaded,
        results: Results,
        store: ResultStore | None = None,
        taken: TakenFiles | None = None,
        turns: Turns | None = None,
        cancellation: Cancellation | None = None,
        talks: Talks | None = None,
    ):
        """All but the first two: of all models together, where a page has several."""
        self.results, self.store = results, store or ResultStore()
        self.taken = taken or TakenFiles(ServerSettings.export_bytes)
        self.adapter, self.facts = loaded.engine.adapter, ModelFacts.of(loaded)
        self.tokenizer = self.adapter.processor.tokenizer
        self.maker = Maker(self.facts, self.tokenizer)
        self.panels = RunPanels(results, self.facts, self.adapter)
        self.runner = Runner(loaded.engine, loaded.world, turns, talks)
        self.cancellation = cancellation or Cancellation()

    def stored(self, key: str | None) -> StoredRun | None:
        """A run of the store, as this model's page shows it; None if there was none or it had to make room."""
        stored = self.store.get(key)
        return stored.seen_by(self.maker) if stored else None

    @guarded
    def answer(
        self,
        video,
        image,
        shown,
        question,
        keep_ratio,
        l1,
        l2,
        num_frames,
        details,
        key,
        request: gr.Request,
        progress=gr.Progress(),
        *rest,
    ):
        """Answer a question about a video, or about pictures: first dense, which is shown at once, then with AIM.

        rest: see `extras`.
        """
        sound, more = extras(rest)
        question, (config, hears) = checked_question(question), self._settings(keep_ratio, l1, l2, sound)
        files = checked_media(video, image, shown, more)
        num_frames, details = checked_frames(num_frames), details is True
        with suppress(Stopped), self.cancellation.run(request.session_hash) as stop:
            frames = self._frames(files, num_frames, stop, hears)
            ask, page = partial(self.runner.run, frames, question, details=details, stop=stop), request.session_hash
            with self.runner.turns.turn(waiting("model", stop, strings().RUNNING["dense"], 0.2)):
                dense = ask(AimConfig.dense(), kept_for=(page, "dense"), **self._told(progress, "dense", 0.2, 0.6))
                known, world = known_answer(files, question), self.runner.world_check(frames, question)
                seen = num_frames, len(frames.times)
                asked = Asked(files, question, *seen, config, time.time(), hears, frames.audio is not None)
                yield {
                    self.results.asked: self.panels.asked(asked),
                    self.results.answers: answers_record({"dense": dense}, False, known, world),
                    self.results.first_token: None,
                }
                progress(0.6, strings().RUNNING["aim"])
                aim = ask(config, kept_for=(page, "aim"), **self._told(progress, "aim", 0.6, 1.0))
            if frames.sizes and self.facts.name == EMBEDDED_NAME:
                gr.Warning(strings().ONE_AT_A_TIME, title=strings().TITLES["several"])
            if unknown := self.adapter.num_unknown(question):
                gr.Warning(strings().UNKNOWN.format(count=unknown), title=strings().TITLES["unknown"])
            known_of = {"details": details, "known": known, "world": world, "hears": hears, "more": files[1:]}
            stored = StoredRun(files[0], question, num_frames, dense, aim, **known_of)
            yield self._shown(replace(stored, maker=self.maker), key)

    def _settings(self, keep_ratio, l1, l2, sound: Sequence) -> tuple[AimConfig, bool]:
        """What the sliders say, and whether the sound is to be heard. sound: what its controls say, in their order."""
        hears, *audio = sound if sound and self.adapter.hearing else (True,)
        return checked_config(keep_ratio, l1, l2, self.adapter.least_l1, *audio), hears is not False

    def _frames(self, files: Sequence[str], num_frames: int, stop: Callable[[], bool], hears: bool) -> Frames:
        """The frames to ask about, and the sound; says so if the file has fewer, or no sound for a model that hears."""
        checked_kind(self.adapter, frames := self.runner.frames(files, num_frames, waiting("file", stop), hears))
        if frames.sound in strings().SOUND_STATES and self.adapter.hearing:
            sentence = strings().SOUND_STATES[frames.sound].format(most=f"{self.adapter.hearing[1]:g}")
            gr.Info(sentence, title=strings().TITLES["sound"])
        different = len(np.unique(frames.times))
        if different < len(frames.times) and not frames.sizes:
            sentence = strings().FEW_FRAMES.format(different=different, shown=len(frames.times))
            gr.Warning(sentence, title=strings().TITLES["few"])
        return frames

    def _told(self, progress: gr.Progress, run: str, start: float, end: float) -> dict[str, Callable]:
        """What a run tells so that the page shows how far the dense one or AIM's is, between two shares of its bar."""
        texts = {name: f"{strings().RUNNING[run]} · {own}" for name, own in strings().SO_FAR.items()}
        told = RunProgress(progress, self.adapter.num_layers, start, end, texts)
        return {"on_layer": told.layer, "on_text": told.text}

    @guarded
    def times(self, key, request: gr.Request):
        """Time the prefills of the run that was just answered; if that is stopped, the answers stay."""
        stored = self.stored(key)
        if stored is None or stored.model is not None or stored.timed_prefills:
            return gr.skip()
        try:
            with self.cancellation.run(request.session_hash) as stop:
                frames = self.runner.frames(stored.files, stored.num_frames, waiting("file", stop), stored.hears)
                with self.runner.turns.turn(waiting("model", stop)):
                    stored = self.runner.timed(stored, frames, stop)
        except Stopped:
            return gr.skip()
        self.store.put(stored, key)
        panels = self.panels.of(stored)
        return {component: panels[component] for component in self.results.timed}

    @guarded
    def follow(self, video, image, shown, question, keep_ratio, l1, l2, num_frames, key, request: gr.Request, *rest):
        """Ask the last question again with the sliders' new values; nothing before there was one.

        A run that was loaded from a file has no video here, so it stays as it is; and so does a run of another file
        or question than are on the page now, since its answer would stand under them.
        """
        sound, more = extras(rest)
        stored = self.stored(key)
        if not self.runner.is_small:  # a run takes too long to follow a slider
            return gr.skip()
        if stored is None or stored.model is not None or l1 >= l2:  # the page is about to move one of the two
            return gr.skip()
        if (shown_files(video, image, shown, more), str(question or "").strip()) != (stored.files, stored.question):
            return gr.skip()
        (config, hears), num_frames = self._settings(keep_ratio, l1, l2, sound), checked_frames(num_frames)
        asked = replace(stored, num_frames=num_frames, hears=hears)
        same_frames = num_frames == stored.num_frames
        overrides = stored.overrides if same_frames else NO_OVERRIDES  # they belong to their frames
        with suppress(Stopped), self.cancellation.run(request.session_hash) as stop:
            try:
                again = self._again(stored, asked, config, overrides, stop, request.session_hash)
            except ValueError as error:  # merged otherwise, two overrides may be on one token
                gr.Warning(strings().OVERRIDES_OFF.format(reason=error), title=strings().TITLES["overrides"])
                again = self._again(stored, asked, config, NO_OVERRIDES, stop, request.session_hash)
            return self._shown(again, key)
        return gr.skip()

    @guarded
    def by_hand(self, keep_ratio, l1, l2, num_frames, key, event: gr.EventData, request: gr.Request, *sound):
        """Run AIM again with the patches that the reader protected or removed; without any, show AIM alone again."""
        stored = self.stored(key)
        if stored is None:
            raise refusal(strings().NO_RUN, "overrides")
        if stored.model is not None:
            raise refusal(strings().OTHERS_ONLY if stored.is_others else strings().LOADED_ONLY, "overrides")
        (config, hears), num_frames = self._settings(keep_ratio, l1, l2, sound), checked_frames(num_frames)
        asked = replace(stored, num_frames=num_frames, hears=hears)
        overrides = checked_overrides(event._data if event else None, stored.aim.trace)
        if overrides and num_frames != stored.num_frames:
            raise refusal(strings().BAD_OVERRIDES, "overrides")
        try:
            with self.cancellation.run(request.session_hash) as stop:
                again = self._again(stored, asked, config, overrides, stop, request.session_hash)
        except Stopped:
            return gr.skip()
        except ValueError as error:
            raise refusal(strings().BAD_OVERRIDES_BOTH.format(reason=error), "overrides") from error
        if again.hand:
            same = again.hand.answer.split() == again.aim.answer.split()
            gr.Info(strings().HAND_SAME if same else strings().HAND_OTHER, title=strings().TITLES["overrides"])
        return self._shown(again, key)

    def marks(self, keep_ratio, l1, l2, num_frames, key, event: gr.EventData, request: gr.Request, *sound):
        """`by_hand`; why it refuses is also said in the explorer, where the marks were made."""
        try:
            yield self.by_hand(keep_ratio, l1, l2, num_frames, key, event, request, *sound)
        except gr.Error as error:
            if stored := self.stored(key):
                explored = self.panels.of(stored)[self.results.explorer]
                yield {self.results.explorer: explored._replace(refused=error.message)}
            raise

    @guarded
    def stop(self, key, request: gr.Request):
        """Cancel the run that this page has under way and show the answers of the last run again."""
        self.cancellation.stop(request.session_hash)
        stored = self.stored(key)
        gr.Info(strings().STOPPED if stored else strings().STOPPED_FIRST, title=strings().TITLES["stopped"])
        panels = self.panels.of(stored) if stored else {}
        return {panel: panels.get(panel) for panel in self.results.answered}

    @guarded
    def patches(self, key):
        """Show the attention of words to every patch, unless the run has made room for newer ones."""
        stored = self.stored(key)
        if key and stored is None:
            raise refusal(strings().RESULT_GONE, "gone")
        if stored is None or stored.is_bare:
            return gr.skip()
        return {self.results.word_frames: self.panels.word_frames(stored, with_patches=True)}

    def _again(
        self,
        stored: StoredRun,
        asked: StoredRun,
        config: AimConfig,
        overrides: TokenOverrides,
        stop: Callable[[], bool],
        page: str | None,
    ) -> StoredRun:
        """The same question with other settings or overrides; what has not changed does not run again.

        asked: `stored` with the number of frames, and the hearing, that are wanted now.
        """
        same_frames = (asked.num_frames, asked.hears) == (stored.num_frames, stored.hears)
        same = same_frames and config == stored.aim.config
        ask = partial(self._ask_again, asked, stop)
        dense = stored.dense if same_frames else ask("dense", AimConfig.dense(), kept_for=(page, "dense"))
        aim = stored.aim if same else ask("aim", config, kept_for=(page, "aim"))
        hand = stored.hand
        if not same or overrides != stored.overrides:
            hand = ask("aim", config, overrides=overrides) if overrides else None
        timed = stored.timed_prefills if same else 0
        again = replace(asked, dense=dense, aim=aim, hand=hand, is_example=False)
        return replace(again, timed_prefills=timed, asked_at=time.time())

    def _ask_again(self, asked: StoredRun, stop: Callable[[], bool], name: str, config: AimConfig, **more) -> Result:
        """One run more about a file and question, in a turn of its own; name: in RUNNING."""
        frames = self.runner.frames(asked.files, asked.num_frames, waiting("file", stop), asked.hears)
        with self.runner.turns.turn(waiting("model", stop, strings().RUNNING[name], 0.5)):
            return self.runner.run(frames, asked.question, config, details=asked.details, stop=stop, **more)

    def _shown(self, stored: StoredRun, key: str | None) -> Update:
        """What the panels get of a run, which is stored for redrawing, and its key."""
        return self.panels.of(stored) | {self.results.key: self.store.put(stored, key)}

    @guarded
    def open_figures(self):
        """Draw the legends when the accordion of figures opens."""
        from page.figures import legends  # what draws charts takes half a second to import: not when the page starts

        return {self.results.figures.is_open: True} | legends(self.results.figures)

    @guarded
    def figures(self, key, is_open, layer, scale):
        """Draw the figures of a stored run while their accordion is open; the model does not run."""
        if key is None or not is_open:
            return gr.skip()
        stored = self.stored(key)
        if stored is None:
            raise refusal(strings().RESULT_GONE, "gone")
        from page.figures import figures

        return figures(self.results.figures, stored.dense, stored.shown, layer, scale)
