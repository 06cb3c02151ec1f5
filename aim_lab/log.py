"""Log: one line for each measurement, only ever added to, so that work that was ended goes on where it stood."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Hashable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar


class Keyed(Protocol):
    """A dataclass whose key says what was measured; a log has one line of each."""

    @property
    def key(self) -> Hashable: ...


Row = TypeVar("Row", bound=Keyed)


class LineLog(Generic[Row]):
    """The lines of a file; what is added is on the disk at once. Several processes may add to it."""

    def __init__(self, path: Path, read: Callable[[dict[str, Any]], Row | None]):
        """The file need not be there. A last line that was cut off as it was written is removed.

        read: from the JSON object of a line to its record; None for a line to leave out.
        Raises ValueError for a line that is not one of this log.
        """
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            written = file.read()
            whole = written[: written.rfind(b"\n") + 1]
            if whole != written:
                file.truncate(len(whole))
        rows = [self._row(read, number, text) for number, text in enumerate(whole.split(b"\n")[:-1], 1)]
        self._rows = {row.key: row for row in rows if row is not None}

    def _row(self, read: Callable[[dict[str, Any]], Row | None], number: int, text: bytes) -> Row | None:
        try:
            return read(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"line {number} of {self._path} is not of this log ({error}): remove the line, or choose another file"
            ) from error

    def __contains__(self, key: Hashable) -> bool:
        return key in self._rows

    def __getitem__(self, key: Hashable) -> Row:
        return self._rows[key]

    def get(self, key: Hashable) -> Row | None:
        """What was measured before, if it was."""
        return self._rows.get(key)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row) -> None:
        """Raises ValueError if it is there already."""
        if row.key in self:
            raise ValueError(f"the log has this line already: {row.key}")
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write((json.dumps(asdict(row), ensure_ascii=False) + "\n").encode())  # type: ignore[call-overload]
        self._rows[row.key] = row
