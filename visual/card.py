"""Chart card: a white figure with a bold title, few lines and readable type, that all charts start from."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visual.palette import INK, MUTED, PRUNED, hex_colour

WIDTH_INCHES, DPI = 6.4, 200  # sharp when shown 640 pixels wide
RULE = "#E5E7EB"  # grid lines


def chart_card(title: str, height_inches: float) -> tuple[Figure, Axes]:
    """A figure with one pair of axes. White also in a dark page, since its text is dark."""
    figure = Figure(figsize=(WIDTH_INCHES, height_inches), dpi=DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
    figure.suptitle(title, x=0.016, ha="left", fontsize=12, fontweight="bold", color=hex_colour(INK))
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(hex_colour(PRUNED))
    axes.tick_params(which="both", length=0, labelsize=9.5, labelcolor=hex_colour(MUTED))
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(color=hex_colour(MUTED), size=10)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def key_above(axes: Axes) -> None:
    """Names of what is drawn, in one line above the axes."""
    look = {"frameon": False, "fontsize": 10, "labelcolor": hex_colour(INK), "borderpad": 0.1}
    place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.3}
    axes.legend(**place, **look, ncols=3, handlelength=1.5, columnspacing=1.8)
