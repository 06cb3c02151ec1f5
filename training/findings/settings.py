"""Settings: every configuration that is measured, and which are compared to show what the paper found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from aim_core.adapters.base import Adapter
from aim_core.adapters.llava_onevision import LlavaOnevisionAdapter
from aim_core.config import AimConfig, LinearSchedule
from aim_core.methods.aim import MergeSimilar, PageRank
from aim_core.methods.base import Method, Schedule, Scorer
from aim_core.methods.scorers import AttentionReceived, LastTokenAttention, RandomScorer
from aim_core.ops.merging import num_kept
from training.eval_sets import Item, held_out_set
from training.findings.plans import Shape, Step, equal_schedules, equal_steps, spread
from training.long_videos import KINDS, long_set
from training.questions import FEWEST_FRAMES, TYPES

SETS: dict[str, Callable[[int], list[Item]]] = {  # from the number of questions wanted
    "clips": lambda n: held_out_set(math.ceil(n / len(TYPES))),
    "short": lambda n: held_out_set(math.ceil(n / len(TYPES)), 4),
    "shortest": lambda n: held_out_set(math.ceil(n / sum(fewest <= 2 for fewest in FEWEST_FRAMES.values())), 2),
    "long": lambda n: long_set(math.ceil(n / len(KINDS))),
}
RANKS: dict[str, Scorer] = {
    "PageRank": PageRank(),
    "PageRank, causal": PageRank(causal=True),
    "attention received": AttentionReceived(),
    "last token's attention": LastTokenAttention(),
    "chance": RandomScorer(),
}
WHOLE, QUARTER, EIGHTH = 1.0, 0.25, 0.125
RATIOS = (1 / 2, QUARTER, EIGHTH, 1 / 16)
NUM_TEXT = 10  # text tokens of a usual prompt
EARLY_CUT = Step(4, 1 / 8)  # early and deep enough for the ranking to matter


@dataclass(frozen=True)
class Setting:
    """One way to run the model: `num_frames` frames of every video of the set `items`, under a method."""

    name: str
    items: str
    num_frames: int
    method: Method

    def method_for(self, video: int) -> Method:
        """Chance draws anew for every video."""
        drawn = isinstance(self.method.scorer, RandomScorer)
        return replace(self.method, scorer=RandomScorer(video)) if drawn else self.method


@dataclass(frozen=True)
class Group:
    """Settings that are compared, question by question, with a baseline on the same questions."""

    baseline: Setting
    others: tuple[Setting, ...]


@dataclass(frozen=True)
class Finding:
    letter: str
    title: str
    groups: tuple[Group, ...]


class Maker:
    """Makes settings for one model. Raises ValueError for one of another family than LLaVA-OneVision."""

    def __init__(self, adapter: Adapter):
        if not isinstance(adapter, LlavaOnevisionAdapter):
            raise ValueError(
                "the findings need a LLaVA-OneVision model, whose frames all have one grid of visual tokens; "
                f"{type(adapter.model).__name__} is of another family"
            )
        self.tokens = adapter.grid[0] * adapter.grid[1]
        self.default = AimConfig.for_depth(adapter.num_layers).schedule
        self.shape = Shape(adapter.num_layers, self.tokens, NUM_TEXT, tuple(adapter.sizes.items()))

    def __call__(
        self,
        num_frames: int,
        keep: float,
        plan: Schedule | None = None,
        rank: str = "PageRank",
        items: str = "clips",
        positions: str = "sequential",
        drop_text: bool = False,
    ) -> Setting:
        name = f"{num_frames} × {num_kept(self.tokens, keep)}, {_words(plan)}"
        name += f", {rank}" if plan and rank != "PageRank" else ""
        name += ", original positions" if positions == "original" else ""
        name += ", text pruned too" if drop_text else ""
        name += f" ({items})" if items != "clips" else ""
        plan = AimConfig.dense().schedule if plan is None else plan
        method = Method(name, MergeSimilar(keep), plan, RANKS[rank], positions, "dropped", drop_text)
        return Setting(name, items, num_frames, method)


def findings(adapter: Adapter) -> tuple[Finding, ...]:
    """What is measured on this model."""
    make = Maker(adapter)
    return (
        Finding("a", "Accuracy against keep ratio, nothing pruned", (_keep_ratios(make),)),
        Finding("b", "Pruning early against late, at equal FLOPs", _schedules(make)),
        Finding("c", "Ways to rank, at equal counts", _rankings(make)),
        Finding("d", "More frames with fewer tokens each, on long videos, at equal FLOPs", (_frames(make),)),
        Finding("e", "Text tokens pruned too", _text(make)),
        Finding("f", "Original positions against the released sequential ones", _positions(make)),
        Finding("g", "PageRank corrected for the causal mask, with few and with many frames", _causal(make)),
    )


def all_settings(found: tuple[Finding, ...]) -> list[Setting]:
    """Every setting once."""
    groups = [group for finding in found for group in finding.groups]
    return list({setting.name: setting for group in groups for setting in (group.baseline, *group.others)}.values())


def _keep_ratios(make: Maker) -> Group:
    return Group(make(8, WHOLE), tuple(make(8, keep) for keep in (*RATIOS, 1 / 36, 1 / 144)))


def _schedules(make: Maker) -> tuple[Group, ...]:
    """The cost of the default, then that of none after half as many layers, where it starts to matter."""
    shape, visual = make.shape, 8 * num_kept(make.tokens, QUARTER) + 1
    half = make.default.l1 // 2
    cost, low_cost = (shape.flops(plan, visual) for plan in (make.default, LinearSchedule(half, half + 1)))
    plans = spread(equal_schedules(shape, visual, cost), 3) + spread(equal_steps(shape, visual, cost), 2)
    base, same = make(8, QUARTER, make.default), [make(8, QUARTER, plan) for plan in plans]
    low = [make(8, QUARTER, plan) for plan in spread(equal_schedules(shape, visual, low_cost), 2)]
    others = tuple(setting for setting in same if setting.name != base.name)
    return Group(base, others), Group(low[-1], tuple(low[:-1]))


def _rankings(make: Maker) -> tuple[Group, ...]:
    default = [make(8, QUARTER, make.default, rank) for rank in RANKS]
    unmerged = [make(4, WHOLE, EARLY_CUT, rank, "short") for rank in RANKS]
    return (
        Group(default[0], (make(8, QUARTER), *default[1:])),
        Group(unmerged[0], (make(4, WHOLE, items="short"), *unmerged[1:])),
    )


def _frames(make: Maker) -> Group:
    others = [make(frames, 8 / frames, items="long") for frames in (16, 32, 64, 128)]
    return Group(make(8, WHOLE, items="long"), tuple(others))


def _text(make: Maker) -> tuple[Group, ...]:
    plans = (make.default, EARLY_CUT)
    return tuple(Group(make(8, QUARTER, plan), (make(8, QUARTER, plan, drop_text=True),)) for plan in plans)


def _positions(make: Maker) -> tuple[Group, ...]:
    pairs = [(keep, None) for keep in RATIOS] + [(QUARTER, make.default)]
    return tuple(Group(make(8, k, plan), (make(8, k, plan, positions="original"),)) for k, plan in pairs)


def _causal(make: Maker) -> tuple[Group, ...]:
    clips = ((2, WHOLE, "shortest"), (4, WHOLE, "short"), (16, EIGHTH, "clips"))
    rows = [(frames, keep, items, rank) for frames, keep, items in clips for rank in ("PageRank", "PageRank, causal")]
    made = [make(frames, keep, EARLY_CUT, rank, items) for frames, keep, items, rank in rows]
    return tuple(Group(plain, (causal,)) for plain, causal in zip(made[::2], made[1::2], strict=True))


def _words(plan: Schedule | None) -> str:
    if plan is None:
        return "nothing pruned"
    if isinstance(plan, Step):
        return f"{100 * plan.keep:.1f} % from layer {plan.layer}"
    return f"l1={plan.l1}, l2={plan.l2}"
