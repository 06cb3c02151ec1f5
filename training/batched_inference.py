"""Batched inference: many questions about one video under many methods; vision tower and each merge run only once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutputWithPooling

from aim_core.adapters.base import Adapter, Call
from aim_core.forward.dialect import cache_of, call
from aim_core.forward.hooks import patched
from aim_core.forward.session import EncodedPrompt, Session
from aim_core.methods.base import Merger, Method
from aim_core.ops.merging import Merged
from aim_core.ops.reduced import Reduced

MAX_BATCHED_TOKENS = 400  # visual tokens after merging; prompts with more are run one at a time


class Video:
    """The visual tokens of some frames, and a cache of how each method merged them."""

    def __init__(self, adapter: Adapter, frames: np.ndarray):
        """frames: (F, H, W, 3) uint8; frames that are alike to the pixel are encoded once."""
        self.adapter, self.merges = adapter, {}
        index: dict[bytes, int] = {}
        order = [index.setdefault(frame.tobytes(), len(index)) for frame in frames]
        different = np.stack([frames[order.index(i)] for i in range(len(index))])
        times = np.arange(len(different), dtype=np.float32)
        rows = adapter.encode(adapter.inputs(different, times, "?"))["video"].pooler_output[0]  # (frames * n + 1, d)
        tokens = rows[:-1].unflatten(0, (len(index), -1))[order]  # (F, n, d)
        self.rows = torch.cat([tokens.flatten(0, 1), rows[-1:]])  # (F * n + 1, d)
        self.tokens = tokens

    @property
    def num_visual(self) -> int:
        return len(self.rows)

    def first_tokens(self, method: Method, questions: list[str]) -> list[int]:
        """The first token id that the model answers to each question; an answer of the shape world is one word."""
        session = self._session(method)
        with torch.inference_mode(), patched(self.adapter, session):
            if not _prunes(method, self.num_visual, self.adapter.num_layers):
                return self._next_logits(*self._prefill_video(session, questions)).argmax(-1).tolist()
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
        return Session(self.adapter, replace(method, merger=_CachedMerger(method.merger, self.merges)))

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
        """What the model answers to each question, by a method that prunes nothing; ValueError for one that prunes.

        The video's rows are computed once; each further token costs the rows of all questions and answers so far.
        """
        if _prunes(method, self.num_visual, self.adapter.num_layers):
            raise ValueError("questions are answered side by side by methods that prune nothing")
        tokenizer, said = self.adapter.processor.tokenizer, [torch.zeros(0, dtype=torch.long)] * len(questions)
        session = self._session(method)
        with torch.inference_mode(), patched(self.adapter, session):
            cache, tails = self._prefill_video(session, questions)
            while len(said[0]) < max_new_tokens and not all(tokenizer.eos_token_id in own for own in said):
                words = self._next_logits(cache, [torch.cat(own) for own in zip(tails, said, strict=True)]).argmax(-1)
                said = [torch.cat([own, word[None]]) for own, word in zip(said, words, strict=True)]
        ended = [own[: (own == tokenizer.eos_token_id).cumsum(0).eq(0).sum()] for own in said]
        return [tokenizer.decode(own, skip_special_tokens=True).strip() for own in ended]

    def _prefill_video(self, session: Session, questions: list[str]) -> tuple[DynamicCache, list[Tensor]]:
        """The cache of the video's rows, once for each question, and the token ids that follow.

        Nothing that the video's rows hold depends on the question.
        """
        parts = [prompt(self.adapter, question, self.num_visual) for question in questions]
        cache = cache_of(self._forward(session, parts[0][0][None], None, use_cache=True))
        cache.batch_repeat_interleave(len(questions))
        return cache, [tail for _, tail in parts]

    def _next_logits(self, cache: DynamicCache, tails: list[Tensor]) -> Tensor:
        """(questions, vocabulary) logits after each tail; the cache is left as it was."""
        ends = torch.tensor([len(tail) - 1 for tail in tails])
        ids = pad_sequence(tails, batch_first=True)  # rows after the end look back only
        logits = call(self.adapter.model, input_ids=ids, past_key_values=cache, use_cache=True).logits
        cache.crop(-ids.shape[1])
        return logits[torch.arange(len(ends)), ends]

    def _forward(self, session: Session, ids: Tensor, mask: Tensor | None, use_cache: bool):
        output = BaseModelOutputWithPooling(pooler_output=self.rows.expand(len(ids), -1, -1))
        session.use_prompt(EncodedPrompt({}, {}, [Call("video", {}, output)]))
        return self.adapter.model(
            input_ids=ids,
            attention_mask=mask,
            mm_encoder_outputs={"video": output},
            use_cache=use_cache,
            logits_to_keep=1,
        )


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

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Merged | Reduced:
        if self.merger not in self.done:
            self.done[self.merger] = self.merger(tokens, metric)
        return self.done[self.merger]

    def reduces(self) -> bool:
        return self.merger.reduces()


def _prunes(method: Method, num_visual: int, num_layers: int) -> bool:
    plan = method.schedule.tokens_entering(num_visual, num_layers)
    return plan[-1] < plan[0]
