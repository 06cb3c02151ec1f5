"""Eager: AIM carried out as it was released (arXiv 2412.03248's code), written anew for comparison of time.

Attention writes whole matrices, pruned rows are masked and computed on, and PageRank multiplies by the whole matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface

from aim_core.adapters.base import Adapter
from aim_core.config import AimConfig
from aim_core.forward.merged_prompt import merge_prompt
from aim_core.methods.aim import MergeSimilar
from aim_core.methods.counts import where_needed
from benchmarks.shapes import Prompt
from benchmarks.timer import PrefillTiming, Timer

_NAME = "eager_masking"


@dataclass(frozen=True)
class EagerMasked:
    """Settings of AIM, to be carried out as released."""

    config: AimConfig


class Masking:
    """The attention of one prefill. `scores` (n,) are those of the layer before, `bias` (n, n) is added to logits."""

    def __init__(self, config: AimConfig, visual: Tensor, plan: list[int], like: Tensor):
        self.config, self.visual, self.schedule, self.needed = config, visual, plan, where_needed(plan)
        self.timer = Timer(like.device)
        self.lowest = torch.finfo(like.dtype).min
        n = len(visual)
        self.bias = like.new_full((n, n), self.lowest).triu(1)
        self.scores: Tensor | None = None

    def attend(self, module, query: Tensor, key: Tensor, value: Tensor, _mask, scaling: float, **_kwargs):
        layer, groups = module.layer_idx, query.shape[1] // key.shape[1]
        if layer and self.schedule[layer] < self.schedule[layer - 1]:
            self._hide(self.schedule[layer])
        logits = query @ key.repeat_interleave(groups, dim=1).mT * scaling + self.bias
        weights = logits.softmax(dim=-1, dtype=torch.float32).to(query.dtype)
        out = (weights @ value.repeat_interleave(groups, dim=1)).transpose(1, 2).contiguous()
        if layer in self.needed:
            with self.timer.running():
                self.scores = self._rank(logits)
        return out, weights

    def _rank(self, logits: Tensor) -> Tensor:
        """(n,) PageRank of every row, those of masked rows too, which still vote."""
        matrix = (logits.to(torch.promote_types(logits.dtype, torch.float32)) / self.config.temperature).softmax(dim=-1)
        rank = matrix.new_full((*matrix.shape[:2], 1, matrix.shape[-1]), 1 / matrix.shape[-1])
        for _ in range(self.config.iterations):
            rank = rank @ matrix
        return rank.square().mean(dim=1).sqrt()[0, 0]

    def _hide(self, count: int) -> None:
        """Mask the columns of all visual rows but the best `count`."""
        left = torch.zeros_like(self.visual)
        if count:
            left[self.scores.masked_fill(~self.visual, -1).argsort(descending=True, stable=True)[:count]] = True
        self.bias[:, self.visual & ~left] = self.lowest
        self.visual = left


@torch.inference_mode()
def eager_prefill(adapter: Adapter, prompt: Prompt, setting: EagerMasked) -> tuple[PrefillTiming, Tensor]:
    """Run it once; what it took, and the logits (vocabulary,) of the next token."""
    config = setting.config
    whole, merge = Timer(prompt.embeds.device), Timer(prompt.embeds.device)
    with whole.running():
        with merge.running():
            short = merge_prompt(prompt.embeds[0], prompt.layout, MergeSimilar(config.keep_ratio))
        plan = config.schedule.tokens_entering(int(short.visual.sum()), adapter.num_layers)
        masking = Masking(config, short.visual, plan, short.embeds)
        AttentionInterface.register(_NAME, masking.attend)
        AttentionMaskInterface.register(_NAME, lambda *_args, **_kwargs: None)
        adapter.decoder.set_attn_implementation(_NAME)
        try:
            out = adapter.model(inputs_embeds=short.embeds[None], use_cache=True, logits_to_keep=1)
        finally:
            adapter.decoder.set_attn_implementation("sdpa")
    tokens = (len(short.embeds),) * adapter.num_layers
    return PrefillTiming(tokens, whole.ms, masking.timer.ms, merge.ms), out.logits[0, -1]
