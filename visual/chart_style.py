"""Chart style: size, fonts and axes that all charts share, for the screen and for paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visual.fonts import num_letters
from visual.palette import INK, MUTED, PRUNED, hex_colour

Look = dict[str, Any]  # how something is drawn, as keyword arguments of matplotlib
RULE = "#E5E7EB"  # grid lines
MM_PER_INCH = 25.4


@dataclass(frozen=True)
class ChartStyle:
    """How large a figure and its text are, for where it is shown.

    width_mm:  of the whole figure. type_pt: size of its plain text. dpi: of its pixels, where it has any.
    tallness:  height relative to a figure for the screen of the same width; small ones need more for their text.
    """

    width_mm: float
    type_pt: float
    dpi: int
    tallness: float = 1.0

    @property
    def width(self) -> float:
        """In inches."""
        return self.width_mm / MM_PER_INCH


SCREEN = ChartStyle(162.56, 10, 200)  # sharp when shown 640 pixels wide
COLUMN = ChartStyle(84, 7, 300, 1.3)  # one column of a paper
PAGE = ChartStyle(174, 8, 300, 0.9)  # both columns


def new_chart(title: str, proportion: float, style: ChartStyle = SCREEN) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, its height a share of its width. White also in a dark page, for its dark text."""
    size = (style.width, style.width * proportion * style.tallness)
    figure = Figure(figsize=size, dpi=style.dpi, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08)
    fitting = 0.97 * 72 * style.width / (0.7 * num_letters(title))  # a bold letter is about 0.7 as wide as tall
    title_look: Look = {"fontsize": min(1.2 * style.type_pt, fitting), "fontweight": "bold", "color": hex_colour(INK)}
    figure.suptitle(title, x=0.016, ha="left", **title_look)
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(hex_colour(PRUNED))
    axes.tick_params(which="both", length=0, labelsize=0.95 * style.type_pt, labelcolor=hex_colour(MUTED))
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=hex_colour(MUTED), size=style.type_pt)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def legend_above(axes: Axes, style: ChartStyle = SCREEN) -> None:
    """Names of what is drawn, in one line above the axes."""
    look: Look = {"frameon": False, "fontsize": style.type_pt, "labelcolor": hex_colour(INK), "borderpad": 0.1}
    place: Look = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.3}
    axes.legend(**place, **look, ncols=3, handlelength=1.5, columnspacing=1.5)
