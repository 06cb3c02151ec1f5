"""Solver: the best setting that costs no more than allowed, or the cheapest that is as good as asked, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aim_core.workload import Workload
from aim_lab.code import DENSE
from aim_lab.documents import Document
from aim_lab.line import Line
from aim_lab.race import Measure, Race, difference, race
from aim_lab.settings import Setting
from aim_lab.shell import AIM, Limit, Shell, shell
from aim_lab.summary import Interval, Row, summarise

STEP = 0.7  # from one budget to the next cheaper one, where the cheapest setting is looked for
FEW = 8  # settings of each of these budgets


@dataclass(frozen=True)
class Solution:
    """A setting and how it was found.

    goal:    what was asked for, in words; by: of `summary.VALUES`.
    choice:  the setting; default: AIM with its released schedule at the same cost, None if it does not cost the same.
    why:     in sentences.
    races:   what was tried at each budget, the dearest first; curve: the best of each.
    beside_default: what the choice has more than the default on the same questions; None without one.
    left_out: sentences on what was not considered.
    """

    goal: str
    by: str
    choice: Setting
    default: Setting | None
    why: str
    races: tuple[Race, ...]
    beside_default: Interval | None
    left_out: tuple[str, ...] = ()

    @property
    def curve(self) -> list[Row]:
        return [own.rows[0] for own in self.races]

    @property
    def rows(self) -> list[Row]:
        """All that was tried."""
        return [row for own in self.races for row in own.rows]

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        own: dict[str, Any] = {"goal": self.goal, "by": self.by, "choice": _plain(self.choice), "why": self.why}
        own["default"] = self.default and _plain(self.default)
        own["beside_default"] = self.beside_default and vars(self.beside_default)
        own["tried"] = [row.as_dict() for row in self.rows]
        own["curve"] = [row.as_dict() for row in self.curve]
        rounds = [one for ran in self.races for one in ran.rounds]
        own["rounds"] = [
            {
                "questions": one.num_questions,
                "videos": one.num_videos,
                "settings": one.num_settings,
                "leader": str(one.leader),
                "dropped": [str(setting) for setting in one.dropped],
            }
            for one in rounds
        ]
        return own | {"left_out": list(self.left_out)}


def _plain(setting: Setting) -> dict[str, Any]:
    return {"name": str(setting), "method": setting.method, "num_frames": setting.num_frames} | setting.settings


def best_within(
    limit: Limit,
    goal: str,
    workloads: Mapping[int, Workload],
    documents: Sequence[Document],
    measure: Measure,
    by: str,
    methods: Sequence[str] = (AIM,),
    most: int = 48,
    default: Setting | None = None,
) -> Solution:
    """The best setting in the shell below a budget, by a race on these documents; report it on others.

    workloads, default: as in `shell`; measure: what runs settings on documents, see `race`; most: settings to run.
    Raises what `shell` and `race` do.
    """
    found = shell(workloads, limit, methods, default)
    tried = found.thinned(most)
    own = race(tried, documents, measure, by)
    beside = _beside_default(own.leader, found.default, documents, measure, by)
    return Solution(
        goal, by, own.leader, found.default, _why(found, tried, own, beside, by), (own,), beside, found.left_out
    )


def cheapest_as_good(
    share: float,
    workloads: Mapping[int, Workload],
    documents: Sequence[Document],
    measure: Measure,
    by: str,
    methods: Sequence[str] = (AIM,),
    on_budget: Callable[[str], None] = lambda told: None,
) -> Solution:
    """The cheapest setting that is at least `share` as good as the dense model at most frames, in FLOPs.

    Budgets are tried from the dense one down, each STEP times the one before, until the best of FEW settings of a shell
    is no longer so good on these documents. It is shown to be so good where the whole 95 % interval of its paired
    difference to `share` of the dense model's is at least 0. on_budget: told a sentence after each.
    Raises ValueError if `share` is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"give a share of the dense model in (0, 1], got {share}")
    dense = Setting.of(DENSE, max(workloads))
    reference = _of(dense, measure([dense], documents))
    most = Limit(1.0).dense(workloads[dense.num_frames])
    races: list[Race] = []
    chosen: tuple[Setting, Interval, Shell] | None = None
    while True:
        most *= STEP
        try:
            found = shell(workloads, Limit(most), methods)
        except ValueError:
            break
        own = race(found.thinned(FEW), documents, measure, by)
        leader = own.leader
        gap = difference(_of(leader, measure([leader], documents)), reference, by, share)
        races.append(own)
        on_budget(f"{most / 1e9:,.2f} GFLOPs: {leader}, {_points(gap)} beside {share:.0%} of dense")
        if gap.value < 0:
            break
        chosen = (leader, gap, found)
    if chosen is None:
        why = (
            f"Already at {STEP:.0%} of the dense FLOPs no setting tried is {share:.0%} as good: the dense model stays."
        )
        return Solution(f"at least {share:.1%} of dense", by, dense, None, why, tuple(races), None)
    choice, gap, found = chosen
    beside = _beside_default(choice, found.default, documents, measure, by)
    return Solution(
        f"at least {share:.1%} of dense", by, choice, found.default, _as_good(choice, gap, share), tuple(races), beside
    )


@dataclass(frozen=True)
class Check:
    """The choice on documents that it was not chosen on.

    rows:   of the dense model, the default where there is one, and the choice.
    beside_default, beside_dense: what the choice has more on the same questions.
    """

    rows: tuple[Row, ...]
    beside_default: Interval | None
    beside_dense: Interval

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        beside = {"beside_default": self.beside_default, "beside_dense": self.beside_dense}
        return {"rows": [row.as_dict() for row in self.rows]} | {k: v and vars(v) for k, v in beside.items()}


def check(solution: Solution, num_frames: int, documents: Sequence[Document], measure: Measure) -> Check:
    """num_frames: of the dense run to compare with."""
    dense, by = Setting.of(DENSE, num_frames), solution.by
    settings = [own for own in (dense, solution.default, solution.choice) if own]
    lines = measure(list(dict.fromkeys(settings)), documents)
    choice, default = _of(solution.choice, lines), _of(solution.default, lines)
    beside = difference(choice, default, by) if default else None
    return Check(tuple(summarise(lines)), beside, difference(choice, _of(dense, lines), by))


def _of(setting: Setting | None, lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.setting == setting and not line.refused]


def _beside_default(
    choice: Setting, default: Setting | None, documents: Sequence[Document], measure: Measure, by: str
) -> Interval | None:
    if default is None or default == choice:
        return None
    lines = measure([choice, default], documents)
    return difference(_of(choice, lines), _of(default, lines), by)


def _why(found: Shell, tried: Sequence[Setting], own: Race, beside: Interval | None, by: str) -> str:
    row = own.rows[0]
    rest = len(own.standing) - 1
    said = [
        f"{len(found.settings):,} settings cost what is allowed or up to 1 % less; {len(tried)} of them were measured, "
        f"and {len(tried) - rest - 1} dropped on the way.",
        f"{own.leader} leads with {100 * row.value(by).value:.1f} % on {row.n} questions about "
        f"{row.num_videos} videos.",
    ]
    said.append(f"{rest} more were never surely behind it." if rest else "All others were surely behind it.")
    if own.leader == found.default:
        said.append("It is the released schedule itself.")
    elif beside is not None:
        said.append(f"Beside the released schedule at the same cost: {_points(beside)} on these questions.")
    return " ".join(said)


def _as_good(choice: Setting, gap: Interval, share: float) -> str:
    shown = "as its whole interval shows" if gap.low >= 0 else "which its interval does not show"
    return f"{choice} is {_points(gap)} beside {share:.1%} of the dense model, {shown}; the next cheaper one is below."


def _points(gap: Interval) -> str:
    return f"{100 * gap.value:+.1f} points ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"
