"""Plans: how many tokens enter each layer, and the search for plans that cost the same."""

from __future__ import annotations

from dataclasses import dataclass

from aim_core.config import LinearSchedule
from aim_core.methods.base import Schedule
from aim_core.ops.flops import prefill_flops

TOLERANCE = 0.03  # plans whose operations differ by less than this share count as equal


@dataclass(frozen=True)
class Step:
    """All tokens up to a layer, the share `keep` of them (at least 1) from that layer on."""

    layer: int
    keep: float

    def tokens_entering(self, num_visual: int, num_layers: int) -> list[int]:
        left = min(num_visual, max(1, int(num_visual * self.keep)))
        return [num_visual if layer < self.layer else left for layer in range(num_layers)]


@dataclass(frozen=True)
class Shape:
    """What the cost of a plan depends on, besides the number of visual tokens.

    tokens_per_frame: before merging; num_text: of a usual prompt; widths: as `prefill_flops` takes them.
    """

    num_layers: int
    tokens_per_frame: int
    num_text: int
    widths: tuple[tuple[str, int], ...]

    def flops(self, plan: Schedule, num_visual: int, drop_text: bool = False) -> int:
        """Operations of the language model's prefill (the formula of `aim_core.ops.flops`).

        drop_text: the plan counts text too, all of it but the last token.
        """
        always = 1 if drop_text else self.num_text
        counts = plan.tokens_entering(num_visual + self.num_text - always, self.num_layers)
        return prefill_flops([count + always for count in counts], **dict(self.widths))


def equal_schedules(shape: Shape, num_visual: int, target: int) -> list[LinearSchedule]:
    """Schedules (l1, l2) that cost `target` operations, from early and gradual to late and abrupt.

    For each l1 the l2 that comes nearest, if it comes within TOLERANCE.
    """
    found = []
    for l1 in range(shape.num_layers):
        every = [LinearSchedule(l1, l2) for l2 in range(l1 + 1, 4 * shape.num_layers)]
        found += _nearest(every, shape, num_visual, target)
    return found


def equal_steps(shape: Shape, num_visual: int, target: int) -> list[Step]:
    """One cut at each layer, deep enough to cost `target` operations; left out where no cut does."""
    found = []
    for layer in range(1, shape.num_layers):
        every = [Step(layer, count / num_visual) for count in range(1, num_visual + 1)]
        found += _nearest(every, shape, num_visual, target)
    return found


def _nearest(plans: list, shape: Shape, num_visual: int, target: int) -> list:
    """The plan that comes nearest to `target`, if it comes near enough."""
    plan = min(plans, key=lambda plan: abs(shape.flops(plan, num_visual) - target))
    return [plan] if is_equal(shape.flops(plan, num_visual), target) else []


def spread(plans: list, count: int) -> list:
    """`count` of the plans, the first and the last among them, evenly between."""
    if len(plans) <= count:
        return plans
    return [plans[round(i * (len(plans) - 1) / (count - 1))] for i in range(count)]


def is_equal(flops: int, target: int) -> bool:
    return abs(flops - target) <= TOLERANCE * target
