"""Pruning inside a stock decoder: the only place where a model is touched, and given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

_NAME = "sdpa_scored"  # stock sdpa that also lets a watcher see query and key
_watchers: WeakKeyDictionary[nn.Module, Callable[[Tensor, Tensor, float], None]] = WeakKeyDictionary()


class Pruning:
    """What happened to the visual tokens in one prefill.

    kept:   for each layer (k,) int64, ascending rows of the visual tokens that entered it.
    scores: for each layer (k,) float32 scores of those rows, or None where none were needed.
    """

    def __init__(self, plan: Sequence[int], start: int, num_visual: int):
        self.plan, self.start, self.num_visual = list(plan), start, num_visual
        self.kept: list[Tensor] = []
        self.scores: list[Tensor | None] = [None] * len(self.plan)

    def needs_scores(self, layer: int) -> bool:
        """Scores of a layer rank its tokens for the next one; none are needed if all or none go on."""
        return layer + 1 < len(self.plan) and 0 < self.plan[layer + 1] < self.plan[layer]


@contextmanager
def pruning(
    decoder: nn.Module,
    plan: Sequence[int],
    start: int,
    num_visual: int,
    score: Callable[[Tensor, Tensor, float], Tensor],
) -> Iterator[Pruning]:
    """Drop visual tokens between the layers of `decoder` in the one prefill run inside the block.

    decoder:    a stock decoder with `.layers`, batch 1, no padding, sdpa attention.
    plan:       visual tokens that enter each layer, never rising.
    start:      row of the first visual token; they are `num_visual` rows in a row.
    score:      (query, key, scale) → (1, n), as `aim_core.importance.pagerank`; called where ranks are needed.

    The best plan[i + 1] tokens of layer i enter layer i + 1, in their old order; text always stays.
    A plan that drops nothing attaches nothing. Raises ValueError for a plan that does not fit.
    """
    _check_plan(plan, len(decoder.layers), num_visual)
    record = Pruning(plan, start, num_visual)
    if all(count == num_visual for count in plan):
        record.kept = [torch.arange(num_visual)] * len(record.plan)
        yield record
        return
    if decoder.config._attn_implementation != "sdpa":
        raise ValueError(
            f"pruning needs sdpa attention, got {decoder.config._attn_implementation}: load the model with it"
        )
    AttentionInterface.register(_NAME, _scored_attention)
    AttentionMaskInterface.register(_NAME, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    alive = _Alive(record, score)
    with ExitStack() as stack:
        stack.callback(decoder.set_attn_implementation, "sdpa")
        decoder.set_attn_implementation(_NAME)
        for index, layer in enumerate(decoder.layers):
            stack.enter_context(layer.register_forward_pre_hook(alive.entering(index), with_kwargs=True))
            if record.needs_scores(index):
                stack.callback(_watchers.pop, layer.self_attn, None)
                _watchers[layer.self_attn] = alive.watcher(index)
        yield record


class _Alive:
    """The rows still in the sequence, as the layers go by."""

    def __init__(self, record: Pruning, score: Callable[[Tensor, Tensor, float], Tensor]):
        self.record, self.score = record, score
        self.rows: Tensor | None = None  # (n,) rows of the full sequence that are left

    def entering(self, index: int) -> Callable:
        """The pre-hook of layer `index`: drop what the plan says, and shorten what arrives at full length."""

        def hook(_layer: nn.Module, args: tuple, kwargs: dict):
            hidden = args[0]  # (1, n, d), already short; mask and positions come at full length to every layer
            if index == 0:
                if hidden.shape[0] != 1:
                    raise ValueError(f"pruning takes one sample at a time, got a batch of {hidden.shape[0]}")
                self.rows = torch.arange(hidden.shape[1], device=hidden.device)
            staying = self._staying(index)
            if len(staying) < len(self.rows):
                self.rows, hidden = self.rows[staying], hidden[:, staying]
            visual = self.rows - self.record.start
            self.record.kept.append(visual[(visual >= 0) & (visual < self.record.num_visual)].cpu())
            return (hidden, *args[1:]), kwargs | _shorten(kwargs, self.rows)

        return hook

    def watcher(self, index: int) -> Callable[[Tensor, Tensor, float], None]:
        """What sees layer `index`'s query and key, and writes down its visual tokens' scores."""

        def watch(query: Tensor, key: Tensor, scale: float) -> None:
            scores = self.score(query, key, scale)[0]  # (n,) text and visual tokens
            self.record.scores[index] = scores[self._is_visual()]

        return watch

    def _is_visual(self) -> Tensor:
        return (self.rows >= self.record.start) & (self.rows < self.record.start + self.record.num_visual)

    def _staying(self, index: int) -> Tensor:
        """Indices into `rows` of what enters layer `index`: all text and the best visual tokens, in order."""
        visual = self._is_visual().nonzero()[:, 0]
        count = self.record.plan[index]
        if count == len(visual):
            return torch.arange(len(self.rows), device=self.rows.device)
        scores = self.record.scores[index - 1] if index else None
        if count and scores is None:
            raise RuntimeError(f"layer {index} must choose {count} of {len(visual)} tokens without scores")
        best = scores.argsort(descending=True, stable=True)[:count] if count else visual[:0]
        stays = ~self._is_visual()
        stays[visual[best]] = True
        return stays.nonzero()[:, 0]


def _shorten(kwargs: dict, rows: Tensor) -> dict:
    """Mask and positions of the full sequence, cut to the rows that are left."""
    short = {"position_embeddings": tuple(part[:, rows] for part in kwargs["position_embeddings"])}
    if (positions := kwargs.get("position_ids")) is not None:
        short["position_ids"] = positions[..., rows]
    if (mask := kwargs.get("attention_mask")) is not None:
        short["attention_mask"] = mask[:, :, rows][..., rows]
    return short


def _scored_attention(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask, **kwargs):
    """Stock sdpa attention; a watcher of the module sees query and key first."""
    if (watch := _watchers.get(module)) is not None:
        watch(query, key, kwargs.get("scaling") or query.shape[-1] ** -0.5)
    return ALL_ATTENTION_FUNCTIONS["sdpa"](module, query, key, value, attention_mask, **kwargs)


def _check_plan(plan: Sequence[int], num_layers: int, num_visual: int) -> None:
    if len(plan) != num_layers:
        raise ValueError(f"the plan needs a count for each of {num_layers} layers, got {len(plan)}")
    if plan[0] != num_visual:
        raise ValueError(f"all {num_visual} visual tokens enter layer 0, the plan says {plan[0]}")
    if any(later > earlier for earlier, later in pairwise(plan)):
        raise ValueError(f"a dropped token cannot come back: the plan rises, {list(plan)}")
