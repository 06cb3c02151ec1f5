"""Report: figures as tables in docs/load.md, each between marks of its own, where the other kind stays."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tools.load.server import SETTINGS, Sample
from tools.load.visitor import Visit

PAGE = Path(__file__).parents[2] / "docs" / "load.md"


def kept(kind: str, text: str) -> None:
    """Put a text between the marks of its kind."""
    marks = rf"(<!-- {kind} -->\n).*?(\n<!-- /{kind} -->)"
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(marks, lambda found: found[1] + text + found[2], page, flags=re.DOTALL), encoding="utf-8")


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {date.today()}"


def load_row(num: int, visits: Sequence[Visit], seconds: float, num_same: int) -> str:
    """A line of the table of `make load`."""
    runs, cheap = [visit.run_s for visit in visits], [visit.cheap_s for visit in visits]
    times = [statistics.median(runs), max(runs), statistics.median(cheap), max(cheap)]
    cells = [num, len(visits), f"{num_same} of {len(visits)}", *(f"{one:.2f}" for one in times)]
    return "| " + " | ".join(map(str, [*cells, f"{len(visits) / seconds:.2f}"])) + " |"


LOAD_HEAD = """| visitors | runs | equal to the run alone | Run to both answers, median s | longest s | \
a link meanwhile, median s | longest s | runs a second |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""
HOSTILE_HEAD = """| a stranger | equal to the run alone | Run to both answers, median s | longest s | \
a link meanwhile, longest s | cost, s |
| --- | ---: | ---: | ---: | ---: | ---: |"""
SOAK_HEAD = """| minute | memory MB | open files | children | files kept | of MB |
| ---: | ---: | ---: | ---: | ---: | ---: |"""


def cost(alone: Sequence[Visit], beside: Sequence[Visit]) -> float:
    """Seconds that the slowest run or link beside a stranger took more than the median alone."""
    return max(
        max(getattr(visit, name) for visit in beside) - statistics.median(getattr(visit, name) for visit in alone)
        for name in ("run_s", "cheap_s")
    )


def hostile_row(name: str, visits: Sequence[Visit], seconds: float, num_same: int) -> str:
    """A line of the table of `make hostile`."""
    runs = [visit.run_s for visit in visits]
    times = [statistics.median(runs), max(runs), max(visit.cheap_s for visit in visits), seconds]
    return "| " + " | ".join([name, f"{num_same} of {len(visits)}", *(f"{one:.2f}" for one in times)]) + " |"


def soak_table(samples: Sequence[Sample]) -> list[str]:
    """A line for each tenth of the time: its mean."""
    size = max(1, len(samples) // 10)
    rows = []
    for begin in range(0, len(samples) - size + 1, size):
        part = samples[begin : begin + size]
        means = {name: statistics.mean(getattr(one, name) for one in part) for name in Sample.__dataclass_fields__}
        minutes, children = f"{means.pop('seconds') / 60:.1f}", f"{means.pop('children'):.1f}"
        memory, open_files, files, num_mb = (f"{mean:.0f}" for mean in means.values())
        rows.append(f"| {' | '.join([minutes, memory, open_files, children, files, num_mb])} |")
    return [SOAK_HEAD, *rows]


def growth(samples: Sequence[Sample]) -> float | None:
    """How much more memory the last quarter of the time took than the second, as a share: the first is warm-up.

    None for too few samples to tell.
    """
    quarter = len(samples) // 4
    if not quarter:
        return None
    before, after = samples[quarter : 2 * quarter], samples[3 * quarter :]
    return statistics.mean(one.memory for one in after) / statistics.mean(one.memory for one in before) - 1


def growth_told(grown: float | None) -> str:
    if grown is None:
        return "too short to tell whether memory grows: the server was looked at fewer than 4 times"
    return f"memory in the last quarter {100 * grown:+.1f} % of the second"


def conditions() -> str:
    return ", ".join(f"{name}={value}" for name, value in SETTINGS.items())
