"""Archive: checks the members of an uploaded .npz, their number, sizes and types, before any is read."""

from __future__ import annotations

import math
import os
import re
import zlib
from tokenize import TokenError
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from page.i18n import strings

MOST_BYTES = 160 << 20  # of all parts together, unpacked; the page's largest has 114 of frames
MOST_RECORD = 512 << 10  # of run.json
MOST_PARTS = 2000  # a model of many layers has a few for each
MOST_DIRECTORY = 120 * MOST_PARTS  # of the archive's table of contents, which Python reads as a whole
_END, _END64 = b"PK\x05\x06", b"PK\x06\x07"  # the last record of a zip, and what comes before it in a zip64
_END_SIZE, _LOCATOR_SIZE = 22, 20
_NAME = re.compile(r"[a-z_]{1,20}[0-9]{0,4}\.npy")
# Whatever reading a file that was made to harm may raise, in zipfile, zlib or NumPy.
HARM = (
    BadZipFile,
    zlib.error,
    TokenError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    NotImplementedError,
    RecursionError,
    RuntimeError,
    MemoryError,
    EOFError,
    OSError,
)


class SavedRunError(ValueError):
    """A file that cannot be replayed; its text is a sentence for the user."""


def inspected(path: str | os.PathLike) -> frozenset[str]:
    """Names of the parts of an .npz whose declared sizes are bearable and true to each array's own header.

    Raises SavedRunError. Afterwards NumPy can read every part without reserving more than MOST_BYTES in all.
    """
    try:
        _check_directory(path)
        with ZipFile(path) as file:
            parts = file.infolist()
            names = frozenset(part.filename for part in parts)
            is_packed_otherwise = any(part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for part in parts)
            if len(parts) > MOST_PARTS or len(names) != len(parts) or is_packed_otherwise:
                raise SavedRunError(strings().SAVED_BROKEN)
            if sum(part.file_size for part in parts) > MOST_BYTES:
                raise SavedRunError(strings().SAVED_LARGE.format(most=MOST_BYTES >> 20))
            for part in parts:
                _check_part(file, part)
    except SavedRunError:
        raise
    except HARM as error:
        raise SavedRunError(strings().SAVED_OTHER) from error
    return names


def _check_directory(path: str | os.PathLike) -> None:
    """Refuse a table of contents that is large, hidden behind a comment, or zip64, which NumPy never writes here."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_SIZE - _LOCATOR_SIZE))
        tail = file.read()
    end, before = tail[-_END_SIZE:], tail[:-_END_SIZE]
    if not end.startswith(_END) or before.startswith(_END64):
        raise SavedRunError(strings().SAVED_OTHER)
    if int.from_bytes(end[10:12], "little") > MOST_PARTS or int.from_bytes(end[12:16], "little") > MOST_DIRECTORY:
        raise SavedRunError(strings().SAVED_BROKEN)


def _check_part(file: ZipFile, part: ZipInfo) -> None:
    """A short record, or an array of plain numbers that is exactly as large as its header says."""
    if part.filename == "run.json":
        if part.file_size > MOST_RECORD:
            raise SavedRunError(strings().SAVED_BROKEN)
        return
    if not _NAME.fullmatch(part.filename):
        raise SavedRunError(strings().SAVED_OTHER)
    with file.open(part) as entry:
        version = np.lib.format.read_magic(entry)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, dtype = read(entry, max_header_size=2000)
        num_bytes = math.prod(shape) * dtype.itemsize
        if dtype.kind not in "iuf" or min(shape, default=0) < 0 or num_bytes != part.file_size - entry.tell():
            raise SavedRunError(strings().SAVED_BROKEN)
