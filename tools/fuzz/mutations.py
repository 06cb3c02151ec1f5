"""Mutations: files that were whole, changed at random from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

_EXTREMES = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HEAD_BYTES = 4096


def mutants(files: Mapping[str, bytes], count: int, seed: int) -> Iterator[tuple[str, str, bytes]]:
    """`count` times what was done, the name of the file it was done to, and the bytes that came of it."""
    names, kinds = sorted(files), sorted(_KINDS)
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        name, kind = names[number % len(names)], chance.choice(kinds)
        data = bytearray(files[name])
        _KINDS[kind](data, chance)
        yield kind, name, bytes(data)


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 3, 30))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _extreme_number(data: bytearray, chance: random.Random) -> None:
    """In the first part or the last, where tables are."""
    for _ in range(chance.choice((1, 2, 8))):
        size = min(_HEAD_BYTES, len(data) - 4)
        place = chance.randrange(size) if chance.random() < 0.6 else len(data) - 4 - chance.randrange(size)
        number = chance.choice(_EXTREMES)
        data[place : place + 4] = number.to_bytes(4, chance.choice(("big", "little")))


def _cut_off(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(8, len(data)) :]


def _remove(data: bytearray, chance: random.Random) -> None:
    start, end = _part(data, chance)
    del data[start:end]


def _repeat(data: bytearray, chance: random.Random) -> None:
    start, end = _part(data, chance)
    data[end:end] = data[start:end] * chance.choice((1, 2, 20))


def _noise(data: bytearray, chance: random.Random) -> None:
    start, end = _part(data, chance)
    data[start:end] = chance.randbytes(end - start)


def _zeros(data: bytearray, chance: random.Random) -> None:
    start, end = _part(data, chance)
    data[start:end] = bytes(end - start)


def _part(data: bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(8, len(data))
    return start, min(len(data), start + chance.choice((1, 8, 100, 2000)))


_KINDS: dict[str, Callable[[bytearray, random.Random], None]] = {
    "bits flipped": _flip,
    "extreme numbers": _extreme_number,
    "cut off": _cut_off,
    "a part removed": _remove,
    "a part repeated": _repeat,
    "a part of noise": _noise,
    "a part of zeros": _zeros,
}
