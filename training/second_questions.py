"""Second questions: how often one is answered on the cache of the first: `python -m training.second_questions`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from itertools import groupby, islice, pairwise
from operator import attrgetter

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.frames import Frames
from training.eval_sets import NUM_FRAMES, Item, held_out_set, wide_held_out_set
from training.scoring import wilson
from training.world import frame_times

PER_TYPE = 30  # questions of each type, of which the pairs are made
MOST_WORDS = 16
SETS = {"plain": held_out_set, "wide": wide_held_out_set}


def pairs(items: Iterable[Item]) -> Iterator[tuple[Item, Item]]:
    """Neighbouring questions about one video: a first one and a second one."""
    for _, own in groupby(items, key=attrgetter("video")):
        yield from pairwise(own)


def measure(engine: Engine, asked: Iterable[tuple[Item, Item]]) -> dict[str, list[bool]]:
    """Whether each second question is answered rightly: as a first one and on the cache, dense and with AIM."""
    configs = {"dense": AimConfig.dense(), "AIM": engine.adapter.default_config()}
    right: dict[str, list[bool]] = {f"{name}, {how}": [] for name in configs for how in ("asked alone", "asked on")}
    for first, second in asked:
        pictures = second.frames(NUM_FRAMES)
        frames = Frames(pictures, frame_times(NUM_FRAMES).astype("float32"), 1.0, "video")
        for name, config in configs.items():
            settings = {"config": config, "max_new_tokens": MOST_WORDS}
            alone = engine.run(frames, second.question.text, **settings)
            talk = engine.converse(frames, first.question.text, **settings)
            on = talk.ask(second.question.text, max_new_tokens=MOST_WORDS)
            right[f"{name}, asked alone"].append(second.question.accepts(alone.answer))
            right[f"{name}, asked on"].append(second.question.accepts(on.answer))
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="assets/model")
    parser.add_argument("--set", choices=SETS, default="plain")
    parser.add_argument("--pairs", type=int, default=100)
    options = parser.parse_args()
    items = SETS[options.set](PER_TYPE)
    right = measure(Engine.from_pretrained(options.model, device="cpu"), islice(pairs(items), options.pairs))
    for name, own in right.items():
        low, high = wilson(sum(own), len(own))
        print(f"{name:20} {sum(own):4} of {len(own)} right, {sum(own) / len(own):.0%} ({low:.0%} to {high:.0%})")


if __name__ == "__main__":
    main()
