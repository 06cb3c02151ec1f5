"""decord before torch, which would end the process later, is refused at once and in a sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aim_core.import_order import SENTENCE

HAS_NVBLAS = "print('libnvblas' in open('/proc/self/maps').read())"


def python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("later", ["import aim_core", "from aim_core.media.decode import load_frames"])
def test_decord_first_is_refused_where_it_brings_nvblas(later):
    done = python(f"import decord; {HAS_NVBLAS}; {later}")
    if done.stdout.strip() == "False":
        pytest.skip("decord brings no NVBLAS here")
    assert done.stderr.rstrip().endswith(f"ImportError: {SENTENCE}")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_decord_after_the_package_but_before_torch_is_refused_too():
    done = python(f"import aim_core, decord; {HAS_NVBLAS}; aim_core.Engine")
    if done.stdout.strip() == "False":
        pytest.skip("decord brings no NVBLAS here")
    assert done.stderr.rstrip().endswith(f"ImportError: {SENTENCE}")


def test_torch_first_is_let_pass():
    done = python(
        "import torch, decord, aim_core; aim_core.AimConfig; print((torch.ones(9, 9) @ torch.ones(9, 9)).sum())"
    )
    assert done.stdout == "tensor(729.)\n", done.stderr
