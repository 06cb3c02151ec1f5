"""Summary: the report of an evaluation in Markdown, accuracies in percent with their 95 % intervals."""

from __future__ import annotations

from training.tables import percent, table_row

MEAN_TARGET, TYPE_TARGET, SHARE_TARGET = 0.95, 0.90, 0.98  # dense mean, every dense type, AIM as a share of dense
ROW_TARGET = 0.90  # every row of strangers' clips, dense


def table(report: dict) -> str:
    """All tables of a report; those of sets that it was made without are left out."""
    lines = held_out_lines(report)
    if "wide" in report:
        lines += ["", "The wide world:", "", *held_out_lines(report["wide"])]
    if "strangers" in report:
        lines += ["", "Strangers' clips:", "", *strangers_lines(report["strangers"])]
    return "\n".join(lines)


def held_out_lines(report: dict) -> list[str]:
    """Lines on a held-out set: accuracy by type beside the control, by what training combined; the rest in words."""
    lines = ["| type | n | chance | dense | AIM | wrong video |", "|---|---|---|---|---|---|"]
    guesses = report["wrong_video"]
    rows = [(*row, guesses["types"][row[0]]) for row in report["types"].items()]
    for name, row, guess in [*rows, ("mean", report["mean"], guesses["mean"])]:
        lines.append(table_row([*_cells(name, row), percent(guess["dense"])]))
    lines += ["", "| colour, shape and motion together in training | n | dense | AIM |", "|---|---|---|---|"]
    for name, row in report["combinations"].items():
        lines.append(table_row([name, row["n"], percent(row["dense"]), percent(row["aim"])]))
    return [*lines, "", *_in_words(report)]


def strangers_lines(report: dict) -> list[str]:
    """Lines on strangers' clips: accuracy by ground, size, turn, frame and file, then by type, the rest in words."""
    lines = ["| what differs | | n | dense | AIM |", "|---|---|---|---|---|"]
    for axis, rows in report["axes"].items():
        for name, row in rows.items():
            lines.append(table_row([axis, name, row["n"], percent(row["dense"]), percent(row["aim"])]))
    lines += ["", "| type | n | chance | dense | AIM |", "|---|---|---|---|---|"]
    for name, row in [*report["types"].items(), ("mean", report["mean"])]:
        lines.append(table_row(_cells(name, row)))
    weak = [
        f"{name} {100 * row['dense']['accuracy']:.1f}"
        for rows in report["axes"].values()
        for name, row in rows.items()
        if row["dense"]["accuracy"] < ROW_TARGET
    ]
    missed = f" ({', '.join(weak)})" if weak else ""
    target = f"Target: every row {100 * ROW_TARGET:.0f} % dense {_met(not weak)}{missed}."
    return [*lines, "", target, *_in_words(report)]


def _cells(name: str, row: dict) -> list:
    return [name, row["n"], f"{100 * row['chance']:.1f}", percent(row["dense"]), percent(row["aim"])]


def _in_words(report: dict) -> list[str]:
    gap, flops = report["difference"], report["prefill_flops"]
    points = " to ".join(f"{100 * gap[end]:+.1f}" for end in ("low", "high"))
    return [
        f"AIM − dense: {100 * gap['aim_minus_dense']:+.1f} points ({points}); right with one only: "
        f"dense {gap['only_dense_right']}, AIM {gap['only_aim_right']}.",
        _targets(report),
        f"{report['num_questions']} questions, {report['num_videos']} videos of {report['num_frames']} frames; "
        f"AIM's prefill takes {100 * flops['aim'] / flops['dense']:.1f} % of the operations.",
        *(
            f"{frames} frames: dense {percent(row['dense'])}, AIM {percent(row['aim'])}, n = {row['n']}."
            for frames, row in report["more_frames"].items()
        ),
    ]


def _targets(report: dict) -> str:
    """A sentence with each target, whether it is met, and which types miss theirs."""
    mean = report["mean"]["dense"]["accuracy"]
    share = report["mean"]["aim"]["accuracy"] / mean
    weak = [
        f"{kind} {100 * row['dense']['accuracy']:.1f}"
        for kind, row in report["types"].items()
        if row["dense"]["accuracy"] < TYPE_TARGET
    ]
    missed = f" ({', '.join(weak)})" if weak else ""
    return (
        f"Targets: dense mean {100 * MEAN_TARGET:.0f} % {_met(mean >= MEAN_TARGET)} ({100 * mean:.1f}); "
        f"AIM {100 * SHARE_TARGET:.0f} % of dense {_met(share >= SHARE_TARGET)} ({100 * share:.1f}); "
        f"every type {100 * TYPE_TARGET:.0f} % dense {_met(not weak)}{missed}."
    )


def _met(yes: bool) -> str:
    return "met" if yes else "missed"
