"""The model that lmms-eval asks: each document answered by the engine under one method, and kept in a file at once."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache
from huggingface_hub import try_to_load_from_cache
from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts
from lmms_eval.api.model import lmms
from tqdm import tqdm

from aim_core.engine import Engine
from aim_core.loading import ModelLoadError
from aim_core.low_bits import FULL, number_format
from aim_core.media.decode import load_frames
from aim_core.media.errors import MediaError
from aim_core.media.frames import Frames
from aim_core.media.limits import Limits
from aim_core.weights import weights_hash
from aim_lab.code import code_hash
from aim_lab.lmms_answers import Answer, AnswerLog
from aim_lab.lmms_knobs import Knobs
from aim_lab.lmms_method import choose_method
from aim_lab.lmms_request import Asked, asked_of

# Films of a benchmark are long, and nobody waits for one of them.
_LIMITS = Limits(
    video_bytes=16 << 30,
    video_seconds=12 * 3600.0,
    video_frames=5_000_000,
    decode_seconds=600.0,
    memory_bytes=8 << 30,
    cpu_seconds=1200,
    wall_seconds=900.0,
)
ANSWERS = "aim_answers.jsonl"
_EVERY_RUN = ("aim_lab.lmms_model", "aim_core.adapters.registry")  # modules, see `code_hash`


class AimModel(lmms):
    """`--model aim`: greedy, one document at a time, a chat model of lmms-eval.

    device:        "auto" takes the process's own GPU where a launcher started several; otherwise, and
    dtype, weights: as in `Engine.from_pretrained`.
    answers:       file that each answer is written to as it comes, and read back from first.
    batch_size:    1; lmms-eval gives it.
    arguments:     those of `Knobs`, and settings of the method.
    Raises ValueError with a sentence for a knob that does not fit, and ModelLoadError.
    """

    is_simple = False

    def __init__(
        self,
        device: str = "auto",
        dtype: str = "auto",
        weights: str = FULL,
        answers: str = ANSWERS,
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
        **arguments: Any,
    ):
        super().__init__()
        self.knobs = Knobs.of_arguments(arguments)
        if str(batch_size) != "1":
            raise ValueError(f"this model answers one document at a time: batch_size must be 1, got {batch_size}")
        self._log = AnswerLog(Path(str(answers)))
        self.engine = Engine.from_pretrained(self.knobs.pretrained, _own_device(str(device)), dtype, weights)
        self._frames: LRUCache[str, Frames] = LRUCache(2)  # questions about a video come one after another

    @classmethod
    def create_from_arg_string(cls, arg_string: str, additional_config: dict | None = None) -> AimModel:
        """As the command line makes it: what a user can mend ends the process with one sentence.

        lmms-eval would print a traceback for any other error, and end with 0.
        """
        try:
            return super().create_from_arg_string(arg_string, additional_config)
        except (ValueError, ModelLoadError) as error:
            sys.exit(f"aim: {error}")

    @property
    def device(self) -> torch.device:
        """Where lmms-eval puts what several processes tell each other."""
        return self.engine.adapter.model.device

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits for all that an answer hangs on beside the document."""
        model = self.engine.adapter.model
        about = {
            "knobs": self.knobs.as_dict(),
            "weights": weights_hash(_folder(self.knobs.pretrained)),
            "code": code_hash(self.knobs.method, _EVERY_RUN),
            "machine": [model.device.type, number_format(self.engine.adapter)],
        }
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """The answers to these documents; those that the file of answers has are not asked again.

        Anything that keeps a document from being answered ends the process with a sentence, but for a file that cannot
        be used where `unreadable` is "wrong": an answer that is only missing would count as the method's mistake.
        """
        bar = tqdm(requests, disable=self.rank != 0, desc="aim", unit="document")
        return [self._answered(*request.args) for request in bar]

    def generate_until_multi_round(self, requests: Sequence[Instance]) -> list[str]:
        raise NotImplementedError("this model answers in one turn: choose a task of output_type generate_until")

    def loglikelihood(self, requests: Sequence[Instance]) -> list[tuple[float, bool]]:
        raise NotImplementedError("this model generates its answers: choose a task of output_type generate_until")

    def _answered(self, context, doc_to_messages, generation, doc_id, task, split) -> GenerationResult:
        try:
            messages = doc_to_messages(self.task_dict[task][split][doc_id])
            asked = asked_of(messages, generation, self.knobs.frames, self.knobs.images)
            key = (self.fingerprint, str(task), int(doc_id), asked.name)
            answer = self._log.get(key)
            if answer is None:
                answer = self._ask(asked, Answer(*key, knobs=self.knobs.as_dict()))
                self._log.add(answer)
        except (MediaError, ValueError) as error:
            sys.exit(f"aim: document {doc_id} of {task}: {error}")
        return GenerationResult(answer.answer, TokenCounts(answer.input_tokens, answer.output_tokens))

    def _ask(self, asked: Asked, empty: Answer) -> Answer:
        """`empty` filled with what the model says. Raises MediaError and ValueError."""
        try:
            frames = self._shown(asked)
        except MediaError as error:
            if self.knobs.unreadable == "stop":
                raise
            return replace(empty, note=str(error))
        chosen = choose_method(self.engine, self.knobs, frames, asked.question)
        result = self.engine.run(frames, asked.question, config=chosen.method, max_new_tokens=asked.max_new_tokens)
        cost = result.cost
        others = chosen.workload.others_per_layer(chosen.method)
        shares = asdict(chosen.workload.shares(cost.visual_per_layer, others))
        return replace(
            empty,
            answer=asked.cut(result.answer),
            input_tokens=cost.tokens_per_layer[0],
            output_tokens=len(result.answer_ids),
            settings=chosen.settings,
            shares={name: round(share, 5) for name, share in shares.items()},
            language_flops=cost.language_flops,
            note=chosen.note,
        )

    def _shown(self, asked: Asked) -> Frames | np.ndarray:
        """The frames of a document, from memory if the one before showed the same file."""
        if not isinstance(asked.media, Path):
            return asked.media
        path = str(asked.media)
        if path not in self._frames:
            self._frames[path] = load_frames(path, self.knobs.frames, self.knobs.max_side, _LIMITS)
        return self._frames[path]


def _own_device(device: str) -> str:
    """ "auto" and "cuda" as the GPU of this process, where `accelerate` or `torchrun` started one for each."""
    if device in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    return device


def _folder(name: str) -> Path:
    """Where the files of a checkpoint lie, a folder or what the Hub's library has of an id."""
    cached = None if Path(name).expanduser().is_dir() else try_to_load_from_cache(name, "config.json")
    return Path(cached).parent if isinstance(cached, str) else Path(name).expanduser()
