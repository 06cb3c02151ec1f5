"""Packing: for tests that keep weights in few bits, which an environment may be too old for."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version

import pytest
from packaging.version import Version

from aim_core.low_bits import OLDEST

_HAS_IT = importlib.util.find_spec("torchao") is not None and Version(version("torchao")) >= Version(OLDEST)
needs_packing = pytest.mark.skipif(not _HAS_IT, reason=f"packed weights need torchao {OLDEST}")
