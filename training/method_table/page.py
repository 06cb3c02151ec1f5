"""Page: the reports as Markdown, which stand between two marks of docs/methods_compared.md."""

from __future__ import annotations

import re

from aim_core.methods.registry import METHODS
from training.method_table.words import in_words, is_of_few
from training.tables import percent, table_row

CHARTS = {"held_out": "assets/methods_compared.png", "wide": "assets/methods_compared_wide.png"}
TITLES = {"held_out": "Held-out questions", "wide": "The wide world"}
ABOUT = {
    "held_out": "Scenes as in training, each with a combination that training never showed.",
    "wide": "Any ground, size and turn, moving cameras, half of the questions in wordings that training never used.",
}
LEGEND = (
    "*Bars are 95 % intervals; blue is AIM, orange random patches, green fewer frames; dashed is the dense model; "
    "a ring is of too few videos for a bar.*"
)
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = ("method", "n", "right", "− dense", "− AIM", "FLOPs", "entering", "mean", "setting found")


def rewrite(page: str, block: str) -> str:
    """The page with a block of Markdown between its marks. Raises ValueError if it has not just one pair of them."""
    parts = re.split(f"(?<={BEGIN})\n.*?(?={END})", page, flags=re.DOTALL)
    if len(parts) != 2:
        raise ValueError(f"the page needs one {BEGIN} and one {END} after it")
    return "\n\n".join([parts[0], block, parts[1]])


def page_block(reports: dict[str, dict]) -> str:
    """All sets, one after the other."""
    return "\n\n".join(map(markdown, reports.values()))


def markdown(report: dict) -> str:
    """One set: its chart, how much was measured, what it shows in words, and one table a budget."""
    name, budgets = report["set"], list(dict.fromkeys(row["budget"] for row in report["rows"]))
    shares = f"{', '.join(f'{100 * budget:g}' for budget in budgets)} %"
    lines = [f"### {TITLES[name]}", "", ABOUT[name], ""]
    lines += [f"![{TITLES[name]}: right answers of each method at {shares} of the dense FLOPs](../{CHARTS[name]})", ""]
    lines += [LEGEND, "", *in_words(report)]
    for budget in budgets:
        rows = [row for row in report["rows"] if row["budget"] == budget]
        lines += ["", f"#### {TITLES[name]}, {_share(budget)} of the dense FLOPs", ""]
        lines += [table_row(HEAD), table_row(["---"] * len(HEAD))]
        lines += [
            table_row(
                ["dense", report["num_questions"], percent(report["dense"]), "", "", "100 %", "100 %", "100 %", ""]
            )
        ]
        lines += [table_row(_cells(row, is_of_few(row, report))) for row in _best_first(rows)]
    return "\n".join(lines)


def _best_first(rows: list[dict]) -> list[dict]:
    """Those that could not be asked come last, in the registry's order, which also breaks ties."""
    return sorted(rows, key=lambda row: -row.get("accuracy", -1))


def _cells(row: dict, is_bare: bool) -> list:
    """is_bare: without intervals."""
    title, answered = METHODS[row["method"]].title, row["answered"]
    number = f"{answered} of {answered + row['refused']}" if row["refused"] else answered
    if not answered:
        limit = f"**cannot reach it**: {_share(row['limit'][0])} is its limit" if row["limit"] else "**refused**"
        return [title, number, limit, "", "", "", "", "", row["why"]]
    right = percent({name: row[name] for name in ("accuracy", "low", "high")})
    beside = [_points(row["minus_dense"]), "" if row["method"] == "aim" else _points(row["minus_aim"])]
    if is_bare:
        right, *beside = (cell.split(" (")[0] for cell in (right, *beside))
    costs = [_share(row[name]) for name in ("flops", "entering", "mean")]
    return [title, number, right, *beside, *costs, _settings(row["settings"])]


def _settings(settings: dict) -> str:
    """Each by its median, and from the least to the largest where they differ between questions."""
    shown = []
    for name, (median, least, most) in settings.items():
        shown.append(f"{name} {median:.3g}" + (f" ({least:.3g}–{most:.3g})" if least < most else ""))
    return ", ".join(shown)


def _points(gap: dict | None) -> str:
    if gap is None:
        return "–"
    points = [100 * gap[name] for name in ("value", "low", "high")]
    if gap.get("num_unlike") == 0:
        return f"none differs (±{points[2]:.1f})"
    return "{:+.1f} ({:+.1f} to {:+.1f})".format(*points)


def _share(share: float) -> str:
    """Without a digit after the point where it says nothing."""
    return f"{100 * share:.1f} %".replace(".0 %", " %")
