"""PageRank of one video: how its ranking converges, what moves its kept sets, and what each scorer answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aim_core.adapters.base import Adapter
from aim_core.config import AimConfig
from aim_core.loading import load_adapter
from aim_core.methods.aim import MergeSimilar, PageRank, PageRankOverUniform
from aim_core.methods.base import Method, Schedule, Scorer
from aim_core.methods.counts import where_needed
from aim_core.methods.scorers import AttentionReceived, LastTokenAttention, RandomScorer
from aim_core.ops.rank_correlation import spearman
from training.answering import KEEP_RATIO, MAX_NEW_TOKENS
from training.batched_inference import Video
from training.eval_sets import NUM_FRAMES, Item
from training.findings.plans import Step
from training.lab import pagerank_maths as maths
from training.wordings import reworded

PAGERANK, RECEIVED, LAST, CHANCE = "PageRank", "attention received", "last token's attention", "chance"
OVER_ROWS, OVER_UNIFORM = "PageRank over rows", "PageRank over even attention"
SCORERS: dict[str, Scorer] = {
    PAGERANK: PageRank(),
    OVER_ROWS: PageRank(causal=True),
    OVER_UNIFORM: PageRankOverUniform(),
    RECEIVED: AttentionReceived(),
    LAST: LastTokenAttention(),
    CHANCE: RandomScorer(),
}
EARLY = Step(4, 1 / 8)  # early and deep enough for the ranking to matter
ITERATIONS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100)
TELEPORT = 0.15  # the usual one of PageRank, with which the steps have an end
SHARE = 3  # of a layer's tokens one in so many is kept where iterations are compared

Score = Callable[[Tensor], Tensor]  # (heads, n, n) logits -> (n,)
OF_LOGITS: dict[str, Score] = {PAGERANK: maths.pagerank_score, RECEIVED: maths.received_score, LAST: maths.last_score}
SETTINGS: dict[str, Score] = {  # of PageRank, beside those released
    **{f"temperature {t:g}": partial(maths.pagerank_score, temperature=t) for t in (0.05, 0.2, 0.5, 1.0)},
    **{f"{t} iteration{'s' * (t > 1)}": partial(maths.pagerank_score, iterations=t) for t in (1, 2, 3, 4, 10, 50)},
    f"teleport {TELEPORT}": partial(maths.pagerank_score, teleport=TELEPORT),
}
DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
REWORDED, ANOTHER = "the question in other words", "another question"


@dataclass
class Attention:
    """A scorer that keeps each layer's query and key, for a schedule that prunes nothing."""

    layers_seen: list[tuple[Tensor, Tensor, float]] = field(default_factory=list)

    def __call__(self, query: Tensor, key: Tensor, scale: float) -> Tensor:
        self.layers_seen.append((query.clone(), key.clone(), scale))
        return torch.zeros(1, query.shape[2])

    def layers(self, counts: Sequence[int]) -> frozenset[int]:
        return frozenset(range(len(counts)))


@dataclass(frozen=True)
class Cut:
    """A place where a schedule decides by scores: after `layer`, `k` of its visual tokens stay."""

    layer: int
    k: int


def schedules(num_layers: int) -> dict[str, Schedule]:
    return {"released": AimConfig.for_depth(num_layers).schedule, "early": EARLY}


def cuts(num_visual: int, num_layers: int) -> list[Cut]:
    """Every place where one of `schedules` decides, from the first layer on."""
    found = set()
    for schedule in schedules(num_layers).values():
        counts = schedule.tokens_entering(num_visual, num_layers)
        found |= {(layer, counts[layer + 1]) for layer in where_needed(counts)}
    return [Cut(*one) for one in sorted(found)]


def look(model: str, items: Sequence[Item]) -> dict[str, Any]:
    """All that is measured on one video, with the questions about it. As JSON takes it."""
    adapter = load(model)
    with torch.inference_mode():
        video = Video(adapter, items[0].frames(NUM_FRAMES))
        asked = items[0].question
        texts = {"own": asked.text, REWORDED: reworded(asked.type, asked.text, items[0].video)}
        texts |= {ANOTHER: items[1].question.text} if len(items) > 1 else {}
        seen = {name: visual_attention(video, text) for name, text in texts.items()}
        places = cuts(seen["own"].num_visual, adapter.num_layers)
        return {
            "convergence": [seen["own"].convergence(layer) for layer in range(adapter.num_layers)],
            "stability": [stability(seen, cut) for cut in places],
            "scores": [positions(seen["own"], cut, items[0].video) for cut in places],
            "answers": answers(video, items, adapter.num_layers),
        }


@dataclass(frozen=True, eq=False)
class Seen:
    """The attention of one prompt in every layer. visual: its visual rows, which follow each other."""

    layers: list[tuple[Tensor, Tensor, float]]
    visual: slice

    @property
    def num_visual(self) -> int:
        return self.visual.stop - self.visual.start

    def logits(self, layer: int, dtype: torch.dtype = torch.float64) -> Tensor:
        return maths.logits_of(*self.layers[layer], dtype)

    def convergence(self, layer: int) -> dict[str, Any]:
        return convergence(self.logits(layer), self.visual)

    def kept(self, cut: Cut, score: Score, dtype: torch.dtype = torch.float64) -> np.ndarray:
        return maths.kept(score(self.logits(cut.layer, dtype))[self.visual].numpy(), cut.k)


def visual_attention(video: Video, text: str) -> Seen:
    """Of a prefill with merged tokens, in which nothing is pruned."""
    attention = Attention()
    method = Method("seen", MergeSimilar(KEEP_RATIO), AimConfig.dense().schedule, attention)
    start = video.record_scores(method, text)
    return Seen(attention.layers_seen, slice(start, start + video.counts(method)[0]))


def convergence(logits: Tensor, visual: slice) -> dict[str, Any]:
    """Of one layer, after each of ITERATIONS.

    change:   L1 distance to the step before, mean over heads; first: share of the mass on the first token, likewise.
    kept, order: agreement beyond chance of the kept third, and Spearman's correlation of the visual tokens' scores,
              with those of the released 5 iterations.
    slowest:  see `maths.slowest`, of the slowest head.
    teleport: the same of steps with TELEPORT, against the exact end that they have: distance (L1), kept, order;
              released: how far the released 5 iterations agree with that end.
    """
    matrix = maths.transitions(logits)
    plain, usual = (maths.steps(matrix, max(ITERATIONS), teleport) for teleport in (0.0, TELEPORT))
    end = maths.stationary(matrix, TELEPORT)
    released, exact = maths.rms(plain[5])[visual].numpy(), maths.rms(end)[visual].numpy()
    change = [float((after - before).abs().sum(-1).mean()) for before, after in pairwise(plain)]
    return {
        "change": [change[t - 1] for t in ITERATIONS],
        "first": [float(plain[t, :, 0].mean()) for t in ITERATIONS],
        "slowest": float(maths.slowest(matrix).min()),
        **_against(released, [maths.rms(plain[t])[visual].numpy() for t in ITERATIONS]),
        "teleport": {
            "distance": [float((usual[t] - end).abs().sum(-1).mean()) for t in ITERATIONS],
            **_against(exact, [maths.rms(usual[t])[visual].numpy() for t in ITERATIONS]),
            "released": _against(exact, [released]),
        },
    }


def _against(reference: np.ndarray, others: Sequence[np.ndarray]) -> dict[str, list[float | None]]:
    k = len(reference) // SHARE
    sets = [maths.kept(own, k) for own in (reference, *others)]
    return {
        "kept": [maths.beyond_chance(sets[0], own) for own in sets[1:]],
        "order": [spearman(reference, own) for own in others],
    }


def stability(seen: dict[str, Seen], cut: Cut) -> dict[str, dict[str, float]]:
    """How far the kept set of each scorer agrees beyond chance with itself after each change, and PageRank's with the
    others'."""
    own, found = seen["own"], {}
    for name, score in OF_LOGITS.items():
        usual = own.kept(cut, score)
        changed = {word: own.kept(cut, score, dtype) for word, dtype in DTYPES.items()}
        changed |= {word: other.kept(cut, score) for word, other in seen.items() if word != "own"}
        if name == PAGERANK:
            changed |= {word: own.kept(cut, other) for word, other in SETTINGS.items()}
            changed |= {word: own.kept(cut, OF_LOGITS[word]) for word in (RECEIVED, LAST)}
        found[name] = {word: maths.beyond_chance(usual, mask) for word, mask in changed.items()}
    return found


def positions(seen: Seen, cut: Cut, seed: int) -> dict[str, list[int]]:
    """For each of SCORERS the visual tokens from the highest score to the lowest."""
    query, key, scale = seen.layers[cut.layer]
    found = {}
    for name, scorer in SCORERS.items():
        scores = _drawn(scorer, seed)(query, key, scale)[0, seen.visual].numpy()
        found[name] = np.argsort(-scores, kind="stable").tolist()
    return found


def answers(video: Video, items: Sequence[Item], num_layers: int) -> dict[str, dict[str, Any]]:
    """For each schedule and scorer which questions are answered right, and the tokens that entered each layer."""
    plain = {"nothing pruned": Method("merged", MergeSimilar(KEEP_RATIO), AimConfig.dense().schedule, PageRank())}
    methods = plain | {
        f"{when}, {name}": Method(name, MergeSimilar(KEEP_RATIO), schedule, _drawn(scorer, items[0].video))
        for when, schedule in schedules(num_layers).items()
        for name, scorer in SCORERS.items()
    }
    return {name: _answers(video, items, method) for name, method in methods.items()}


def _answers(video: Video, items: Sequence[Item], method: Method) -> dict[str, Any]:
    said = video.said(method, [item.question.text for item in items], MAX_NEW_TOKENS)
    right = [item.question.accepts(own.answer) for item, own in zip(items, said, strict=True)]
    return {"right": right, "counts": list(said[0].visual_per_layer)}


def _drawn(scorer: Scorer, seed: int) -> Scorer:
    """Chance draws anew for every video."""
    return replace(scorer, seed=seed) if isinstance(scorer, RandomScorer) else scorer


@cache
def load(model: str) -> Adapter:
    """The model of this process, loaded once."""
    return load_adapter(model)
