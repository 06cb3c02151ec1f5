"""The training curve: `python -m training.plot_log` draws a log as a picture (PNG, SVG, whatever the name ends in)."""

from __future__ import annotations

import argparse
import json
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter


def read_log(path: Path) -> list[dict]:
    """The lines of a log in the order of training; of steps done twice, after a stop, the last.

    Raises ValueError, with what to do, if there is nothing to draw.
    """
    if not path.is_file():
        raise ValueError(f"{path} is not there. Train first, or give the log of a training with --log.")
    lines: dict[tuple[str, int], dict] = {}
    for text in path.read_text().splitlines():
        line = json.loads(text)
        lines.pop((line["stage"], line["step"]), None)
        lines[line["stage"], line["step"]] = line
    if not lines:
        raise ValueError(f"{path} is empty. Wait for the first line of the training.")
    return list(lines.values())


def draw(lines: list[dict]) -> Figure:
    """Right answers and loss, both as means of the steps of a log line, over minutes; a stage is a shaded span."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    right, loss = figure.subplots(2, 1, sharex=True)
    for index, (stage, part) in enumerate(groupby(lines, key=itemgetter("stage"))):
        part = list(part)
        minutes = [line["minutes"] for line in part]
        for axes in (right, loss):
            axes.axvspan(minutes[0], minutes[-1], color="0.5", alpha=0.14 if index % 2 else 0.05, linewidth=0)
        height = 1.02 + 0.08 * (index % 2)  # names of short stages would run into each other
        right.text(minutes[0], height, f" {stage}", fontsize=8, transform=right.get_xaxis_transform())
        loss.plot(minutes, [sum(line["losses"].values()) for line in part], color="tab:blue")
        if "answer" in part[0]["losses"]:  # otherwise nothing is asked yet
            right.plot(minutes, [100 * line["right"] for line in part], color="tab:green")
    right.set(ylabel="right answers, %", ylim=(0, 100))
    loss.set(ylabel="loss, all parts", xlabel="minutes", yscale="log")
    loss.yaxis.set_major_formatter(LogFormatter())  # 10 and 20, not powers of ten
    loss.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.plot_log", description=__doc__)
    parser.add_argument("--log", type=Path, default=Path("runs/model/log.jsonl"), help="log of a training")
    parser.add_argument("--out", type=Path, default=Path("assets/training_curve.png"), help="picture to write")
    options = parser.parse_args()
    try:
        figure = draw(read_log(options.log))
    except ValueError as error:
        parser.error(str(error))
    figure.savefig(options.out, dpi=110)


if __name__ == "__main__":
    main()
