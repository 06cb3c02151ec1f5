"""Across frames: merging inside frames, through time or both, and text pruned or kept, at equal FLOPs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aim_lab import chart
from aim_lab.documents import Document
from aim_lab.estimate import workload_of
from aim_lab.intervals import difference_over_questions, interval, mean_over_questions
from aim_lab.line import Line
from aim_lab.measure import Recipe
from aim_lab.settings import Setting
from aim_lab.sweep import Plan
from training.answering import MAX_NEW_TOKENS
from training.eval_sets import NUM_FRAMES
from training.lab import across_chart
from training.lab.across_page import section
from training.lab.equal_cost import WITHIN, Cell, merging_cells, text_cells
from training.lab.experiment import Options
from training.lab.items import documents
from training.lab.still import change, still_documents

__all__ = ["TITLE", "measure", "section"]

TITLE = "Merging across frames, and pruning text"
BUDGETS = (0.25, 0.125, 0.06)
FRAMES = {NUM_FRAMES: BUDGETS, 16: BUDGETS[1:]}  # ToMe and DyCoke see the first number alone
TEXT_FRAMES = (4, 6)  # a token more of each of so few can be paid for by text
VIDEOS = 90  # of each kind


@dataclass(frozen=True, eq=False)
class Asked:
    """Questions that all settings have answered.

    lines: of each question one; right: (questions, settings) bool; flops: (questions, settings) int64, of the prefill.
    """

    settings: Sequence[Setting]
    lines: Sequence[Line]
    right: np.ndarray
    flops: np.ndarray

    @property
    def num_videos(self) -> int:
        return len({line.video for line in self.lines})

    def of(self, cell: Cell) -> np.ndarray:
        """(questions,) bool, what a setting answered right."""
        return self.right[:, self.settings.index(cell.setting)]

    def mean_flops(self, cell: Cell) -> float:
        return float(self.flops[:, self.settings.index(cell.setting)].mean())

    def only(self, videos: set[str]) -> Asked:
        chosen = [index for index, line in enumerate(self.lines) if line.video in videos]
        return replace(self, lines=[self.lines[i] for i in chosen], right=self.right[chosen], flops=self.flops[chosen])


def measure(options: Options) -> dict[str, Any]:
    """Every setting on held-out videos, halved by how much they change, and on still ones.

    Raises ValueError if the time ends before there are questions of each that all settings have answered.
    """
    lab = options.lab
    still, moving = still_documents(options.part(VIDEOS)), documents("held_out", options.part(VIDEOS))
    recipe = Recipe.of(lab.model, lab.engine, reference=NUM_FRAMES, max_new_tokens=MAX_NEW_TOKENS)
    works = {count: workload_of(lab.engine, moving[0], count) for count in {*FRAMES, *TEXT_FRAMES}}
    merging = [
        cell
        for count, shares in FRAMES.items()
        for share in shares
        for cell in merging_cells(works[count], count, share, rivals=count == NUM_FRAMES)
    ]
    text = [cell for count in TEXT_FRAMES for share in BUDGETS for cell in text_cells(works[count], count, share)]
    at_rest = _asked(options, still, merging, recipe)
    report = reported(_asked(options, moving, merging + text, recipe), at_rest, merging, text, _changes(moving))
    report |= {"weights": recipe.weights, "frames": list(FRAMES), "budgets": list(BUDGETS)}
    chart.save(across_chart.draw(report), across_chart.PATH)
    return report


def _asked(options: Options, asked: Sequence[Document], cells: Sequence[Cell], recipe: Recipe) -> Asked:
    settings = tuple(dict.fromkeys(cell.setting for cell in cells))
    return answered(options.lab.sweep(Plan(tuple(asked), settings, recipe)).lines, settings)


def _changes(asked: Sequence[Document]) -> dict[str, float]:
    """By content, how much each video changes."""
    return {clip.content(): change(clip) for clip in dict.fromkeys(own.clip for own in asked)}


def answered(lines: Sequence[Line], settings: Sequence[Setting]) -> Asked:
    """Raises ValueError where no question has been answered under every setting."""
    of_question: dict[tuple[str, str], dict[Setting, Line]] = {}
    for line in lines:
        if not line.refused:
            of_question.setdefault((line.video, line.question), {})[line.setting] = line
    whole = [own for own in of_question.values() if all(setting in own for setting in settings)]
    if not whole:
        raise ValueError("the time ended before any question was answered under every setting: run it again")
    right = np.array([[bool(own[setting].right) for setting in settings] for own in whole])
    flops = np.array([[own[setting].flops for setting in settings] for own in whole], dtype=np.int64)
    return Asked(settings, [own[settings[0]] for own in whole], right, flops)


def reported(
    moving: Asked, still: Asked, merging: Sequence[Cell], text: Sequence[Cell], changes: dict[str, float]
) -> dict[str, Any]:
    """All numbers of the page; changes: by content, how much each video of `moving` changes from frame to frame."""
    asked = {line.video for line in moving.lines}
    middle = float(np.median([changes[video] for video in sorted(asked)]))
    calm = {video for video in asked if changes[video] <= middle}
    parts = {"all": moving, "moving": moving.only(asked - calm), "calm": moving.only(calm), "still": still}
    return {
        "change": middle,
        "asked": {name: [len(own.lines), own.num_videos] for name, own in parts.items()},
        "rows": [row for name, own in parts.items() for row in _rows(name, own, merging)],
        "text": _rows("all", moving, text),
        "text_pooled": _pooled("all", moving, text),
        "pooled": [row for name, own in parts.items() for row in _pooled(name, own, merging)],
    }


def _rows(part: str, asked: Asked, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """One for each cell, beside AIM's own at the same frames and budget."""
    found = []
    for cell in cells:
        right, aim = asked.of(cell), asked.of(_aim_of(cell, cells))
        row = {"part": part, "variant": cell.variant, "num_frames": cell.num_frames, "budget": cell.budget}
        row |= {"kept": cell.kept, "share": cell.share, "flops": asked.mean_flops(cell)}
        row |= {"settings": cell.setting.settings, "right": interval(*mean_over_questions(right, asked.lines))}
        found.append(row | {"gap": interval(*difference_over_questions(right, aim, asked.lines))})
    return found


def _pooled(part: str, asked: Asked, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """For each variant that is there at every budget, the mean of its gaps to AIM."""
    found = []
    for variant in dict.fromkeys(cell.variant for cell in cells):
        own = [cell for cell in cells if cell.variant == variant]
        if variant == WITHIN or {cell.budget for cell in own} != {cell.budget for cell in cells}:
            continue
        one = np.mean([asked.of(cell) for cell in own], axis=0)
        aim = np.mean([asked.of(_aim_of(cell, cells)) for cell in own], axis=0)
        gap = interval(*difference_over_questions(one, aim, asked.lines))
        frames = sorted({cell.num_frames for cell in own})
        found.append({"part": part, "variant": variant, "frames": frames, "gap": gap})
    return found


def _aim_of(cell: Cell, cells: Sequence[Cell]) -> Cell:
    """AIM's own at the same number of frames and budget."""
    return next(
        own for own in cells if own.variant == WITHIN and (own.num_frames, own.budget) == (cell.num_frames, cell.budget)
    )
