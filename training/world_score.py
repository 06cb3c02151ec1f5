"""World score: fit what tells a model's world from others, and measure it: `python -m training.world_score`."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from aim_core.engine import Engine
from aim_core.media.frames import Frames
from aim_core.weights import weights_hash
from aim_core.world_score import FILE, WorldScore, read_world_score, view_statistics
from training.build import IMAGE_SIZE
from training.drawing import render
from training.eval_sets import FIRST_SEED, NUM_FRAMES
from training.other_worlds import FIT, TEST, film_clips, pattern_clips, picture_clips, picture_part
from training.strangers.clips import Clip
from training.strangers.items import strangers_set
from training.wide_drawing import render_wide
from training.wide_world import make_wide_scene
from training.world import frame_times, make_scene

WORLD_SEED = 2412_03255
FIT_FRAMES = 2  # of a clip that is fitted: many clips teach more than many frames
NUM_WIDE, NUM_PLAIN, NUM_PICTURED = 1400, 100, 400  # clips of its world that are fitted
PER_PICTURE, PER_FILM, NUM_PATTERNS = 60, 120, 320  # and of others
CALIBRATED, CALIBRATED_PLAIN = 400, 40  # clips that set the limit
MEASURED, PER_STRANGERS, PER_PICTURE_MEASURED, PER_FILM_MEASURED = 100, 12, 8, 12  # clips that are only measured
ALLOWED = 0.015  # share of the clips that set the limit that may lie above it
PENALTY = 0.1  # as scikit-learn's C: the smaller, the smaller the weights
QUESTION = "what is it?"

Clips = Iterable[np.ndarray]  # (frames, height, width, 3) uint8 each
See = Callable[[np.ndarray], np.ndarray]  # a clip's `view_statistics`


def own_clips(first: int, wide: int, plain: int, num_frames: int = NUM_FRAMES, unseen: bool = False) -> Clips:
    """Clips of the wide and of the plain world; seeds that training never uses, counted from `first`.

    unseen: each with a combination that training never shows.
    """
    times = frame_times(num_frames)
    for make, count in ((make_wide_scene, wide), (make_scene, plain)):
        for index in range(count):
            yield render(make(FIRST_SEED + first + index, unseen), times, IMAGE_SIZE)


def pictured_clips(first: int, count: int, num_frames: int) -> Clips:
    """Clips of the wide world on a part of a picture that is fitted too: what tells the two apart are the things."""
    scenes = (make_wide_scene(FIRST_SEED + first + index) for index in itertools.count())
    photographic = (scene for scene in scenes if scene.ground.kind == "photo")
    for index, scene in enumerate(itertools.islice(photographic, count)):
        ground = picture_part(FIT.pictures[index % len(FIT.pictures)], np.random.default_rng([WORLD_SEED, index]))
        yield render_wide(scene, frame_times(num_frames), IMAGE_SIZE, ground)


def other_clips(num_frames: int) -> Clips:
    """Clips of other worlds that a score is fitted on."""
    for source in FIT.pictures:
        yield from picture_clips(source, PER_PICTURE, WORLD_SEED, num_frames, recoloured=True)
    for source in FIT.films:
        yield from film_clips(source, PER_FILM, WORLD_SEED, num_frames)
    yield from pattern_clips(NUM_PATTERNS, WORLD_SEED, num_frames)


def seeing(engine: Engine) -> See:
    """What turns a clip into its statistics."""

    def see(clip: np.ndarray) -> np.ndarray:
        frames = Frames(clip, frame_times(len(clip)).astype(np.float32), 1.0, "video")
        return view_statistics(engine.view_tokens(frames, QUESTION))

    return see


def fit(own: np.ndarray, other: np.ndarray, penalty: float = PENALTY) -> tuple[np.ndarray, float]:
    """Weights (d,) and offset of a logistic regression between statistics (n, d) of its world and (m, d) of others.

    Both sides weigh the same. Statistics are measured in deviations of the model's own world, where weights are kept
    small (ridge); what is returned takes them as they are.
    """
    mean, scale = own.mean(0), own.std(0) + 1e-6
    rows = torch.from_numpy((np.concatenate([own, other]) - mean) / scale)
    target = torch.cat([torch.zeros(len(own)), torch.ones(len(other))]).double()
    share = torch.where(target == 1, len(rows) / (2 * len(other)), len(rows) / (2 * len(own)))
    values = torch.zeros(rows.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([values], max_iter=2000, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        descent.zero_grad()
        scores = rows @ values[:-1] + values[-1]
        losses = torch.nn.functional.binary_cross_entropy_with_logits(scores, target, share, reduction="sum")
        total = losses * penalty + (values[:-1] ** 2).sum() / 2
        total.backward()
        return total

    descent.step(loss)
    weights = values.detach().numpy()[:-1] / scale
    return weights, float(values[-1].detach()) - float(weights @ mean)


def fitted(see: See) -> WorldScore:
    """The score of a model, with the limit that all but ALLOWED of new clips of its world stay below."""
    drawn, pictured = own_clips(0, NUM_WIDE, NUM_PLAIN, FIT_FRAMES), pictured_clips(3 * 10**9, NUM_PICTURED, FIT_FRAMES)
    own = np.stack([see(clip) for clip in itertools.chain(drawn, pictured)])
    other = np.stack([see(clip) for clip in other_clips(FIT_FRAMES)])
    weights, offset = fit(own, other)
    calibrated = [see(clip) @ weights + offset for clip in own_clips(10**9, CALIBRATED, CALIBRATED_PLAIN, unseen=True)]
    return WorldScore(weights, offset, float(np.quantile(calibrated, 1 - ALLOWED)))


def measured(see: See, score: WorldScore) -> dict:
    """How many clips of each kind are said to be of another world: {kind: {row: [above the limit, clips]}}.

    None of the clips, and none of the pictures and films, was used to fit.
    """
    count = partial(above, see, score)
    strangers = strangers_rows(PER_STRANGERS)
    return {
        "its world": {
            "wide": count(own_clips(2 * 10**9, MEASURED, 0, unseen=True)),
            "plain": count(own_clips(2 * 10**9, 0, MEASURED, unseen=True)),
        },
        "strangers": {row: count(clip.frames(NUM_FRAMES) for clip in clips) for row, clips in strangers.items()},
        "pictures": {
            _name(source): count(picture_clips(source, PER_PICTURE_MEASURED, WORLD_SEED + 1, NUM_FRAMES))
            for source in TEST.pictures
        },
        "films": {
            _name(source): count(film_clips(source, PER_FILM_MEASURED, WORLD_SEED + 1, NUM_FRAMES))
            for source in TEST.films
        },
    }


def above(see: See, score: WorldScore, clips: Clips) -> list[int]:
    """How many clips are said to be of another world, and how many there are."""
    said = [see(clip) @ score.weights + score.offset > score.limit for clip in clips]
    return [int(sum(said)), len(said)]


def strangers_rows(clips: int) -> dict[str, list[Clip]]:
    """So many strangers' clips of each row of their table, by its name."""
    rows: dict[str, list[Clip]] = {}
    for item in {item.video: item for item in strangers_set(clips)}.values():
        rows.setdefault(item.row if item.axis == "all" else f"{item.axis} {item.row}", []).append(item.clip)
    return rows


def totals(report: dict) -> dict[str, tuple[int, int]]:
    """Above the limit, and clips, of each kind together."""
    counted = {kind: list(zip(*rows.values(), strict=True)) for kind, rows in report.items()}
    return {kind: (sum(some), sum(every)) for kind, (some, every) in counted.items()}


def table(report: dict) -> str:
    """What `measured` found, in Markdown."""
    lines = ["| clips | said to be of another world | row by row |", "| --- | --- | --- |"]
    for kind, (some, every) in totals(report).items():
        rows = ", ".join(f"{row} {own}/{of}" for row, (own, of) in report[kind].items())
        lines.append(f"| {kind} | {some} of {every} ({some / every:.1%}) | {rows} |")
    return "\n".join(lines)


def write(folder: Path, score: WorldScore, report: dict) -> None:
    """Put the score into the model's folder, with the hash of its weights and what was measured."""
    record = {
        "sha256": weights_hash(folder),
        "limit": round(score.limit, 6),
        "offset": score.offset,
        "measured": report,
        "weights": [float(f"{weight:.7g}") for weight in score.weights],
    }
    (folder / FILE).write_text(json.dumps(record) + "\n", encoding="utf-8")


def _name(source: tuple[str, str]) -> str:
    return Path(source[1]).stem


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("assets/model"), help="folder of the model")
    parser.add_argument("--check", action="store_true", help="measure what is there instead of fitting it anew")
    options = parser.parse_args()
    see = seeing(Engine.from_pretrained(options.model, device="cpu"))
    score = read_world_score(options.model) if options.check else fitted(see)
    if score is None:
        parser.error(f"{options.model} has no {FILE} to check")
    report = measured(see, score)
    print(table(report))
    if not options.check:
        write(options.model, score, report)


if __name__ == "__main__":
    main()
