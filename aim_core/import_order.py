"""Import order: torch before decord, whose NVBLAS else takes the place of torch's own BLAS.

decord loads its libraries for the whole process, and on Linux these may bring NVBLAS of CUDA. If torch comes later, its
matrix products end up there, and the process ends at the first of them without an exception.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

SENTENCE = (
    "decord was imported before torch, so that this process would crash in torch's first matrix product. Begin the "
    "program with `import torch`, and import decord after it."
)


def refuse_decord_before_torch() -> None:
    """Raises ImportError with a sentence where torch was imported, or would be now, after decord and its NVBLAS."""
    order = [name for name in [*sys.modules] if name in ("decord", "torch") and sys.modules[name]]
    if order[:1] == ["decord"] and _has_nvblas():
        raise ImportError(SENTENCE)


def _has_nvblas() -> bool:
    """Whether NVBLAS is loaded; False where the system does not say."""
    with suppress(OSError):
        return "libnvblas" in Path("/proc/self/maps").read_text(errors="replace")
    return False
