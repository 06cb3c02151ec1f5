"""Palette: colour-blind-safe colours, and a graph colouring in which touching groups never share one."""

from __future__ import annotations

import colorsys

import matplotlib
import numpy as np

Colour = tuple[int, int, int]  # RGB, 0 to 255

INK: Colour = (31, 35, 43)  # text
MUTED: Colour = (107, 114, 128)  # second-rank text
BACKGROUND: Colour = (244, 245, 247)  # background of a sheet or a legend
LINE: Colour = (255, 255, 255)  # lines on a picture
ALIVE: Colour = (255, 176, 0)  # a visual token that is still there
PRUNED: Colour = (148, 155, 166)  # one that is not
PROTECTED: Colour = (75, 239, 247)  # one that was marked to stay
VISION: Colour = (148, 155, 166)  # cost of the vision encoder
LANGUAGE: Colour = (59, 108, 214)  # cost of the language model

TINT = 0.42  # opacity of a group's colour
HEAT_OPACITY = 0.72
FAINT = 0.28  # opacity of a line around a patch that was not merged
DIM = 0.38  # brightness of a pruned patch
DIM_GREY = 0.85  # share of its colour that it loses

HEAT = "plasma"  # matplotlib colour map of a score: no dark grey in it, which means pruned

# Chosen by search for the largest smallest distance in CIELAB, as seen with normal, protanopic,
# deuteranopic and tritanopic vision (simulated after Machado et al. 2009); a test measures it.
GROUP_COLOURS: tuple[Colour, ...] = (
    (140, 94, 229),  # violet
    (255, 214, 54),  # yellow
    (0, 121, 98),  # green
    (237, 105, 29),  # orange
    (135, 177, 252),  # sky
    (193, 25, 158),  # magenta
    (75, 239, 247),  # cyan
    (153, 92, 46),  # brown
    (178, 202, 124),  # sage
    (248, 132, 170),  # pink
)


def colour_table(num_colours: int) -> np.ndarray:
    """(num_colours, 3) uint8 RGB, all different: the safe set first, then hues a golden angle apart."""
    colours = list(GROUP_COLOURS[:num_colours])
    step = 0
    while len(colours) < num_colours:
        hue, ring = 0.618034 * step % 1.0, step % 3
        red, green, blue = colorsys.hsv_to_rgb(hue, 0.85 - 0.2 * ring, 0.75 + 0.1 * ring)
        colour = round(255 * red), round(255 * green), round(255 * blue)
        if colour not in colours:
            colours.append(colour)
        step += 1
    return np.array(colours, dtype=np.uint8).reshape(num_colours, 3)


def touching(group: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Which groups have two patches side by side or corner to corner.

    group: (n,) int in [0, k), the group of each patch of one frame in raster order.
    grid:  (rows, cols) with rows * cols = n.
    Returns (k, k) bool, symmetric, False on the diagonal. A group need not be in one piece.
    """
    table = np.asarray(group).reshape(grid)
    pairs = (
        (table[:, :-1], table[:, 1:]),
        (table[:-1], table[1:]),
        (table[:-1, :-1], table[1:, 1:]),
        (table[:-1, 1:], table[1:, :-1]),
    )
    num_groups = int(table.max()) + 1
    touch = np.zeros((num_groups, num_groups), dtype=bool)
    for one, other in pairs:
        touch[one, other] = touch[other, one] = True
    np.fill_diagonal(touch, False)
    return touch


def assign_colours(group: np.ndarray, grid: tuple[int, int], num_colours: int = len(GROUP_COLOURS)) -> np.ndarray:
    """A colour index for each merged group, so that merged groups that touch differ (greedy graph colouring).

    group, grid: as in `touching`.
    num_colours: colours used freely; one more is added only where neighbours have taken them all.
    Returns (k,) int64; 0 for a group of one patch, which keeps its own colours. Groups that touch most others choose
    first; each takes the colour that fewest have, so that equal colours far apart stay rare. Same input, same colours.
    """
    sizes = np.bincount(np.asarray(group))
    merged = np.flatnonzero(sizes > 1)
    if not len(merged):
        return np.zeros(len(sizes), dtype=np.int64)
    touch = touching(group, grid)
    order = merged[np.lexsort((merged, -touch[merged].sum(axis=1)))].tolist()
    colour: dict[int, int] = {}
    used = [0] * num_colours
    for index in order:
        taken = {colour.get(other) for other in touch[index].nonzero()[0].tolist()}
        free = [choice for choice in range(len(used)) if choice not in taken]
        if not free:
            free = [len(used)]
            used.append(0)
        colour[index] = min(free, key=used.__getitem__)
        used[colour[index]] += 1
    return np.array([colour.get(index, 0) for index in range(len(sizes))], dtype=np.int64)


def browser_palette() -> dict:
    """What the page's scripts draw with: CSS colours by name, the heat map in 256 steps, and opacities."""
    named = {
        "alive": ALIVE,
        "pruned": PRUNED,
        "protected": PROTECTED,
        "line": LINE,
        "vision": VISION,
        "language": LANGUAGE,
    }
    heat = (matplotlib.colormaps[HEAT](np.linspace(0, 1, 256))[:, :3] * 255).round().astype(int)
    shares = {"tint": TINT, "heatOpacity": HEAT_OPACITY, "faint": FAINT, "dim": DIM, "dimGrey": DIM_GREY}
    colours = {name: hex_colour(colour) for name, colour in named.items()}
    return colours | {"heat": [hex_colour(c) for c in heat]} | shares


def hex_colour(colour: Colour) -> str:
    """The colour as matplotlib and CSS read it, e.g. "#ffb000"."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
