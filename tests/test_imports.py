"""One house: app → page → visual → aim_core, never back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.imports import imported

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "torchvision", "transformers"}
FORBIDDEN = {
    "aim_core": {"app", "page", "visual", "training", "benchmarks", "gradio", "matplotlib"},
    "visual": {"app", "page", "training", "benchmarks", "gradio", *HEAVY},
    "page": {"app", "training", "benchmarks"},
    "training": {"app", "page", "visual", "gradio"},
    "tools": {"app", "page", "visual", "aim_core", "training", "benchmarks"},
}


@pytest.mark.parametrize("room", FORBIDDEN)
def test_rooms_only_look_down(room):
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    for path in files:
        tops = {name.split(".")[0] for name in imported(path)}
        assert not tops & FORBIDDEN[room], f"{path.name} imports {tops & FORBIDDEN[room]}"


def test_visual_knows_of_the_core_only_its_records():
    for path in (ROOT / "visual").rglob("*.py"):
        core = {name for name in imported(path) if name.startswith("aim_core")}
        assert core <= {"aim_core.trace"}, f"{path.name} imports {core}"


def test_figures_never_come_from_pyplot():
    for room in ("visual", "page"):
        for path in (ROOT / room).rglob("*.py"):
            assert "matplotlib.pyplot" not in imported(path)


def test_package_fronts_import_nothing():
    for room in ("aim_core/adapters", "aim_core/media", "aim_core/methods", "visual", "page", "training"):
        assert not imported(ROOT / room / "__init__.py") - {"__future__"}


def test_test_files_import_helpers_and_never_another_test():
    for path in (ROOT / "tests").rglob("*.py"):
        tests = {name for name in imported(path) if name.split(".")[-1].startswith(("test_", "conftest"))}
        assert not tests, f"{path.name} imports {tests}: move what they share into tests/helpers"


def test_torch_counts_operations_in_one_place():
    """With the kernel chosen there; FlopCounterMode alone counts nothing for some, and torch chooses by the machine."""
    users = {path.name for path in (ROOT / "tests").rglob("*.py") if "torch.utils.flop_counter" in imported(path)}
    assert users == {"counting.py"}
