"""Figure files: every paper figure as PNG and as SVG, and a zip archive of all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from matplotlib.figure import Figure

ABOUT = {"Creator": "AIM Explorer", "Date": None}  # no date: the same run gives the same file


def write_figures(figures: dict[str, Callable[[], Figure]], folder: Path) -> list[Path]:
    """The archive first, then <name>.png at the figure's own dpi and <name>.svg with letters as paths."""
    files = []
    for name, draw in figures.items():
        figure = draw()
        files += [folder / f"aim_{name}.png", folder / f"aim_{name}.svg"]
        figure.savefig(files[-2], format="png", dpi=figure.dpi)
        figure.savefig(files[-1], format="svg", dpi=figure.dpi, metadata=ABOUT)
    archive = folder / "aim_figures.zip"
    with ZipFile(archive, "w", ZIP_DEFLATED) as zipped:
        for file in files:
            zipped.write(file, file.name)
    return [archive, *files]
