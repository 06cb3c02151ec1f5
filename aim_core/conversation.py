"""Conversation: further questions on the cache that a first one has left, without looking at the frames again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from aim_core.adapters.base import Adapter
from aim_core.adapters.chat import further_turn
from aim_core.errors import Stopped
from aim_core.forward.cache import PrunedCacheLayer
from aim_core.forward.dialect import cache_of, call
from aim_core.forward.greedy import decode, end_ids
from aim_core.forward.hooks import patched, stoppable, told
from aim_core.forward.session import Session
from aim_core.methods.aim import as_method
from aim_core.ops.flops import further_flops
from aim_core.result import Result
from aim_core.timing import timed
from aim_core.trace import Trace

Exclusive = Callable[[Callable[[], bool] | None], AbstractContextManager[None]]


class ConversationFullError(ValueError):
    """A conversation, one more question and the longest answer need more tokens than the model can read."""

    def __init__(self, needed: int, most: int):
        super().__init__(
            f"The conversation would need {needed:,} tokens and this model reads {most:,}: "
            "begin a new one, with fewer frames if the first question took most of them."
        )
        self.needed, self.most = needed, most


@dataclass(frozen=True, eq=False)
class Held:
    """What the cache of a conversation holds, from which further questions are answered.

    tokens_per_layer: visual and text tokens in the cache of each layer; in mode "masked" also those that nobody sees.
    visual_per_layer: visual tokens that further questions see in each layer; they stay the same from turn to turn.
    dense_visual:     visual tokens that each layer of a dense cache holds.
    num_bytes:        of its keys and values.
    trace:            of the first question, which says which patches are behind the visual tokens.
    """

    tokens_per_layer: tuple[int, ...]
    visual_per_layer: tuple[int, ...]
    dense_visual: int
    num_bytes: int
    trace: Trace

    def patches(self, layer: int) -> np.ndarray:
        """(V, n) bool, of each view the patches whose tokens the cache of a layer holds."""
        return self.trace.alive(layer)


@dataclass(frozen=True, eq=False)
class Reply:
    """The answer to a further question.

    answer_ids: generated token ids, the end mark included if one was reached.
    num_new:    tokens that were read before the first word: the end of the answer before, and the question.
    language_flops: operations of the language model for these, over what each layer's cache held.
    whole_flops:    operations of a dense prefill of the same conversation from its beginning.
    prefill_ms, decode_ms: milliseconds by the clock to the first word, and for all words after it.
    first_token_logprobs: (vocabulary,) float32, log-probabilities of the first answer token, in nats.
    held:       what the cache held when the question was asked.
    """

    question: str
    answer: str
    answer_ids: tuple[int, ...]
    num_new: int
    language_flops: int
    whole_flops: int
    prefill_ms: float
    decode_ms: float
    first_token_logprobs: np.ndarray
    held: Held


class Conversation:
    """A first question with its `result`, and the `replies` to further ones, asked in the same method's cache.

    Made by `Engine.converse`; holds the cache for as long as it lives. Safe to use from many threads, which are
    answered one after the other.
    """

    def __init__(
        self,
        adapter: Adapter,
        exclusive: Exclusive,
        parts: list[str],
        question: str,
        result: Result,
        cache: DynamicCache,
        positions: Tensor | None,
    ):
        """exclusive: waits for the model, as `Engine` does. parts: see `chat.first_turn`. positions: see
        `hooks.position_state`."""
        self.result = result
        self.replies: tuple[Reply, ...] = ()
        self._adapter, self._exclusive, self._parts, self._question = adapter, exclusive, parts, question
        self._cache, self._positions = cache, positions
        self._answer_ids, self._begun_with = result.answer_ids, self._stored

    @property
    def held(self) -> Held:
        """What the cache holds now."""
        trace = self.result.trace
        visual = tuple(trace.retained.tolist())
        return Held(self._stored, visual, trace.dense_tokens, self.num_bytes, trace)

    @property
    def num_bytes(self) -> int:
        """Of the cache's keys and values."""
        return sum(part.nbytes for layer in self._cache.layers for part in (layer.keys, layer.values))

    @property
    def num_tokens(self) -> int:
        """Tokens of the conversation so far, counted as if nothing were missing from the cache."""
        return int(self._cache.get_seq_length())

    def ask(
        self,
        question: str,
        *,
        max_new_tokens: int = 64,
        stop: Callable[[], bool] | None = None,
        on_layer: Callable[[int], None] | None = None,
    ) -> Reply:
        """Answer a further question from what the cache holds.

        stop, on_layer: as in `Engine.run`.
        Raises ValueError for an empty question, a bad number, or where the model can read no more; and Stopped. The
        conversation is as it was before each of them.
        """
        check_question(question)
        if max_new_tokens < 1:
            raise ValueError(f"max_new_tokens must be at least 1, got {max_new_tokens}")
        adapter = self._adapter
        with (
            self._exclusive(stop),
            torch.inference_mode(),
            stoppable(adapter.model, stop),
            told(adapter.decoder, on_layer),
        ):
            if stop and stop():
                raise Stopped
            return self._ask(question, max_new_tokens)

    def fork(self) -> Conversation:
        """Another one that goes on from here; what both hold is shared."""
        return copy(self)

    def restarted(self) -> Conversation:
        """Another one that goes on from the first answer, as if nothing further had been asked."""
        own = copy(self)
        own._cache, own._answer_ids, own.replies = _copied(self._cache), self.result.answer_ids, ()
        for layer, count in zip(own._cache.layers, self._begun_with, strict=True):
            layer.keys, layer.values = layer.keys[..., :count, :], layer.values[..., :count, :]
            if isinstance(layer, PrunedCacheLayer) and layer.visible is not None:
                layer.visible = layer.visible[:, :count]
        return own

    def _ask(self, question: str, max_new_tokens: int) -> Reply:
        adapter, held = self._adapter, self.held
        new = self._new_ids(question)
        self._check_room(new.shape[1], max_new_tokens)
        cache = _copied(self._cache)
        device = adapter.model.device
        with patched(adapter, Session(adapter, as_method(self.result.config)), self._positions):
            logits, prefill_ms = timed(device, self._first_token, new, cache)
            ids, decode_ms = timed(device, decode, adapter.model, logits, cache, max_new_tokens)
        whole = [self.num_tokens + new.shape[1]] * adapter.num_layers
        reply = Reply(
            question=question,
            answer=adapter.said(ids),
            answer_ids=tuple(ids),
            num_new=new.shape[1],
            language_flops=further_flops(new.shape[1], held.tokens_per_layer, **adapter.sizes),
            whole_flops=further_flops(whole[0], [0] * len(whole), **adapter.sizes),
            prefill_ms=prefill_ms,
            decode_ms=decode_ms,
            first_token_logprobs=logits[0].float().log_softmax(-1).cpu().numpy(),
            held=held,
        )
        self._cache, self._answer_ids, self.replies = cache, reply.answer_ids, (*self.replies, reply)
        return reply

    def _first_token(self, new: Tensor, cache: DynamicCache) -> Tensor:
        """Logits (1, vocabulary) after the new tokens (1, n), which are added to the cache."""
        out = call(self._adapter.model, input_ids=new, past_key_values=cache, use_cache=True, logits_to_keep=1)
        assert cache_of(out) is cache
        return out.logits[:, -1]

    def _new_ids(self, question: str) -> Tensor:
        """(1, n) token ids between what the cache holds and the next answer.

        The last token of an answer is in no cache yet; an end mark is the template's to write.
        """
        adapter = self._adapter
        turns = [(self._question, self.result.answer), *((own.question, own.answer) for own in self.replies)]
        turns = [(adapter.plain(asked), answer) for asked, answer in turns]
        text = further_turn(adapter.processor, self._parts, turns, adapter.plain(question))
        said = [own for own in self._answer_ids[-1:] if own not in end_ids(adapter.model)]
        ids = adapter.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        return torch.tensor([[*said, *ids]], device=adapter.model.device)

    def _check_room(self, num_new: int, max_new_tokens: int) -> None:
        most = getattr(self._adapter.decoder.config, "max_position_embeddings", None)
        needed = self.num_tokens + num_new + max_new_tokens
        if most is not None and needed > most:
            raise ConversationFullError(needed, most)

    @property
    def _stored(self) -> tuple[int, ...]:
        return tuple(int(layer.keys.shape[-2]) for layer in self._cache.layers)


def _copied(cache: DynamicCache) -> DynamicCache:
    """A cache that grows by itself; layers put new tensors in the place of old ones, so none are copied."""
    own = copy(cache)
    own.layers = [copy(layer) for layer in cache.layers]
    return own


def check_question(question: str) -> None:
    """Raise ValueError for an empty one."""
    if not question.strip():
        raise ValueError("The question is empty. Type a question about the video.")
