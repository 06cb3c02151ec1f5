"""A font that a test makes: every letter of some texts is a block, so that Chinese can be drawn on any machine."""

from __future__ import annotations

import string
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

PLAIN = string.ascii_letters + string.digits + string.punctuation + " –·×−"


def make_font(folder: Path, texts: str, name: str = "NotoSansSC-Test.ttf") -> str:
    """The file of a font with the letters of `texts` and plain ones."""
    names = {ord(letter): f"u{ord(letter):04x}" for letter in {*texts, *PLAIN}}
    pen = TTGlyphPen(None)
    for at, point in enumerate([(100, 0), (100, 800), (900, 800), (900, 0)]):
        pen.lineTo(point) if at else pen.moveTo(point)
    pen.closePath()
    order = [".notdef", *names.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    builder.setupGlyf(dict.fromkeys(order, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(order, (1000, 100)))
    builder.setupHorizontalHeader(ascent=850, descent=-150)
    builder.setupNameTable({"familyName": "Test", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(folder / name)
    return str(folder / name)
