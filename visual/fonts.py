"""Fonts: a font on this machine that can write Chinese, which the one that comes with matplotlib cannot."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import findSystemFonts
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

NUMBERS = "0123456789,.:%–·× s PTGMFLO"  # what is filled into texts
PLAIN = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
CHINESE = (  # how the names of files begin, the better ones first
    "notosanscjk",
    "notosanssc",
    "sourcehansans",
    "pingfang",
    "msyh",
    "wqy-microhei",
    "wqy-zenhei",
    "simhei",
    "stheiti",
    "droidsansfallback",
)


def chinese_font(texts: Iterable[str], files: Iterable[str] | None = None) -> str | None:
    """The file of a font with every letter of Chinese texts, or None; files: fonts to choose from, if not all here."""
    letters = frozenset("".join([*texts, NUMBERS]))
    return _fitting(letters, None if files is None else tuple(files))


@lru_cache(maxsize=8)
def _fitting(letters: frozenset[str], files: tuple[str, ...] | None) -> str | None:
    ranked = []
    for file in findSystemFonts() if files is None else files:
        name = Path(file).name.lower().replace(" ", "")
        ranked += [(rank, name, file) for rank, start in enumerate(CHINESE) if name.startswith(start)]
    return next((file for _, _, file in sorted(ranked) if letters <= _letters(file)), None)


def _letters(file: str) -> set[str]:
    """What a font can write; nothing where it cannot be read."""
    try:
        return {chr(code) for code in FT2Font(file).get_charmap()}
    except (OSError, RuntimeError):
        return set()


def set_font(figure: Figure, font: str | None) -> Figure:
    """The same figure, every text that is on it now in the font of that file; as it was for None."""
    for text in figure.findobj(Text) if font else ():
        properties = text.get_fontproperties().copy()
        properties.set_file(font)
        text.set_fontproperties(properties)
    return figure


def num_letters(text: str) -> int:
    """Length of a text in Latin letters; a Chinese one is nearly as wide as two."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text) or 1
