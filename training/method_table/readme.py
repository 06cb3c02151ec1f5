"""Readme: the first set's chart and a paragraph of what all sets show, which stands between two marks of README.md."""

from __future__ import annotations

from aim_core.methods.registry import METHODS
from training.method_table.page import CHARTS
from training.method_table.words import BASELINES, beside_aim, in_budget, more_to_come
from training.tables import percent

BUDGETS = (0.25, 0.06)  # of which it tells
SETS = {"held_out": "scenes as in training", "wide": "the wide world, any ground, size and camera"}
ALT = "right answers of all methods, each at the same shares of the dense FLOPs"
COLOURS = "Blue is AIM, orange random patches, green fewer frames, dashed the dense model; bars are 95 % intervals."
AT_HOME = (
    "**AIM is at home on this model**, which in training saw frames merged by AIM's own rule and by no other "
    "method's ([its card](assets/model/README.md))."
)


def readme_block(reports: dict[str, dict]) -> str:
    """reports: by set, at least one."""
    first = next(iter(reports))
    sentences = [COLOURS, *map(_of_set, reports.values()), AT_HOME, "[All of it](docs/methods_compared.md)."]
    return f"![Measured: {ALT}]({CHARTS[first]})\n\n{' '.join(sentences)}"


def _of_set(report: dict) -> str:
    seeds = len(report["seeds"])
    asked = f"{report['num_questions']:,} questions of {'one seed' if seeds == 1 else f'{seeds} seeds'}"
    told = f"*{SETS[report['set']].capitalize()}* (`make methods SET={report['set']}`): {asked}, "
    told += f"dense {percent(report['dense'])} % right."
    return " ".join([told + more_to_come(report), *(_of_budget(report, own) for own in BUDGETS)])


def _of_budget(report: dict, budget: float) -> str:
    """AIM and the baselines at one share of the dense FLOPs; nothing where that was not measured."""
    rows = in_budget(report, budget)
    if "aim" not in rows:
        return ""
    aim = rows["aim"]
    if not aim["answered"]:
        return aim["why"]
    right = percent({name: aim[name] for name in ("accuracy", "low", "high")})
    said = [f"At {100 * budget:g} % of the dense FLOPs AIM {right} %."]
    said += [_baseline(rows[name], aim) for name in BASELINES if name in rows]
    above = [METHODS[name].title for name, row in rows.items() if row["side"] > 0 and name not in BASELINES]
    return " ".join(said + ([f"Clearly above AIM: {', '.join(above)}."] if above else []))


def _baseline(row: dict, aim: dict) -> str:
    if row["answered"] or not row["limit"]:
        return beside_aim(row, aim)
    return f"{METHODS[row['method']].title.capitalize()} cannot go under {100 * row['limit'][0]:.1f} %."
