"""Flips: at which positions of the sliders the sample questions get another answer than dense gives; `make samples`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.decode import load_frames
from aim_core.weights import weights_hash
from training.samples import rows

NUM_FRAMES = 8  # as the page begins
FEWER_TOKENS, FEWER_LAYERS = (0.1, 0.05, 0.02), ((3, 5), (1, 3), (0, 1))


def positions(usual: AimConfig) -> list[AimConfig]:
    """The defaults of the sliders first, then a keep ratio that gets smaller, then layers that come earlier."""
    fewer = [AimConfig(keep_ratio, usual.l1, usual.l2) for keep_ratio in FEWER_TOKENS]
    return [usual, *fewer, *(AimConfig(usual.keep_ratio, l1, l2) for l1, l2 in FEWER_LAYERS)]


def measured(model: Path, samples: Path) -> dict:
    """For every sample question its answer, what dense says, and what AIM says at each of `positions`."""
    engine = Engine.from_pretrained(model, device="cpu")
    tried = positions(engine.adapter.default_config())
    frames = {row["file"]: load_frames(samples / row["file"], NUM_FRAMES) for row in rows()}

    def said(row: dict, config: AimConfig) -> str:
        return engine.run(frames[row["file"]], row["question"], config=config).answer

    questions = [
        {key: row[key] for key in ("file", "question", "answer")}
        | {"dense": said(row, AimConfig.dense()), "aim": [said(row, config) for config in tried]}
        for row in rows()
    ]
    settings = [[config.keep_ratio, config.l1, config.l2] for config in tried]
    return {"sha256": weights_hash(model), "num_frames": NUM_FRAMES, "settings": settings, "questions": questions}


def flips(report: dict) -> list[tuple[dict, int]]:
    """Questions whose answer is another than dense's at a position: each with the number of the first such one."""
    different = [[said != one["dense"] for said in one["aim"]] for one in report["questions"]]
    pairs = zip(report["questions"], different, strict=True)
    return [(question, marks.index(True)) for question, marks in pairs if any(marks)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("assets/model"))
    parser.add_argument("--samples", type=Path, default=Path("assets/samples"))
    parser.add_argument("--out", type=Path, default=Path("assets/samples/flips.json"))
    options = parser.parse_args()
    report = measured(options.model, options.samples)
    lines = [json.dumps(question) for question in report.pop("questions")]
    head = json.dumps(report)[:-1]
    options.out.write_text(f'{head}, "questions": [\n ' + ",\n ".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
