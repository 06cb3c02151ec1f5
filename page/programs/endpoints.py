"""Endpoints: `/answer` and `/estimate`, which Gradio's page about the API shows; the page itself does not use them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import gradio as gr
from gradio.components.api_component import Api

from aim_core.config import AimConfig
from aim_core.errors import Stopped
from page.checks import (
    MAX_FRAMES,
    checked_config,
    checked_frames,
    checked_kind,
    checked_one_file,
    checked_question,
    checked_size,
    guarded,
    refusal,
)
from page.components.estimate.component import FRAMES, SIZE, prompt_of
from page.components.estimate.counted import counted
from page.handlers import Handlers
from page.i18n import strings
from page.per_model import PerModel
from page.programs.parameters import ProgramFile, allow, parameter, record
from page.programs.records import answer_record, estimate_record
from page.state.cancellation import client_gone
from page.state.model_facts import ModelFacts
from page.state.models import Models
from page.state.startup import Loaded
from page.state.store import StoredRun
from page.state.waiting import MODEL_LINE, waiting

ANSWER = (
    "A dict: model; settings; answers and first_tokens (the likeliest, with their probabilities) of dense and AIM; "
    "kl_nats (KL divergence of the first token, null where it is infinite); counts (visual tokens of each layer, audio "
    "tokens where the model heard the video, text tokens, FLOPs); "
    "timing (first_word_ms with its spread, speedup: null where the machine was too busy to tell; all "
    "of it null if not timed); world (score, limit, and outside: whether the first is above the second, so that the "
    "file is not of the model's world and the answers mean nothing; null where no score belongs to the model); "
    "kept_rows (the visual tokens that AIM kept in each layer) if asked for"
)
ESTIMATE = (
    "A dict: model; settings; counts of dense and AIM (visual tokens of each layer, FLOPs, bytes of the KV cache); "
    "text_tokens around them with a short question, and no sound; vision_flops; share_of_dense (of "
    "the language model's FLOPs)"
)


def connect(programs: PerModel[Programs], models: Models, tell: Callable[[], object]) -> None:
    """Add both to the page that is being built. tell: called once Gradio's page about them has to say something new."""
    with gr.Column(visible=False):
        settings, (height, width) = _settings(), SIZE
        asked = [
            parameter("Question", "string", "About the one file that is given"),
            ProgramFile(label="A video, if there is no image"),
            ProgramFile(label="An image, if there is no video"),
            *settings,
            parameter("Kept rows", "boolean", "Whether to give kept_rows", False),
            parameter("Timed", "boolean", "Whether to time both, which takes several prefills", True),
        ]
        kind = parameter("Kind", "string", "A picture is one frame")
        sized = [
            *settings,
            kind,
            parameter("Height", "integer", "Of the frames, in pixels", height),
            parameter("Width", "integer", "Of the frames, in pixels", width),
        ]
        answer, estimate = record("Answer", ANSWER), record("Estimate", ESTIMATE)

    def take_usual(loaded: Loaded) -> None:
        """What is taken where nothing is given is what the model that answers usually has."""
        default, reads = loaded.engine.adapter.default_config(), loaded.engine.adapter.modalities
        usual = (default.keep_ratio, default.l1, default.l2, FRAMES, reads[-1])
        for one, value in zip([*settings, kind], usual, strict=True):
            one.value = value
        allow(kind, list(reads))
        tell()

    take_usual(models.first)
    models.on_now.append(take_usual)
    gr.on([], programs.call("answer"), asked, answer, api_name="answer", **MODEL_LINE)
    gr.on([], programs.call("estimate"), sized, estimate, api_name="estimate")


def _settings() -> list[Api]:
    return [
        parameter("Keep ratio", "number", "Share of visual tokens left after merging, in (0, 1]"),
        parameter("l1", "integer", "Every visual token enters the layers up to this one"),
        parameter("l2", "integer", "No visual token enters the layers from this one on"),
        parameter("Frames", "integer", f"Sampled evenly from a video, 1 to {MAX_FRAMES}"),
    ]


class Programs:
    """The endpoints for programs around one model."""

    def __init__(self, loaded: Loaded, handlers: Handlers):
        self.runner, self.tokenizer, self.facts = handlers.runner, handlers.tokenizer, ModelFacts.of(loaded)
        self.adapter, self.maker = loaded.engine.adapter, handlers.maker

    @guarded
    def answer(
        self,
        question,
        video=None,
        image=None,
        keep_ratio=None,
        l1=None,
        l2=None,
        num_frames=None,
        kept_rows=False,
        timed=True,
    ) -> dict[str, Any]:
        """Ask a question about a video or a picture, once dense and once with AIM, and compare the two."""
        question, config = checked_question(question), checked_config(keep_ratio, l1, l2, self.adapter.least_l1)
        path, num_frames = checked_one_file(video, image), checked_frames(num_frames)
        with suppress(Stopped):
            stored = self._answered(path, num_frames, question, config, timed is not False)
            return answer_record(stored, self.facts, self.tokenizer, with_rows=kept_rows is True)
        return {}  # to nobody

    def _answered(self, path: str, num_frames: int, question: str, config: AimConfig, timed: bool) -> StoredRun:
        stop = client_gone()
        checked_kind(self.adapter, frames := self.runner.frames(path, num_frames, waiting("file", stop)))
        with self.runner.turns.turn(waiting("model", stop)):
            ask = partial(self.runner.run, frames, question, stop=stop)
            dense, aim = ask(config=AimConfig.dense()), ask(config=config)
            world = self.runner.world_check(frames, question)
            stored = StoredRun(path, question, num_frames, dense, aim, world=world, maker=self.maker)
            return self.runner.timed(stored, frames, stop) if timed else stored

    @guarded
    def estimate(
        self, keep_ratio=None, l1=None, l2=None, num_frames=None, kind=None, height=None, width=None
    ) -> dict[str, Any]:
        """Count what settings will cost on frames of a size; the model does not run. A picture is one frame."""
        config, num_frames = checked_config(keep_ratio, l1, l2, self.adapter.least_l1), checked_frames(num_frames)
        if kind not in self.adapter.modalities:
            kinds = ", ".join(self.adapter.modalities)
            raise refusal(strings().BAD_KIND.format(kinds=kinds, kind=repr(kind)), "settings")
        height, width = checked_size(height, width)
        prompt = prompt_of(self.adapter, kind, num_frames, height, width)
        asked = {"kind": kind, "num_frames": 1 if kind == "image" else num_frames, "height": height, "width": width}
        dense, aim = (counted(self.adapter, prompt, own) for own in (AimConfig.dense(), config))
        return estimate_record(self.facts, config, asked, dense, aim, prompt)
