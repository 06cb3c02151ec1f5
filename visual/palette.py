"""Palette: the colours and opacities of figures and browser, each with one meaning."""

from __future__ import annotations

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

HEAT_OPACITY = 0.72
BORDER = 0.28  # opacity of a line between two merged tokens
FADE = 0.6  # how far a pruned patch has faded towards PRUNED
FADE_GREY = 0.85  # share of its colour that it loses

HEAT = "plasma"  # matplotlib colour map of a score: no dark grey in it, which means pruned


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
    shares = {"heatOpacity": HEAT_OPACITY, "border": BORDER, "fade": FADE, "fadeGrey": FADE_GREY}
    colours = {name: hex_colour(colour) for name, colour in named.items()}
    return colours | {"heat": [hex_colour(c) for c in heat]} | shares


def hex_colour(colour: Colour) -> str:
    """The colour as matplotlib and CSS read it, e.g. "#ffb000"."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
