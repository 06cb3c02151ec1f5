"""Layer share: what PageRank takes of each layer's time in a prefill, and of its operations.

Times are the processor's, of all threads of this process: what else the machine does meanwhile counts for little.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from aim_core.adapters.base import Adapter
from aim_core.forward.hooks import patched
from aim_core.forward.session import Session
from aim_core.methods.base import Method, Scorer
from aim_core.ops.flops import pagerank_flops, prefill_flops
from benchmarks.shapes import Prompt


@dataclass(frozen=True)
class Lap:
    """One layer of one prefill. rows: tokens that it computed; ms: all of it; pagerank_ms: PageRank's part, or 0."""

    rows: int
    ms: float
    pagerank_ms: float


@dataclass
class _TimedScorer:
    scorer: Scorer
    ms: float = 0.0

    def __call__(self, *args):
        begun = time.process_time()
        scores = self.scorer(*args)
        self.ms += 1000 * (time.process_time() - begun)
        return scores

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        return self.scorer.layers(counts)


@dataclass
class _Clock:
    """When the layer under way began, and what the layers before it took, as (ms, PageRank's ms)."""

    scorer: _TimedScorer
    begun: float = 0.0
    before: float = 0.0
    took: list[tuple[float, float]] = field(default_factory=list)

    def begin(self, *_args) -> None:
        self.begun, self.before = time.process_time(), self.scorer.ms

    def end(self, *_args) -> None:
        self.took.append((1000 * (time.process_time() - self.begun), self.scorer.ms - self.before))


def laps(adapter: Adapter, prompt: Prompt, method: Method) -> list[Lap]:
    """One prefill on a CPU, layer by layer."""
    scorer = _TimedScorer(method.scorer)
    session, clock = Session(adapter, replace(method, scorer=scorer)), _Clock(scorer)
    session.use_layouts([prompt.layout])
    with torch.inference_mode(), patched(adapter, session), _timed(adapter.decoder.layers, clock):
        adapter.model(inputs_embeds=prompt.embeds, use_cache=True, logits_to_keep=1)
    return [Lap(rows, *took) for rows, took in zip(session.recorder.record.num_rows, clock.took, strict=True)]


@contextmanager
def _timed(layers: Sequence[nn.Module], clock: _Clock) -> Iterator[None]:
    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(layer.register_forward_pre_hook(clock.begin))
            stack.enter_context(layer.register_forward_hook(clock.end))
        yield


def in_turns(
    adapter: Adapter, prompts: Mapping[int, Prompt], method: Method, repeats: int
) -> dict[int, list[list[Lap]]]:
    """Prefills of each prompt by its name, one of each in every round, so that all share slow moments; a first round
    does not count."""
    found: dict[int, list[list[Lap]]] = {name: [] for name in prompts}
    for round_idx in range(1 + repeats):
        for name, prompt in prompts.items():
            one = laps(adapter, prompt, method)
            if round_idx:
                found[name].append(one)
    return found


def shares(adapter: Adapter, runs: Sequence[Sequence[Lap]], iterations: int = 5) -> dict[str, Any]:
    """Of the prefills of one prompt: PageRank's share of each layer and of all, of time (a ratio of medians) and of the
    operations that `prefill_flops` and `pagerank_flops` count."""
    layers = list(zip(*runs, strict=True))
    rows = [own[0].rows for own in layers]
    scored = [bool(own[0].pagerank_ms) for own in layers]
    heads, sizes = adapter.decoder.config.num_attention_heads, adapter.sizes
    rank_flops = [
        pagerank_flops([n], heads, iterations, sizes["q"]) * scores for n, scores in zip(rows, scored, strict=True)
    ]
    flops = [prefill_flops([n], **sizes) + rank for n, rank in zip(rows, rank_flops, strict=True)]
    rank_ms = [statistics.median(lap.pagerank_ms for lap in own) for own in layers]
    ms = [statistics.median(lap.ms for lap in own) for own in layers]
    whole_ms = statistics.median(sum(lap.ms for lap in run) for run in runs)
    whole_rank_ms = statistics.median(sum(lap.pagerank_ms for lap in run) for run in runs)
    return {
        "rows": rows,
        "time": [rank / own for rank, own in zip(rank_ms, ms, strict=True)],
        "flops": [rank / own for rank, own in zip(rank_flops, flops, strict=True)],
        "whole_time": whole_rank_ms / whole_ms,
        "whole_flops": sum(rank_flops) / sum(flops),
    }
