"""Batched inference: many questions about one video under many methods; vision tower and each merge run only once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutputWithPooling

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import Call
from aim_core.adapters.layout import Layout
from aim_core.config import AimConfig
from aim_core.forward.dialect import cache_of, call
from aim_core.forward.greedy import decode, end_ids
from aim_core.forward.hooks import patched
from aim_core.forward.merged_prompt import merge_prompt
from aim_core.forward.session import EncodedPrompt, Session
from aim_core.methods.aim import as_method
from aim_core.methods.base import (
    GridMerger,
    Merger,
    Method,
    decides_at_run_time,
    needs_tower,
    prunes_text,
    tower_share,
)
from aim_core.methods.counts import check_schedule
from aim_core.methods.registry import make_method
from aim_core.ops.merging import Merged
from aim_core.ops.reduced import Reduced
from aim_core.view import View

MAX_BATCHED_TOKENS = 400  # visual tokens after merging; prompts with more are run one at a time


@dataclass(frozen=True)
class Said:
    """What was answered, and how many visual tokens entered each layer of the prefill."""

    answer: str
    visual_per_layer: tuple[int, ...]


class Video:
    """The visual tokens of some frames, and a cache of how each method merged them."""

    def __init__(self, adapter: Adapter, frames: np.ndarray, tower: bool = False, inside: Method | None = None):
        """frames: (F, H, W, 3) uint8; frames that are alike to the pixel are encoded once.

        tower:  whether methods that ask the vision tower's attention may be asked too.
        inside: a method that merges in the vision tower's layers; then those that leave its share there alone.
        """
        self.adapter, self.merges, self._inside = adapter, {}, inside
        index: dict[bytes, int] = {}
        order = [index.setdefault(frame.tobytes(), len(index)) for frame in frames]
        different = np.stack([frames[order.index(i)] for i in range(len(index))])
        plain = make_method("tome", keep_ratio=1.0) if tower else as_method(AimConfig.dense())
        call = _encoded(adapter, different, inside or plain)
        rows = call.output.pooler_output[0]  # (frames * n + 1, d)
        per_frame = len(rows) // len(index)
        places = [torch.arange(frame * per_frame, (frame + 1) * per_frame) for frame in order]
        source = torch.cat([*places, torch.tensor([len(rows) - 1])])
        self.rows = rows[source]  # (F * n + 1, d)
        self.tokens = self.rows[:-1].unflatten(0, (len(order), -1))  # (F, n, d)
        self._tower = call.tower and call.tower.rows(source)

    @property
    def num_visual(self) -> int:
        return len(self.rows)

    @property
    def views(self) -> tuple[View, ...]:
        """The grids of patches behind the visual tokens."""
        return tuple(part.view for part in self._layout.views)

    def counts(self, method: Method) -> list[int]:
        """Visual tokens that a method lets into each layer, whatever is asked; ValueError where it does not fit.

        A method that decides while the layers run is asked a question for that.
        """
        self._check_tower(method)
        num_layers, layout = self.adapter.num_layers, self._layout
        if decides_at_run_time(method):
            session = self._session(method)
            with torch.inference_mode(), patched(self.adapter, session):
                self._prompt_logits(session, ["?"])
            return list(_entered(session))
        with torch.inference_mode():
            left = int(merge_prompt(self.rows, layout, method.merger).visual.sum())
        counts = method.schedule.tokens_entering(left, num_layers)
        check_schedule(counts, num_layers, left, self.adapter.first_droppable)
        return counts

    def first_tokens(self, method: Method, questions: list[str]) -> list[int]:
        """The first token id that the model answers to each question; an answer of the shape world is one word."""
        session = self._session(method)
        with torch.inference_mode(), patched(self.adapter, session):
            if not self._chooses(session.method):
                cache, tails = self._prefill_video(session, questions)
                return self._next_logits(cache, *_side_by_side(tails, cache.get_seq_length())).argmax(-1).tolist()
            # Short prompts go side by side; the mask that this needs costs long ones more than it saves.
            many = 1 if self._num_kept(session.method.merger) > MAX_BATCHED_TOKENS else len(questions)
            parts = [questions[i : i + many] for i in range(0, len(questions), many)]
            return [int(row.argmax()) for part in parts for row in self._prompt_logits(session, part)]

    def record_scores(self, method: Method, question: str) -> int:
        """Run a prefill for the scores that the method's scorer keeps; returns the row of the first visual token."""
        session = self._session(method)
        with torch.inference_mode(), patched(self.adapter, session):
            self._prompt_logits(session, [question])
        return len(prompt(self.adapter, question, self.num_visual)[0]) - self.num_visual

    def _session(self, method: Method) -> Session:
        self._check_tower(method)
        return Session(self.adapter, replace(method, merger=_CachedMerger(method.merger, self.merges)))

    def _check_tower(self, method: Method) -> None:
        here = 1.0 if self._inside is None else tower_share(self._inside.merger)
        if (share := tower_share(method.merger)) != here:
            raise ValueError(f"{method.name} leaves a share of {share} in the vision tower, and this one left {here}")

    def _num_kept(self, merger: Merger) -> int:
        """Visual tokens after merging."""
        return merger(self.tokens).tokens.shape[:2].numel()

    def _prompt_logits(self, session: Session, questions: list[str]) -> Tensor:
        """(questions, vocabulary) logits of the word after each prompt."""
        ids = [torch.cat(prompt(self.adapter, question, self.num_visual)) for question in questions]
        mask = pad_sequence([torch.ones_like(own) for own in ids], batch_first=True, padding_side="left")
        ids = pad_sequence(ids, batch_first=True, padding_side="left")
        return self._forward(session, ids, mask, use_cache=False).logits[:, -1]

    def answers(self, method: Method, questions: list[str], max_new_tokens: int) -> list[str]:
        """What the model answers to each question, see `said`."""
        return [own.answer for own in self.said(method, questions, max_new_tokens)]

    def said(self, method: Method, questions: list[str], max_new_tokens: int) -> list[Said]:
        """Answers as `Engine.run` gives them.

        Nothing that the video's rows hold depends on the question: so where the method chooses no tokens by scores
        these rows are computed once, and all questions are answered side by side.
        """
        session = self._session(method)
        with torch.inference_mode(), patched(self.adapter, session):
            if not self._chooses(session.method):
                cache, tails = self._prefill_video(session, questions)
                counts = _entered(session)
                return [Said(self.adapter.said(ids), counts) for ids in self._decode(cache, tails, max_new_tokens)]
            found = []
            for question in questions:
                ids = torch.cat(prompt(self.adapter, question, self.num_visual))
                out = self._forward(session, ids[None], None, use_cache=True)
                answer = decode(self.adapter.model, out.logits[:, -1], cache_of(out), max_new_tokens)
                found.append(Said(self.adapter.said(answer), _entered(session)))
            return found

    def _decode(self, cache: DynamicCache, tails: list[Tensor], max_new_tokens: int) -> list[list[int]]:
        """Token ids of the answers, the end mark included; tails: what follows the cached rows, for each question."""
        ends, num_cached = end_ids(self.adapter.model), cache.get_seq_length()
        ids, mask = _side_by_side(tails, num_cached)
        answers: list[list[int]] = [[] for _ in tails]
        while True:
            words = self._next_logits(cache, ids, mask).argmax(-1)
            for answer, word in zip(answers, words.tolist(), strict=True):
                if not ends.intersection(answer):
                    answer.append(word)
            if max(map(len, answers)) == max_new_tokens or all(ends.intersection(answer) for answer in answers):
                return answers
            ids, mask = words[:, None], F.pad(mask, (0, 1), value=1)

    def _chooses(self, method: Method) -> bool:
        """Whether it chooses tokens by scores, which may depend on the question."""
        return prunes_text(method) or decides_at_run_time(method) or bool(method.scorer.layers(self.counts(method)))

    def _prefill_video(self, session: Session, questions: list[str]) -> tuple[DynamicCache, list[Tensor]]:
        """The cache of the video's rows, once for each question, and the token ids that follow."""
        parts = [prompt(self.adapter, question, self.num_visual) for question in questions]
        cache = cache_of(self._forward(session, parts[0][0][None], None, use_cache=True))
        cache.batch_repeat_interleave(len(questions))
        return cache, [tail for _, tail in parts]

    def _next_logits(self, cache: DynamicCache, ids: Tensor, mask: Tensor) -> Tensor:
        """(questions, vocabulary) logits after the last of `ids`, which go into the cache; mask: of all rows so far."""
        positions = mask.cumsum(1)[:, -ids.shape[1] :] - 1
        given = {"attention_mask": mask, "position_ids": positions, "past_key_values": cache}
        return call(self.adapter.model, input_ids=ids, use_cache=True, logits_to_keep=1, **given).logits[:, -1]

    @cached_property
    def _layout(self) -> Layout:
        """Of the video's rows alone."""
        place = self.adapter.model.config.video_token_id
        return self.adapter.layouts(torch.full((1, self.num_visual), place), [self._call(1)])[0]

    def _call(self, num_prompts: int) -> Call:
        """The call of the vision side that made the rows, once for each prompt."""
        output = BaseModelOutputWithPooling(pooler_output=self.rows.expand(num_prompts, -1, -1))
        tower = self._tower and self._tower.rows(torch.arange(self.num_visual).repeat(num_prompts))
        return Call("video", {}, output, tower=tower)

    def _forward(self, session: Session, ids: Tensor, mask: Tensor | None, use_cache: bool):
        encoded = self._call(len(ids))
        session.use_prompt(EncodedPrompt({}, {}, [encoded]))
        return self.adapter.model(
            input_ids=ids,
            attention_mask=mask,
            mm_encoder_outputs={"video": encoded.output},
            use_cache=use_cache,
            logits_to_keep=1,
        )


def _encoded(adapter: Adapter, frames: np.ndarray, method: Method) -> Call:
    """The call of the vision side for some frames, with what the vision tower says of them if the method asks."""
    session = Session(adapter, method)
    inputs = adapter.inputs(frames, np.arange(len(frames), dtype=np.float32), "?")
    with torch.inference_mode(), patched(adapter, session):
        adapter.encode(inputs)
    (call,) = session.take_calls()
    return call.without_pixels()


def _side_by_side(tails: list[Tensor], num_cached: int) -> tuple[Tensor, Tensor]:
    """Token ids (b, n) padded in front, and what is no padding of cached rows and them, (b, num_cached + n)."""
    ids = pad_sequence(tails, batch_first=True, padding_side="left")
    mask = pad_sequence([torch.ones_like(tail) for tail in tails], batch_first=True, padding_side="left")
    return ids, F.pad(mask, (num_cached, 0), value=1)


def _entered(session: Session) -> tuple[int, ...]:
    """Visual tokens that entered each layer of the latest prefill."""
    return tuple(map(len, session.recorder.record.kept))


def prompt(adapter: Adapter, question: str, num_visual: int) -> tuple[Tensor, Tensor]:
    """Token ids of a chat about a video: up to its last place, and from the question on."""
    processor, place = adapter.processor, adapter.model.config.video_token_id
    content = [{"type": "video"}, {"type": "text", "text": adapter.plain(question)}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    ids = processor.tokenizer(text, return_tensors="pt")["input_ids"][0]
    at = ids.tolist().index(place)
    return torch.cat([ids[:at], ids.new_full((num_visual,), place)]), ids[at + 1 :]


class _CachedMerger:
    """A merger whose result for one video is cached for all prompts about it."""

    def __init__(self, merger: Merger, done: dict[Merger, Merged | Reduced]):
        self.merger, self.done = merger, done

    def __call__(self, tokens: Tensor, *args, **kwargs) -> Merged | Reduced:
        if self.merger not in self.done:
            self.done[self.merger] = self.merger(tokens, *args, **kwargs)
        return self.done[self.merger]

    @property
    def needs_tower(self) -> bool:
        return needs_tower(self.merger)

    @property
    def tower_share(self) -> float:
        return tower_share(self.merger)

    def on_grid(self, grid: tuple[int, int]) -> Merger:
        return _CachedMerger(self.merger.on_grid(grid), self.done) if isinstance(self.merger, GridMerger) else self

    def reduces(self) -> bool:
        return self.merger.reduces()
