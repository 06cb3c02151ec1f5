"""Batch: shortened prompts of different lengths side by side, filled up in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.adapters.layout import Layout
from aim_core.forward.merged_prompt import Short


@dataclass(frozen=True, eq=False)
class Batch:
    """b shortened prompts.

    embeds:  (b, n, d).
    valid:   (b, n) bool, neither filling nor padding of the full prompts.
    visual:  (b, n) bool.
    removed: (b, 1) int64, rows merged away.
    """

    shorts: tuple[Short, ...]
    embeds: Tensor
    valid: Tensor
    visual: Tensor
    removed: Tensor

    def positions(self, full: Tensor, anew: bool) -> Tensor:
        """Position ids (..., b, n) from those of the full prompts, (..., b or 1, N).

        anew: the shorter prompts are numbered without gaps; otherwise every row keeps its own position.
        """
        full = full.expand(*full.shape[:-2], len(self.shorts), -1)
        found = []
        for index, short in enumerate(self.shorts):
            own = full[..., index, :]
            gaps = short.slot - torch.arange(len(short.slot), device=own.device)  # rows gone before each row
            found.append(own[..., short.slot] - gaps if anew else own[..., short.place])
        return torch.stack([_fill(own, self.embeds.shape[1]) for own in found], dim=-2)

    def instead_of(
        self, given: dict[str, Any], layouts: Sequence[Layout], anew: bool, gone: Tensor | None
    ) -> dict[str, Any]:
        """What a decoder gets in the place of the full prompts that it was given; anew: as in `positions`.

        gone: (1, n) bool, rows of a single prompt that leave before layer 0; positions are those they leave behind.
        """
        full = given.get("position_ids")
        if full is None:
            full = torch.arange(given["inputs_embeds"].shape[1], device=self.embeds.device)[None]
        answer = {
            "inputs_embeds": self.embeds,
            "attention_mask": self.valid.long(),  # given, so that jumps in positions are not taken for packing
            "position_ids": self.positions(full, anew),
        }
        if given.get("deepstack_visual_embeds") is not None:
            answer |= self.deepstack(layouts, given["visual_pos_masks"], given["deepstack_visual_embeds"], gone)
        return answer

    def deepstack(
        self, layouts: Sequence[Layout], places: Tensor, features: Sequence[Tensor], gone: Tensor | None
    ) -> dict[str, Any]:
        """What is added after the first layers (Qwen3-VL), merged in the same groups as the tokens.

        places: (b, N) bool, visual rows of the full prompts; features: for each such layer (their number, d).
        """
        merged = []
        for own in features:
            full = own.new_zeros((*places.shape, own.shape[-1]))
            full[places.to(own.device)] = own
            parts = zip(self.shorts, full, layouts, strict=True)
            merged.append(torch.cat([short.carry(whole, layout.views)[short.visual] for short, whole, layout in parts]))
        if gone is None:
            return {"visual_pos_masks": self.visual, "deepstack_visual_embeds": merged}
        stays = ~gone[0]
        left = [own[stays[self.visual[0]].to(own.device)] for own in merged]
        return {"visual_pos_masks": self.visual[:, stays], "deepstack_visual_embeds": left}


def side_by_side(shorts: Sequence[Short], mask: Tensor | None) -> Batch:
    """mask: (b, N), what is not 0 is no padding of the full prompts; None for no padding."""
    longest = max(len(short.slot) for short in shorts)
    valid = [torch.ones_like(s.visual) if mask is None else mask[i].bool()[s.slot] for i, s in enumerate(shorts)]
    return Batch(
        tuple(shorts),
        torch.stack([_fill(short.embeds.mT, longest).mT for short in shorts]),
        torch.stack([_fill(own, longest) for own in valid]),
        torch.stack([_fill(short.visual, longest) for short in shorts]),
        torch.tensor([[short.num_full - len(short.slot)] for short in shorts], device=shorts[0].slot.device),
    )


def _fill(x: Tensor, length: int) -> Tensor:
    """Zeros in front of the last axis."""
    return F.pad(x, (length - x.shape[-1], 0)) if x.shape[-1] < length else x
