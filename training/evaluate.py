"""Evaluate a model on the held-out sets, dense and with AIM: `python -m training.evaluate` writes tables and JSON."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig

from aim_core.weights import weights_hash
from training.answering import AnswerPool, Answers, EvalItem, aim_config
from training.build import IMAGE_SIZE
from training.eval_sets import (
    DEVELOPMENT_SEED,
    HELD_OUT_SEED,
    NUM_FRAMES,
    WIDE_SEED,
    Item,
    held_out_set,
    wide_held_out_set,
    wrong_videos,
)
from training.scoring import by_combination, by_row, by_type, difference
from training.strangers.items import CLIPS, STRANGERS_SEED, StrangersItem, strangers_set
from training.summary import table

LONGER, LONGER_VIDEOS = (32,), 60
PROCESSES = 2

Ask = Callable[..., dict[str, Answers]]  # (items, num_frames, names), as `AnswerPool` and `answer_all` take them


def evaluate(
    ask: Ask, items: Sequence[EvalItem], num_frames: int, longer: tuple[int, ...] = LONGER, more: Callable = dict
) -> dict:
    """What there is to report about a set, as plain numbers.

    longer: further numbers of frames, asked about LONGER_VIDEOS of the videos only.
    more:   further parts of the report, from a dictionary of right answers, (n,) bool each.
    """
    begun, answers = time.monotonic(), ask(items, num_frames)
    right = {name: answer.right for name, answer in answers.items()}
    return {
        "num_questions": len(items),
        "num_videos": len({item.video for item in items}),
        "num_frames": num_frames,
        **by_type(items, right),
        "difference": difference(items, **right),
        "more_frames": {str(frames): _few_at(ask, items, frames) for frames in longer},
        "prefill_flops": {name: round(float(answer.prefill_flops.mean())) for name, answer in answers.items()},
        **more(right),
        "seconds": round(time.monotonic() - begun, 1),
    }


def evaluate_held_out(ask: Ask, items: list[Item], num_frames: int, longer: tuple[int, ...] = LONGER) -> dict:
    """Of scenes that a renderer of ours draws: new combinations apart, and the control with the wrong videos."""

    def more(right: dict) -> dict:
        moved = wrong_videos(items)
        guesses = ask(moved, num_frames, ("dense",))
        wrong = by_type(moved, {name: answer.right for name, answer in guesses.items()})
        return {"combinations": by_combination(items, right), "wrong_video": wrong}

    return evaluate(ask, items, num_frames, longer, more)


def evaluate_strangers(ask: Ask, items: list[StrangersItem], num_frames: int, longer: tuple[int, ...] = LONGER) -> dict:
    """Of strangers' clips: every ground, size, turn, frame and file apart."""
    return evaluate(ask, items, num_frames, longer, lambda right: {"axes": by_row(items, right)})


def _few_at(ask: Ask, items: Sequence[EvalItem], num_frames: int) -> dict:
    """Means over some of the videos, evenly chosen, at another number of frames."""
    videos = sorted({item.video for item in items})
    chosen = set(videos[:: max(1, len(videos) // LONGER_VIDEOS)])
    few = [item for item in items if item.video in chosen]
    answers = ask(few, num_frames)
    return by_type(few, {name: answer.right for name, answer in answers.items()})["mean"]


def made_by(model: Path, seed: int, wide_seed: int) -> dict:
    """What was measured, and with what."""
    depth = AutoConfig.from_pretrained(model).get_text_config().num_hidden_layers
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    about = {"model": str(model), "sha256": weights_hash(model), "seed": seed, "wide_seed": wide_seed}
    about["strangers_seed"] = STRANGERS_SEED
    return about | {"frame_size": IMAGE_SIZE, "aim_config": asdict(aim_config(depth))} | versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("assets/model"), help="folder of the model")
    parser.add_argument("--per-type", type=int, default=80, help="held-out questions of each type, at least")
    parser.add_argument("--clips", type=int, default=CLIPS, help="strangers' clips in each row")
    parser.add_argument("--frames", type=int, default=NUM_FRAMES, help="frames of each video")
    parser.add_argument(
        "--seed", type=int, default=HELD_OUT_SEED, help=f"of held-out videos; {DEVELOPMENT_SEED} for choices on the way"
    )
    parser.add_argument("--wide-seed", type=int, default=WIDE_SEED, help="of videos of the wide world")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="each of them takes one core")
    parser.add_argument("--out", type=Path, default=Path("assets/evaluation.json"), help="where the numbers go")
    options = parser.parse_args()
    report = made_by(options.model, options.seed, options.wide_seed)
    with AnswerPool(options.model, options.processes) as ask:
        report |= evaluate_held_out(ask, held_out_set(options.per_type, options.frames, options.seed), options.frames)
        wide = wide_held_out_set(options.per_type, options.frames, options.wide_seed)
        report["wide"] = evaluate_held_out(ask, wide, options.frames)
        report["strangers"] = evaluate_strangers(ask, strangers_set(options.clips), options.frames)
    print(table(report))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
