"""Diagnostics: what is measured of a run beyond what the method itself needs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from transformers import Cache

from aim_core.forward.cache import PrunedCacheLayer
from aim_core.forward.merged_prompt import MergedPrompt
from aim_core.forward.recorder import Record
from aim_core.ops.ragged import filled
from aim_core.token_attention import MOST, TokenAttention


class Diagnostics:
    """Follows one prompt and the tokens decoded after it, and keeps what the run would throw away; the rest is computed
    after the run.

    details:      whether to record every PageRank iteration, and the queries that chose each answer token.
    other_scores: whether to score each scored layer by `OTHERS` too; details say so as well.
    """

    def __init__(self, details: bool = False, other_scores: bool = False):
        self.details, self.other_scores = details, details or other_scores
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

    def attention(self, record: Record, cache: Cache) -> tuple[np.ndarray, TokenAttention]:
        """See `Result.frame_attention` and `Result.token_attention`; `cache` after the last forward."""
        member = _membership(record, self._prompt)
        num_tokens, is_by_head = self._affordable(sum(map(len, record.kept)))
        shares, by_token = [], []
        for layer, (kept, places) in enumerate(zip(record.kept, record.places, strict=True)):
            own = self._on_rows(layer, places, cache)
            if len(kept):
                shares.append(own.mean(dim=1).float() @ member[kept].to(own.device))
            told = own[:num_tokens] if is_by_head else own[:num_tokens].mean(dim=1, keepdim=True)
            by_token.append(told.float().cpu().numpy())
        mean = torch.stack([own.to(shares[0].device) for own in shares]).mean(dim=0)
        return mean.cpu().numpy(), TokenAttention.of(_rows(record), _last_layers(record), by_token)

    def _affordable(self, num_entered: int) -> tuple[int, bool]:
        """Answer tokens to record by visual token, and whether by head; num_entered: visual rows of all layers."""
        queries = self._queries[0]
        if len(queries) * len(queries[0]) * num_entered <= MOST:
            return len(queries), True
        return min(len(queries), MOST // num_entered), False

    def _on_rows(self, layer: int, places: Tensor, cache: Cache) -> Tensor:
        """(t, heads, k), the attention of every answer token to the kept rows of a layer, which stand at `places`."""
        stored, queries = cache.layers[layer], torch.stack(self._queries[layer])
        keys = stored.keys[0]
        visible = torch.ones(keys.shape[1], dtype=torch.bool, device=keys.device)
        if isinstance(stored, PrunedCacheLayer) and stored.visible is not None:
            visible = stored.visible[0].to(keys.device)
        return attention_of_rows(queries, keys, self._scales[layer], visible)[..., places.to(keys.device)]


def attention_of_rows(queries: Tensor, keys: Tensor, scale: float, visible: Tensor) -> Tensor:
    """Attention of single rows, one after the other, to what each of them sees.

    queries: (t, heads, d); keys: (kv_heads, m, d), of which row i sees the first m - t + 1 + i, where they are visible.
    visible: (m,) bool.
    Returns (t, heads, m), float32 or wider.
    """
    num, heads, _ = queries.shape
    kv_heads, length, _ = keys.shape
    wide = torch.promote_types(queries.dtype, torch.float32)
    groups = queries.to(wide).unflatten(1, (kv_heads, -1)).transpose(0, 1).flatten(1, 2)  # (kv_heads, t * group, d)
    logits = (groups @ keys.to(wide).mT * scale).view(kv_heads, num, heads // kv_heads, length)
    seen = torch.ones(num, length, dtype=torch.bool, device=keys.device).tril(length - num) & visible
    attention = logits.masked_fill(~seen[:, None], -torch.inf).softmax(dim=-1)
    return attention.transpose(0, 1).flatten(1, 2)


def _membership(record: Record, prompt: MergedPrompt) -> Tensor:
    """(visual rows, views) float32: 1 where a row has patches of a view; separators have none."""
    member = torch.zeros(int(prompt.visual.sum()), len(record.groups), device=prompt.visual.device)
    for view, group in enumerate(record.groups):
        member[group[group >= 0], view] = 1
    return member


def _rows(record: Record) -> np.ndarray:
    """(views, patches) the visual row of each patch, -1 for none."""
    return filled([group.cpu().numpy() for group in record.groups], -1, np.int64)


def _last_layers(record: Record) -> np.ndarray:
    """(rows,) the last layer that each visual row entered, -1 for none."""
    num_rows = 1 + max(int(rows.max()) for rows in (*record.groups, *record.kept) if len(rows))
    last = np.full(num_rows, -1, dtype=np.int64)
    for layer, kept in enumerate(record.kept):
        last[kept.cpu().numpy()] = layer
    return last
