"""Report: from right and wrong answers to accuracies, paired differences and tables."""

from __future__ import annotations

import numpy as np

from aim_core.ops.merging import num_kept
from aim_lab.intervals import Z, interval
from training.eval_sets import Item
from training.findings.attention import SCORERS
from training.findings.plans import Shape
from training.findings.settings import Finding, Group, Setting
from training.questions import TYPES
from training.scoring import mean_over_types
from training.tables import percent, table_row

Rights = dict[str, np.ndarray]  # setting name → (models, n) bool


def finding_report(finding: Finding, rights: Rights, items: dict[str, list[Item]], shape: Shape) -> dict:
    """One finding as plain numbers."""
    return {
        "finding": finding.letter,
        "title": finding.title,
        "groups": [_group(group, rights, items[group.baseline.items], shape) for group in finding.groups],
    }


def attention_report(shares: list[list[dict]]) -> dict:
    """shares: for each model, for each question, what `object_shares` gives."""
    report = {"num_questions": len(shares[0]), "chance": _mean([one["chance"] for one in shares[0]]), "models": []}
    for own in shares:
        layers = len(own[0][next(iter(SCORERS))])
        report["models"].append(
            {name: [_mean([one[name][layer] for one in own]) for layer in range(layers)] for name in SCORERS}
        )
    return report


def table(report: dict) -> str:
    """All findings in Markdown, in percent and points, with 95 % intervals."""
    parts = [line for finding in report["findings"] for line in _finding_table(finding, len(report["models"]))]
    return "\n".join([*parts, *_attention_table(report["attention"])] if report.get("attention") else parts)


def _group(group: Group, rights: Rights, items: list[Item], shape: Shape) -> dict:
    base = rights[group.baseline.name]
    rows = [_setting(group.baseline, base, items, shape)]
    for other in group.others:
        right = rights[other.name]
        against = [interval(*mean_over_types(a.astype(float) - b, items)) for a, b in zip(right, base, strict=True)]
        paired = (right.astype(float) - base).mean(0)
        rows.append(
            _setting(other, right, items, shape)
            | {"minus_baseline": {"together": interval(*mean_over_types(paired, items)), "models": against}}
        )
    return {"questions": group.baseline.items, "num_questions": len(items), "settings": rows}


def _setting(setting: Setting, right: np.ndarray, items: list[Item], shape: Shape) -> dict:
    return {
        "setting": setting.name,
        "num_frames": setting.num_frames,
        "tokens_per_frame": _tokens(setting, shape),
        "prefill_flops": _flops(setting, shape),
        "accuracy": {
            "together": interval(*mean_over_types(right.mean(0), items)),
            "models": [interval(*mean_over_types(own, items)) for own in right],
        },
        "types": _types(right.mean(0), items),
    }


def _types(right: np.ndarray, items: list[Item]) -> dict[str, float]:
    """Share of right answers of each type, all models together: where a setting wins or loses."""
    kinds = np.array([item.question.type for item in items])
    return {kind: round(float(right[kinds == kind].mean()), 4) for kind in TYPES if kind in kinds}


def _tokens(setting: Setting, shape: Shape) -> int:
    return num_kept(shape.tokens_per_frame, setting.method.merger.keep_ratio)


def _flops(setting: Setting, shape: Shape) -> int:
    """Counted for a prompt of usual length."""
    visual = setting.num_frames * _tokens(setting, shape) + 1
    return shape.flops(setting.method.schedule, visual, setting.method.drop_text)


def _mean(values: list[float]) -> dict:
    """Mean with its normal interval."""
    mean, half = float(np.mean(values)), Z * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return interval(mean, mean - half, mean + half)


def _finding_table(finding: dict, num_models: int) -> list[str]:
    models = [f"model {i + 1}" for i in range(num_models)] if num_models > 1 else []
    head = ["frames × tokens, method", "MFLOPs", "n", "accuracy", *models, "minus the baseline", *models]
    lines = [f"**({finding['finding']}) {finding['title']}**", "", table_row(head), table_row(["---"] * len(head))]
    for group in finding["groups"]:
        for index, row in enumerate(group["settings"]):
            cells = [row["setting"], f"{row['prefill_flops'] / 1e6:,.0f}", group["num_questions"]]
            cells += _cells(row["accuracy"], models, percent)
            cells += _cells(row["minus_baseline"], models, _points) if index else ["baseline", *("" for _ in models)]
            lines.append(table_row(cells))
    return [*lines, ""]


def _cells(score: dict, models: list, show) -> list[str]:
    return [show(score["together"]), *(show(own) for own in score["models"][: len(models)])]


def _attention_table(report: dict) -> list[str]:
    lines = [
        f"**(h) Share of the mass on patches that falls on the thing asked about** ({report['num_questions']} "
        f"questions; chance {percent(report['chance'])})",
        "",
    ]
    names = [(f"{name}, model {i + 1}", own[name]) for i, own in enumerate(report["models"]) for name in SCORERS]
    lines += [table_row(["layer", *(name for name, _ in names)]), table_row(["---"] * (len(names) + 1))]
    return lines + [table_row([layer, *(percent(own[layer]) for _, own in names)]) for layer in range(len(names[0][1]))]


def _points(score: dict) -> str:
    return f"{100 * score['value']:+.1f} ({100 * score['low']:+.1f} to {100 * score['high']:+.1f})"
