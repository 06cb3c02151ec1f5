"""Evaluate a model on held-out questions, dense and with AIM: `python -m training.evaluate` writes a table and JSON."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import numpy as np
import torch
import transformers
from tqdm import tqdm

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.methods.aim import as_method
from training.asking import Video
from training.build import IMAGE_SIZE
from training.drawing import render
from training.held_out import DEVELOPMENT_SEED, HELD_OUT_SEED, NUM_FRAMES, Item, held_out_set, wrong_videos
from training.scoring import by_combination, by_type, difference
from training.tables import percent, table_row
from training.weights import weights_hash
from training.world import frame_times

KEEP_RATIO = 0.25  # the paper's, for video
LONGER, LONGER_VIDEOS = (16, 32), 100
MEAN_TARGET, TYPE_TARGET, SHARE_TARGET = 0.95, 0.90, 0.98  # dense mean, every dense type, AIM as a share of dense
MAX_NEW_TOKENS = 16  # a sentence and the end mark; the rest would only be wrong


@dataclass(frozen=True, eq=False)
class Answers:
    """How one configuration did: right (n,) bool, and what the language model's prefills cost, (n,) int64."""

    right: np.ndarray
    prefill_flops: np.ndarray


def answer_all(engine: Engine, items: list[Item], configs: dict[str, AimConfig], num_frames: int) -> dict[str, Answers]:
    """Ask every item under every configuration, the way a user's question goes.

    Items of a video must be neighbours: the engine remembers what the vision tower saw only for a while.
    """
    found = {name: [] for name in configs}
    with tqdm(total=len(items), disable=None, unit="question") as bar:
        for _, group in groupby(items, key=attrgetter("video")):
            group = list(group)
            frames = render(group[0].scene, frame_times(num_frames), IMAGE_SIZE)
            for item in group:
                for name, config in configs.items():
                    result = engine.run(frames, item.question.text, config, max_new_tokens=MAX_NEW_TOKENS)
                    found[name].append((item.question.accepts(result.answer), result.cost.language_flops))
                bar.update()
    return {name: Answers(*map(np.array, zip(*rows, strict=True))) for name, rows in found.items()}


def answer_longer(engine: Engine, items: list[Item], configs: dict[str, AimConfig], num_frames: int) -> dict:
    """Accuracies of the first word alone, with the vision tower run once a video: for numbers of frames that take long.

    Every answer that is right is one word.
    """
    words, right = engine.adapter.processor.tokenizer.get_vocab(), {name: [] for name in configs}
    for _, group in groupby(tqdm(items, disable=None, unit="question"), key=attrgetter("video")):
        group = list(group)
        with torch.inference_mode():
            video = Video(engine.adapter, render(group[0].scene, frame_times(num_frames), IMAGE_SIZE))
        for name, config in configs.items():
            said = video.first_words(as_method(config), [item.question.text for item in group])
            right[name] += [words[i.question.answer] == word for i, word in zip(group, said, strict=True)]
    return by_type(items, {name: np.array(own) for name, own in right.items()})["mean"]


def evaluate(engine: Engine, items: list[Item], num_frames: int, longer: tuple[int, ...] = LONGER) -> dict:
    """Everything there is to report, as plain numbers.

    longer: further numbers of frames, asked about the first LONGER_VIDEOS videos only.
    """
    begun, aim = time.monotonic(), AimConfig.for_depth(engine.num_layers, KEEP_RATIO)
    configs = {"dense": AimConfig.dense(), "aim": aim}
    answers = answer_all(engine, items, configs, num_frames)
    few = [item for item in items if item.video < LONGER_VIDEOS]
    right = {name: answer.right for name, answer in answers.items()}
    moved = wrong_videos(items)
    guesses = answer_all(engine, moved, {"dense": AimConfig.dense()}, num_frames)
    return {
        "num_questions": len(items),
        "num_videos": len({item.video for item in items}),
        "num_frames": num_frames,
        "frame_size": IMAGE_SIZE,
        "aim_config": asdict(aim),
        **by_type(items, right),
        "difference": difference(items, **right),
        "combinations": by_combination(items, right),
        "wrong_video": by_type(moved, {"dense": guesses["dense"].right}),
        "more_frames": {str(frames): answer_longer(engine, few, configs, frames) for frames in longer},
        "prefill_flops": {name: round(float(answer.prefill_flops.mean())) for name, answer in answers.items()},
        "device": str(engine.adapter.model.device),
        "dtype": str(engine.adapter.model.dtype).removeprefix("torch."),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "seconds": round(time.monotonic() - begun, 1),
    }


def table(report: dict) -> str:
    """The report in Markdown: accuracies in percent, with their 95 % intervals."""
    lines = ["| type | n | chance | dense | AIM | wrong video |", "|---|---|---|---|---|---|"]
    guesses = report["wrong_video"]
    rows = [(kind, row, guesses["types"][kind]) for kind, row in report["types"].items()]
    for name, row, guess in [*rows, ("mean", report["mean"], guesses["mean"])]:
        cells = [
            name,
            row["n"],
            f"{100 * row['chance']:.1f}",
            *map(percent, (row["dense"], row["aim"], guess["dense"])),
        ]
        lines.append(table_row(cells))
    lines += ["", "| colour, shape and motion together in training | n | dense | AIM |", "|---|---|---|---|"]
    for name, row in report["combinations"].items():
        lines.append(table_row([name, row["n"], percent(row["dense"]), percent(row["aim"])]))
    gap, flops = report["difference"], report["prefill_flops"]
    points = " to ".join(f"{100 * gap[end]:+.1f}" for end in ("low", "high"))
    lines += ["", f"AIM − dense: {100 * gap['aim_minus_dense']:+.1f} points ({points}); right with one only: "
              f"dense {gap['only_dense_right']}, AIM {gap['only_aim_right']}."]  # fmt: skip
    lines.append(_targets(report))
    lines.append(
        f"{report['num_questions']} questions, {report['num_videos']} videos of {report['num_frames']} frames; "
        f"AIM's prefill takes {100 * flops['aim'] / flops['dense']:.1f} % of the operations."
    )
    for frames, row in report["more_frames"].items():
        lines.append(f"{frames} frames: dense {percent(row['dense'])}, AIM {percent(row['aim'])}, n = {row['n']}.")
    return "\n".join(lines)


def _targets(report: dict) -> str:
    """What was aimed at, and what is missed."""
    mean = report["mean"]["dense"]["accuracy"]
    share = report["mean"]["aim"]["accuracy"] / mean
    weak = [f"{kind} {100 * row['dense']['accuracy']:.1f}" for kind, row in report["types"].items()
            if row["dense"]["accuracy"] < TYPE_TARGET]  # fmt: skip
    missed = f" ({', '.join(weak)})" if weak else ""
    return (
        f"Targets: dense mean {100 * MEAN_TARGET:.0f} % {_met(mean >= MEAN_TARGET)} ({100 * mean:.1f}); "
        f"AIM {100 * SHARE_TARGET:.0f} % of dense {_met(share >= SHARE_TARGET)} ({100 * share:.1f}); "
        f"every type {100 * TYPE_TARGET:.0f} % dense {_met(not weak)}{missed}."
    )


def _met(yes: bool) -> str:
    return "met" if yes else "missed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("assets/model"), help="folder of the model")
    parser.add_argument("--per-type", type=int, default=160, help="questions of each type, at least")
    parser.add_argument("--frames", type=int, default=NUM_FRAMES, help="frames of each video")
    parser.add_argument(
        "--seed", type=int, default=HELD_OUT_SEED, help=f"of the videos; {DEVELOPMENT_SEED} for choices on the way"
    )
    parser.add_argument("--out", type=Path, default=Path("assets/evaluation.json"), help="where the numbers go")
    options = parser.parse_args()
    engine = Engine.from_pretrained(options.model)
    items = held_out_set(options.per_type, options.frames, options.seed)
    made_by = {"model": str(options.model), "sha256": weights_hash(options.model), "seed": options.seed}
    report = made_by | evaluate(engine, items, options.frames)
    print(table(report))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
