"""Prefill: one pass over a prompt, dense or by a setting of AIM, and what PageRank and merging take of it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace

import torch

from aim_core.adapters.base import Adapter
from aim_core.config import AimConfig
from aim_core.forward.hooks import patched
from aim_core.forward.session import Session
from aim_core.methods.aim import as_method
from aim_core.ops.flops import prefill_flops
from benchmarks.eager import EagerMasked, eager_prefill
from benchmarks.shapes import Prompt
from benchmarks.timer import PrefillTiming, Timer

Setting = AimConfig | EagerMasked | None  # None is the stock model with nothing attached


@dataclass
class TimedPart:
    """A part of a method, with a timer on its calls."""

    part: object
    timer: Timer

    def __call__(self, *args):
        with self.timer.running():
            return self.part(*args)

    def __getattr__(self, name: str):
        return getattr(self.part, name)


def prefill(adapter: Adapter, prompt: Prompt, config: Setting) -> PrefillTiming:
    """Run it once."""
    if isinstance(config, EagerMasked):
        return eager_prefill(adapter, prompt, config)[0]
    device = prompt.embeds.device
    whole, rank, merge = Timer(device), Timer(device), Timer(device)
    if config is None:
        with whole.running():
            _forward(adapter, prompt)
        return PrefillTiming((prompt.embeds.shape[1],) * adapter.num_layers, whole.ms)
    method = as_method(config)
    method = replace(method, scorer=TimedPart(method.scorer, rank), merger=TimedPart(method.merger, merge))
    session = Session(adapter, method)
    session.use_layouts([prompt.layout])
    with whole.running(), patched(adapter, session):
        _forward(adapter, prompt)
    return PrefillTiming(tuple(session.recorder.record.num_rows), whole.ms, rank.ms, merge.ms)


@torch.inference_mode()
def _forward(adapter: Adapter, prompt: Prompt) -> None:
    adapter.model(inputs_embeds=prompt.embeds, use_cache=True, logits_to_keep=1)


@dataclass
class Measurement:
    """All prefills of one setting, taken in turns with others."""

    name: str
    runs: list[PrefillTiming] = field(default_factory=list)

    @property
    def ms(self) -> float:
        return statistics.median(run.ms for run in self.runs)

    @property
    def pagerank_share(self) -> float:
        return statistics.median(run.pagerank_ms / run.ms for run in self.runs)

    @property
    def merge_share(self) -> float:
        return statistics.median(run.merge_ms / run.ms for run in self.runs)

    def flops(self, adapter: Adapter) -> int:
        """Operations of the layers, by the paper's formula: PageRank and merging have no part in it."""
        return prefill_flops(self.runs[0].tokens, **adapter.sizes)


def interleaved(
    adapter: Adapter, prompt: Prompt, settings: dict[str, Setting], repeats: int, warm: int = 1
) -> list[Measurement]:
    """Time each setting once in every round, so that all share slow moments; `warm` rounds do not count."""
    measured = [Measurement(name) for name in settings]
    for round_idx in range(warm + repeats):
        for one, config in zip(measured, settings.values(), strict=True):
            run = prefill(adapter, prompt, config)
            if round_idx >= warm:
                one.runs.append(run)
    return measured


def ablations(num_layers: int) -> dict[str, Setting]:
    """Dense, each half of the method alone, both, and the last two with rows masked: in our way, and as released."""
    both, never = AimConfig.for_depth(num_layers), AimConfig.dense()
    prune = replace(both, keep_ratio=1.0)
    return {
        "dense": None,
        "merge": AimConfig(both.keep_ratio, never.l1, never.l2),
        "prune": prune,
        "both": both,
        "prune, masked": replace(prune, mode="masked"),
        "both, masked": replace(both, mode="masked"),
        "prune, eager": EagerMasked(prune),
        "both, eager": EagerMasked(both),
    }
