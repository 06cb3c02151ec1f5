"""Reader: reads an untrusted JSON object, checking the type and size of each value."""

from __future__ import annotations

import math
from typing import Any

from page.exports.saved_run.archive import SavedRunError
from page.i18n import strings

MOST, LONGEST = 10_000, 20_000  # entries of a list; characters of a text in one


class Reader:
    """A JSON object. Every method raises SavedRunError for a value that is missing or not what it should be."""

    def __init__(self, values: Any):
        self._values = self._need(isinstance(values, dict), values)

    def value(self, name: str) -> Any:
        """Whatever is there."""
        return self._need(name in self._values, self._values.get(name))

    def part(self, name: str) -> Reader:
        return Reader(self.value(name))

    def text(self, name: str, most: int, least: int = 0) -> str:
        """So many characters."""
        value = self.value(name)
        return self._need(isinstance(value, str) and least <= len(value) <= most, value)

    def texts_if_any(self, name: str, most: int, longest: int) -> list[str]:
        """At most so many texts of at most so many characters; none where nothing is there."""
        values = self._list(name) if name in self._values else []
        self._need(len(values) <= most, values)
        return [self._need(isinstance(text, str) and len(text) <= longest, text) for text in values]

    def whole(self, name: str, least: int, most: int) -> int:
        return self._whole(self.value(name), least, most)

    def number(self, name: str, least: float, most: float) -> float:
        return self._number(self.value(name), least, most)

    def numbers(self, name: str, least: float, most: float) -> tuple[float, ...]:
        return tuple(self._number(value, least, most) for value in self._list(name))

    def wholes(self, name: str, count: int | None, most: int = 10**7) -> tuple[int, ...]:
        """So many whole numbers from 0 to `most`; up to MOST if no count is asked for."""
        value = self.value(name)
        self._need(isinstance(value, list) and (len(value) <= MOST if count is None else len(value) == count), value)
        return tuple(self._whole(number, 0, most) for number in value)

    def pairs(self, name: str, below: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Pairs of whole numbers from 0, each side below its bound."""
        value = self._list(name)
        for pair in value:
            self._need(isinstance(pair, list) and len(pair) == 2, pair)
        return tuple((self._whole(one, 0, below[0] - 1), self._whole(two, 0, below[1] - 1)) for one, two in value)

    def texts_by_number(self, name: str) -> dict[int, str]:
        """{"12": "text"} with whole numbers for names."""
        values = self.part(name)._values
        self._need(len(values) <= MOST and all(number.isdecimal() and len(number) < 9 for number in values), values)
        return {int(number): self.part(name).text(number, LONGEST) for number in values}

    def texts_by_numbers(self, name: str) -> dict[tuple[int, ...], str]:
        """[[[1, 2], "text"], ...], with lists of whole numbers for names."""
        for pair in self._list(name):
            self._need(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], list), pair)
            self._need(isinstance(pair[1], str) and len(pair[1]) <= LONGEST and len(pair[0]) <= MOST, pair)
        return {tuple(self._whole(number, 0, 10**7) for number in ids): text for ids, text in self._list(name)}

    def _list(self, name: str) -> list:
        value = self.value(name)
        return self._need(isinstance(value, list) and len(value) <= MOST, value)

    def _number(self, value: Any, least: float, most: float) -> float:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return float(self._need(fits and least <= value <= most, value))

    def _whole(self, value: Any, least: int, most: int) -> int:
        fits = isinstance(value, int) and not isinstance(value, bool)
        return self._need(fits and least <= value <= most, value)

    def _need(self, holds: bool, value: Any) -> Any:
        if not holds:
            raise SavedRunError(strings().SAVED_BROKEN)
        return value
