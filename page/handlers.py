"""What the page's events do: check what came in, make one call to the engine, hand the records to the panels."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import gradio as gr

from aim_core.by_hand import ByHand
from aim_core.config import AimConfig
from aim_core.result import Result
from page.checks import checked_config, checked_frames, checked_media, checked_question, guarded
from page.marks import checked_marks
from page.numbers import comparison, summary
from page.panels.answers import answers_record
from page.panels.word_frames import word_frames_record
from page.runs import Runner
from page.settings import Loaded
from page.spoken import said
from page.store import Kept, ResultStore
from visual.plots import cost_figure, ranked_figure, retained_figure
from visual.texts import alive_text, groups_text, scores_text
from visual.views import alive_view, groups_view, scores_view

NUM_FIGURES = 9
NUM_AFTER_ANSWERS = 5  # outputs of a run besides the answers


class Handlers:
    """The events of one page, around one model and the results of its visitors."""

    def __init__(self, loaded: Loaded):
        self.adapter = loaded.engine.adapter
        self.tokenizer = self.adapter.processor.tokenizer
        self.runner, self.store = Runner(loaded.engine), ResultStore()

    @guarded
    def answer(
        self, video, image, shown, question, keep_ratio, l1, l2, num_frames, details, key, progress=gr.Progress()
    ):
        """Answer a question about a video or an image: first dense, which is shown at once, then with AIM."""
        question, config = checked_question(question), checked_config(keep_ratio, l1, l2)
        path = checked_media(*((image, video) if shown == "image" else (video, image)))
        num_frames, details = checked_frames(num_frames), details is True
        progress(0.1, said().READING)
        self.runner.frames(path, num_frames)
        progress(0.2, said().RUNNING_DENSE)
        dense = self.runner.run(path, num_frames, question, AimConfig.dense(), timed=True, details=details)
        yield answers_record({"dense": dense}, True, self.tokenizer), *[gr.skip()] * NUM_AFTER_ANSWERS
        progress(0.6, said().RUNNING_AIM)
        aim = self.runner.run(path, num_frames, question, config, timed=True, details=details)
        if unknown := self.adapter.num_unknown(question):
            gr.Warning(said().UNKNOWN.format(count=unknown), title=said().TITLES["unknown"])
        yield self._shown(Kept(path, question, num_frames, dense, aim, self.runner.timed_prefills, details), key)

    @guarded
    def follow(self, keep_ratio, l1, l2, num_frames, key):
        """The last question again with the sliders' new values, marks included; nothing before there was one.

        A run that was loaded from a file has no video here, so it stays as it is.
        """
        kept = self.store.get(key)
        if kept is None or kept.model is not None or l1 >= l2:  # the page is about to move one of the two
            return [gr.skip()] * (NUM_AFTER_ANSWERS + 1)
        config, num_frames = checked_config(keep_ratio, l1, l2), checked_frames(num_frames)
        marks = kept.marks if num_frames == kept.num_frames else ByHand()  # marks belong to their frames
        return self._shown(self._again(kept, config, num_frames, marks), key)

    @guarded
    def by_hand(self, keep_ratio, l1, l2, num_frames, key, event: gr.EventData):
        """AIM again with the patches that were marked protected or removed; no marks take them all off."""
        kept = self.store.get(key)
        if kept is None:
            raise gr.Error(said().NO_RUN, title=said().TITLES["marks"])
        if kept.model is not None:
            raise gr.Error(said().LOADED_ONLY, title=said().TITLES["marks"])
        config, num_frames = checked_config(keep_ratio, l1, l2), checked_frames(num_frames)
        marks = checked_marks(event._data if event else None, kept.aim.trace)
        return self._shown(self._again(kept, config, num_frames, marks), key)

    def _again(self, kept: Kept, config: AimConfig, num_frames: int, marks: ByHand) -> Kept:
        """The same request with other settings or marks; what has not changed does not run again."""
        same_frames = num_frames == kept.num_frames
        ask = partial(self.runner.run, kept.path, num_frames, kept.question, timed=False, details=kept.details)
        dense = kept.dense if same_frames else ask(AimConfig.dense())
        aim = kept.aim if same_frames and config == kept.aim.config else ask(config)
        hand = ask(config, by_hand=marks) if marks else None
        timed = kept.timed_prefills if aim is kept.aim else 0
        return replace(kept, num_frames=num_frames, dense=dense, aim=aim, timed_prefills=timed, hand=hand)

    def _shown(self, kept: Kept, key: str | None) -> tuple:
        """What the panels get of a request, which is kept for redrawing, and its key."""
        return *self.panels(kept), self.store.put(kept, key)

    def panels(self, kept: Kept) -> tuple:
        """What each panel of the story gets of a request; of a trace alone there is only the explorer's."""
        if kept.is_bare:
            return None, None, kept.shown, None, None
        tokenizer = kept.spelling or self.tokenizer
        return (
            answers_record(kept.runs, kept.timed_prefills > 0, tokenizer),
            comparison(kept.dense, kept.aim, kept.timed_prefills),
            kept.shown,
            (kept.aim.trace, word_frames_record(kept.runs, tokenizer)),
            summary(kept.runs),
        )

    @guarded
    def figures(self, key, is_open, layer, scale):
        """The still pictures and charts of a kept run; the model does not run."""
        if key is None or not is_open:
            return [gr.skip()] * NUM_FIGURES
        kept = self.store.get(key)
        if kept is None:
            raise gr.Error(said().RESULT_GONE, title=said().TITLES["gone"])
        return figures(kept.dense, kept.shown, layer, scale)


def figures(dense: Result, aim: Result, layer: float, scale: str) -> tuple:
    """NUM_FIGURES pictures, sentences and charts drawn from two results."""
    trace = aim.trace
    layer = min(max(0, int(layer)), trace.num_layers - 1)
    scale = scale if scale in ("rank", "log") else "rank"
    scored = bool(trace.scored_layers)
    flops = [(result.cost.vision_flops, result.cost.language_flops) for result in (dense, aim)]
    return (
        groups_view(trace),
        groups_text(trace),
        alive_view(trace, layer),
        alive_text(trace, layer),
        scores_view(trace, layer, scale)[0] if scored else None,
        scores_text(trace, layer),
        retained_figure(trace, layer),
        ranked_figure(trace, layer) if scored else None,
        cost_figure(*flops, title=said().COST_TITLE) if any(map(sum, flops)) else None,
    )
