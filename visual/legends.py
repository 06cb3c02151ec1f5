"""Legends: small pictures that explain an overlay, their samples drawn by the overlay itself."""

from __future__ import annotations

import numpy as np

from visual.figure_texts import ENGLISH, FigureTexts
from visual.overlay import draw_alive, draw_groups, draw_scores
from visual.palette import BACKGROUND, INK
from visual.text_raster import line_height, line_width, write

SKY, GRASS = (165, 190, 216), (96, 128, 74)  # what the samples show


def groups_legend(texts: FigureTexts = ENGLISH, size: int = 22) -> np.ndarray:
    """(H, W, 3) uint8 RGB, explains `draw_groups`. size: height of the font in pixels."""
    joined = draw_groups(_sample(2.4, size), np.array([0, 0, 0, 0]), (1, 4))
    apart = draw_groups(_sample(2.4, size), np.array([0, 1, 2, 3, 4, 5]), (2, 3))
    return _row([(joined, texts.merged_area), (apart, texts.small_areas)], size, texts.font)


def alive_legend(texts: FigureTexts = ENGLISH, size: int = 22) -> np.ndarray:
    """(H, W, 3) uint8 RGB, explains `draw_alive`. size: height of the font in pixels."""
    alive = draw_alive(_sample(2.4, size), np.array([0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]), (3, 4))
    pruned = draw_alive(_sample(2.4, size), np.zeros(1, dtype=bool), (1, 1))
    last = draw_alive(_sample(2.4, size), np.zeros(2, dtype=bool), (1, 2), np.ones(2, dtype=bool))
    return _row([(alive, texts.outlined), (pruned, texts.pale), (last, texts.dot)], size, texts.font)


def scores_legend(scale: str = "rank", texts: FigureTexts = ENGLISH, size: int = 22) -> np.ndarray:
    """(H, W, 3) uint8 RGB, explains `draw_scores`: a bar from low to high. size: as above.

    scale: "rank" or "log", or ValueError is raised.
    """
    low, high = texts.ends(scale)
    blank = np.full_like(_sample(8.0, size), 128)
    steps = blank.shape[1]
    bar = draw_scores(blank, np.arange(steps), (1, steps), 0, steps - 1)
    pruned = draw_scores(_sample(2.4, size), np.array([np.nan]), (1, 1), 0, 1)
    return _row([(None, low), (bar, high), (pruned, texts.pale_earlier)], size, texts.font)


def _sample(width: float, size: int) -> np.ndarray:
    """A small picture, some sky over some grass, to lay an overlay on; width in heights of the font."""
    image = np.empty((round(1.4 * size), round(width * size), 3), dtype=np.uint8)
    half = len(image) // 2
    image[:half], image[half:] = SKY, GRASS
    return image


def _row(items: list[tuple[np.ndarray | None, str]], size: int, font: str | None) -> np.ndarray:
    """Samples and words in a row, each sample before its words."""
    pad, height = size // 2, round(2.4 * size)
    lines = [line_width(text, size, font) for _, text in items]
    widths = [0 if sample is None else sample.shape[1] + pad for sample, _ in items]
    row = np.full((height, sum(lines) + sum(widths) + 2 * pad * len(items), 3), BACKGROUND, dtype=np.uint8)
    left = pad
    for (sample, text), ahead, line in zip(items, widths, lines, strict=True):
        if sample is not None:
            top = (height - len(sample)) // 2
            row[top : top + len(sample), left : left + sample.shape[1]] = sample
        write(row, text, (height - line_height(size)) // 2, left + ahead, size, INK, font)
        left += ahead + line + 2 * pad
    return row
