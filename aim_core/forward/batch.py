"""Batch: merged prompts of different lengths side by side, padded in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.forward.merged_prompt import MergedPrompt


@dataclass(frozen=True, eq=False)
class Batch:
    """b merged prompts.

    embeds:  (b, n, d).
    valid:   (b, n) bool, neither filling nor padding of the full prompts.
    visual:  (b, n) bool.
    audio:   (b, n) bool.
    num_removed: (b, 1) int64, rows merged away.
    """

    prompts: tuple[MergedPrompt, ...]
    embeds: Tensor
    valid: Tensor
    visual: Tensor
    audio: Tensor
    num_removed: Tensor

    def positions(self, full: Tensor, renumber: bool) -> Tensor:
        """Position ids (..., b, n) from those of the full prompts, (..., b or 1, N).

        renumber: the shorter prompts are numbered without gaps; otherwise every row keeps its own position.
        """
        full = full.expand(*full.shape[:-2], len(self.prompts), -1)
        found = []
        for index, prompt in enumerate(self.prompts):
            own = full[..., index, :]
            gaps = prompt.rows - torch.arange(len(prompt.rows), device=own.device)  # rows removed before each row
            found.append(own[..., prompt.rows] - gaps if renumber else own[..., prompt.position_of])
        return torch.stack([_fill(own, self.embeds.shape[1]) for own in found], dim=-2)

    def decoder_inputs(self, given: dict[str, Any], renumber: bool, removed_rows: Tensor | None) -> dict[str, Any]:
        """What a decoder gets in the place of the full prompts that it was given; renumber: as in `positions`.

        removed_rows: (1, n) bool, rows of a single prompt that leave before layer 0; positions keep their gaps.
        """
        full = given.get("position_ids")
        if full is None:
            full = torch.arange(given["inputs_embeds"].shape[1], device=self.embeds.device)[None]
        answer = {
            "inputs_embeds": self.embeds,
            "attention_mask": self.valid.long(),  # given, so that jumps in positions are not taken for packing
            "position_ids": self.positions(full, renumber),
        }
        if given.get("deepstack_visual_embeds") is not None:
            answer |= self.deepstack(given["visual_pos_masks"], given["deepstack_visual_embeds"], removed_rows)
        return answer

    def deepstack(self, is_visual: Tensor, features: Sequence[Tensor], removed_rows: Tensor | None) -> dict[str, Any]:
        """What is added after the first layers (Qwen3-VL), merged in the same groups as the tokens.

        is_visual: (b, N) bool, visual rows of the full prompts; features: for each such layer (their number, d).
        """
        merged = []
        for own in features:
            full = own.new_zeros((*is_visual.shape, own.shape[-1]))
            full[is_visual.to(own.device)] = own
            parts = zip(self.prompts, full, strict=True)
            merged.append(torch.cat([prompt.merge_like(whole)[prompt.visual] for prompt, whole in parts]))
        if removed_rows is None:
            return {"visual_pos_masks": self.visual, "deepstack_visual_embeds": merged}
        stays = ~removed_rows[0]
        left = [own[stays[self.visual[0]].to(own.device)] for own in merged]
        return {"visual_pos_masks": self.visual[:, stays], "deepstack_visual_embeds": left}


def collate(prompts: Sequence[MergedPrompt], mask: Tensor | None) -> Batch:
    """mask: (b, N), what is not 0 is no padding of the full prompts; None for no padding."""
    longest = max(len(prompt.rows) for prompt in prompts)
    valid = [torch.ones_like(s.visual) if mask is None else mask[i].bool()[s.rows] for i, s in enumerate(prompts)]
    return Batch(
        tuple(prompts),
        torch.stack([_fill(prompt.embeds.mT, longest).mT for prompt in prompts]),
        torch.stack([_fill(own, longest) for own in valid]),
        torch.stack([_fill(prompt.visual, longest) for prompt in prompts]),
        torch.stack([_fill(prompt.audio, longest) for prompt in prompts]),
        torch.tensor([[prompt.num_full - len(prompt.rows)] for prompt in prompts], device=prompts[0].rows.device),
    )


def _fill(x: Tensor, length: int) -> Tensor:
    """Zeros in front of the last axis."""
    return F.pad(x, (length - x.shape[-1], 0)) if x.shape[-1] < length else x
