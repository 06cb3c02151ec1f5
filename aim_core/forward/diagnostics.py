"""Diagnostics: what is measured of a run beyond what the method itself needs."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import Cache

from aim_core.forward.cache import PrunedCacheLayer
from aim_core.forward.merged_prompt import MergedPrompt
from aim_core.forward.recorder import Record


class Diagnostics:
    """Follows one prompt and the tokens decoded after it, and keeps what the run would throw away; the rest is computed
    after the run.

    details: whether to record every PageRank iteration, and the queries that chose each answer token.
    """

    def __init__(self, details: bool = False):
        self.details = details
        self._embeds: Tensor | None = None
        self._queries: dict[int, list[Tensor]] = {}  # by layer, (heads, d) for each forward
        self._scales: dict[int, float] = {}

    def begin(self, embeds: Tensor, prompt: MergedPrompt) -> None:
        """A prefill of one prompt begins: embeds (N, d) before it was merged into `prompt`."""
        self._embeds, self._prompt = embeds, prompt
        self._queries = {}

    def on_attention(self, layer: int, query: Tensor, scale: float) -> None:
        """A layer of any forward attends: query (1, heads, m, d), of which the last row chooses the next token."""
        if self.details:
            self._queries.setdefault(layer, []).append(query[0, :, -1].clone())
            self._scales[layer] = scale

    def similarity(self) -> list[Tensor]:
        """For each view (patches,), cosine of each patch's feature with its merged token, NaN for one that was dropped;
        forgets the features."""
        embeds, self._embeds = self._embeds, None
        if embeds is None:
            raise ValueError("similarity is known once after a prefill")
        return [own for part in self._prompt.parts for own in part.reduced.similarity_to(embeds[part.rows])]

    def frame_attention(self, record: Record, cache: Cache) -> Tensor:
        """(answer tokens, views) float32, see `Result.frame_attention`; `cache` after the last forward."""
        member = _membership(record, self._prompt)
        shares = [
            _shares(torch.stack(self._queries[layer]), self._scales[layer], cache.layers[layer], places, member[kept])
            for layer, (kept, places) in enumerate(zip(record.kept, record.places, strict=True))
            if len(kept)
        ]
        return torch.stack([own.to(shares[0].device) for own in shares]).mean(dim=0)


def attention_shares(queries: Tensor, keys: Tensor, scale: float, visible: Tensor, member: Tensor) -> Tensor:
    """Attention of single rows, mean over heads, summed by groups of keys.

    queries: (t, heads, d), rows that came one after the other; keys: (kv_heads, m, d). Row i sees the first
             m - t + 1 + i of them, where they are visible.
    visible: (m,) bool; member: (m, groups) float32, 1 where a key belongs to a group.
    Returns (t, groups) float32.
    """
    num, heads, _ = queries.shape
    kv_heads, length, _ = keys.shape
    wide = torch.promote_types(queries.dtype, torch.float32)
    groups = queries.to(wide).unflatten(1, (kv_heads, -1)).transpose(0, 1).flatten(1, 2)  # (kv_heads, t * group, d)
    logits = (groups @ keys.to(wide).mT * scale).view(kv_heads, num, heads // kv_heads, length)
    seen = torch.ones(num, length, dtype=torch.bool, device=keys.device).tril(length - num) & visible
    attention = logits.masked_fill(~seen[:, None], -torch.inf).softmax(dim=-1)
    return attention.mean(dim=(0, 2)).float() @ member


def _shares(queries: Tensor, scale: float, stored, places: Tensor, member: Tensor) -> Tensor:
    """`attention_shares` over what a layer of the cache holds; kept rows stand at `places` (k,), member (k, views)."""
    keys = stored.keys[0]
    visible = torch.ones(keys.shape[1], dtype=torch.bool, device=keys.device)
    if isinstance(stored, PrunedCacheLayer) and stored.visible is not None:
        visible = stored.visible[0].to(keys.device)
    whole = torch.zeros(keys.shape[1], member.shape[1], device=keys.device)
    whole[places.to(keys.device)] = member.to(keys.device)
    return attention_shares(queries, keys, scale, visible, whole)


def _membership(record: Record, prompt: MergedPrompt) -> Tensor:
    """(visual rows, views) float32: 1 where a row has patches of a view; separators have none."""
    member = torch.zeros(int(prompt.visual.sum()), len(record.groups), device=prompt.visual.device)
    for view, group in enumerate(record.groups):
        member[group[group >= 0], view] = 1
    return member
