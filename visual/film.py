"""Film: a run as a sequence of pictures: the frames, their merged groups, and the tokens alive in each layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from aim_core.trace import Trace
from visual.contact_sheet import contact_sheet, enlarge
from visual.figure_texts import ENGLISH, FigureTexts
from visual.frame_compose import frame_captions
from visual.heatmaps import alive_drawer, drawn_frames, groups_drawer
from visual.palette import BACKGROUND, INK
from visual.text_raster import fitting_size, line_height, write

WIDEST = 1280  # pixels
CAPTION = 0.042  # height of the caption's type over the film's width
SECONDS = {"original": 1.2, "groups": 2.0, "layer": 0.6, "last": 1.6}


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture (H, W, 3) uint8 RGB, H and W even and equal in all shots of a film, and how long it stays."""

    picture: np.ndarray
    caption: str
    seconds: float


def film(trace: Trace, widest: int = WIDEST, texts: FigureTexts = ENGLISH) -> Iterator[Shot]:
    """The shots of a run, at most `widest` pixels wide; each is drawn when it is asked for, one that stays once."""
    captions = _captions(trace, texts)
    sheet = np.empty((0, 0, 3), dtype=np.uint8)
    for index, (caption, draw) in enumerate(captions):
        name = ("original", "groups")[index] if index < 2 else "layer"
        seconds = SECONDS["last" if index == len(captions) - 1 else name]
        if draw is not None:
            sheet = contact_sheet(drawn_frames(trace, draw()), frame_captions(trace, texts), font=texts.font)
            sheet = enlarge(sheet, round(sheet.shape[0] * min(widest, sheet.shape[1]) / sheet.shape[1]))
        yield Shot(_captioned(sheet, caption, [text for text, _ in captions], texts.font), caption, seconds)


def _captions(trace: Trace, texts: FigureTexts) -> list[tuple]:
    """For each shot its caption and a function that makes what draws it; None where the shot before shows the same."""
    counts = trace.retained
    num_dropped = int(trace.dropped.sum())
    merged = (texts.film_dropped if num_dropped else texts.film_merged).format(
        merged=f"{trace.num_merged:,}", patches=f"{trace.num_patches - num_dropped:,}", dropped=f"{num_dropped:,}"
    )
    shots: list[tuple] = [(texts.film_frames, lambda: lambda picture, view: picture)]
    shots.append((merged, lambda: groups_drawer(trace)))
    for layer in range(trace.num_layers):
        numbers = {"count": f"{counts[layer]:,}", "all": f"{counts[0]:,}"}
        caption = texts.film_layer.format(layer=layer, most=trace.num_layers - 1, **numbers)
        shots.append((caption, None if _stays(counts, layer) else partial(alive_drawer, trace, layer)))
    return shots


def _stays(counts: np.ndarray, layer: int) -> bool:
    """Whether a layer looks as the one before: the same tokens, and in both none was dropped right before."""
    return layer > 0 and len({*counts[max(0, layer - 2) : layer + 1].tolist()}) == 1


def _captioned(sheet: np.ndarray, caption: str, captions: list[str], font: str | None) -> np.ndarray:
    """A sheet with a line above it, as large in every shot, cut to even sides as video codecs want them."""
    width = sheet.shape[1]
    pad = width // 60
    size = fitting_size(captions, max(12, min(34, round(CAPTION * width))), width - 2 * pad, font=font)
    bar = np.full((line_height(size) + pad, width, 3), BACKGROUND, dtype=np.uint8)
    write(bar, caption, pad, pad, size, INK, font)
    whole = np.concatenate([bar, sheet])
    return np.ascontiguousarray(whole[: len(whole) // 2 * 2, : width // 2 * 2])
