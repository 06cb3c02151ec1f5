"""Tower hooks: what the vision tower attends with, told, and tokens merged in its layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor

from aim_core.adapters.tower import Tower
from aim_core.forward.forward_hooks import ForwardHooks
from aim_core.forward.merging_tower import MergingTower
from aim_core.forward.reported_attention import on_attention, reported_attention
from aim_core.reasons import UnfitError


@contextmanager
def reported_tower(tower: Tower, hooks: ForwardHooks) -> Iterator[None]:
    """Tell `hooks` what one layer of the vision tower attends with."""
    if (kind := tower.model.config._attn_implementation) != "sdpa":
        raise ValueError(
            f"this method ranks by the vision tower's attention, which must be sdpa, got {kind}: "
            'load with attn_implementation="sdpa"'
        )

    def report(query: Tensor, key: Tensor, scale: float, mask: Tensor | None) -> bool:
        with torch.no_grad():
            hooks.on_tower(query, key, scale, mask)
        return True

    with reported_attention(tower.model), on_attention(tower.attention, report):
        yield


@contextmanager
def merging_in_tower(tower: Tower, hooks: ForwardHooks) -> Iterator[None]:
    """Merge tokens in the layers of a tower whose attention is reported.

    First among the hooks on a layer: others, which collect hidden states, are to see the full grid at the end.
    """
    if not tower.layers:
        raise UnfitError("tower_packed", model_type=tower.model.config.model_type)
    merging = MergingTower(tower, hooks.tower_share, hooks.on_tower, hooks.saved_in_tower)
    with ExitStack() as stack:
        for number, layer in enumerate(tower.layers):
            attention, norm, mlp = (getattr(layer, name) for name in tower.parts)
            stack.enter_context(on_attention(attention, partial(merging.attend, number)))
            for handle in (
                norm.register_forward_pre_hook(lambda _norm, args: (merging.merge(args[0]),)),
                mlp.register_forward_hook(lambda _mlp, _args, output: merging.unmerge(output)),
                layer.register_forward_hook(lambda _layer, _args, output: merging.leave(output), prepend=True),
            ):
                stack.enter_context(handle)
        yield
