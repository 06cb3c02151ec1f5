"""One house: app → page → visual → aim_core, never back; aim_lab stands on aim_core alone."""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.helpers.imports import imported, imported_modules

ROOT = Path(__file__).parent.parent
ROOMS = ("aim_core", "aim_lab", "visual", "page")
HEAVY = {"torch", "torchvision", "transformers"}
FORBIDDEN = {
    "aim_core": {"aim_lab", "app", "page", "visual", "training", "benchmarks", "gradio", "matplotlib"},
    "aim_lab": {"app", "page", "visual", "training", "benchmarks", "gradio"},
    "visual": {"aim_lab", "app", "page", "training", "benchmarks", "gradio", *HEAVY},
    "page": {"app", "training", "benchmarks"},
    "training": {"app", "page", "visual", "gradio"},
    "tools": {"app", "page", "visual", "training", "benchmarks"},
}


@pytest.mark.parametrize("room", FORBIDDEN)
def test_rooms_only_look_down(room):
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    for path in files:
        tops = {name.split(".")[0] for name in imported(path)}
        assert not tops & FORBIDDEN[room], f"{path.name} imports {tops & FORBIDDEN[room]}"


def nodes_and_arrows() -> dict[str, set[str]]:
    """What each folder below a room imports of other folders, in the same room too; a file of a room's root is a node
    of its own."""
    arrows: dict[str, set[str]] = {}
    modules = {module_name(path): path for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    nodes = {name: node_of(name) for name in modules}
    for name, path in modules.items():
        if path == ROOT / "aim_core" / "__init__.py":
            continue  # its names are imported when they are asked for
        others = {nodes[other] for other in imported_modules(path) if other in nodes}
        arrows.setdefault(nodes[name], set()).update(others - {nodes[name]})
    return arrows


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def node_of(module: str) -> str:
    """aim_core.ops.masks → aim_core.ops; aim_core.trace → itself; page.components.tour.steps → page.components."""
    return ".".join(module.split(".")[:2])


def test_no_folder_points_back_at_another():
    """Sorting by what is imported works, so that each folder can be read after those below it."""
    order = list(TopologicalSorter(nodes_and_arrows()).static_order())
    assert order.index("aim_core.ops") < order.index("aim_core.methods") < order.index("aim_core.forward")
    assert order.index("page.state") < order.index("page.components") < order.index("page.exports")


def test_reading_a_saved_run_imports_no_drawing():
    for path in (ROOT / "page" / "exports" / "saved_run").glob("*.py"):
        assert not {name for name in imported(path) if name.split(".")[0] in {"visual", "cv2", "matplotlib"}}, path.name


def test_figures_never_come_from_pyplot():
    for room in ("aim_lab", "visual", "page"):
        for path in (ROOT / room).rglob("*.py"):
            assert "matplotlib.pyplot" not in imported(path)


def test_package_fronts_import_nothing():
    for front in (path for room in (*ROOMS, "training") for path in (ROOT / room).rglob("__init__.py")):
        assert front.parent.name == "aim_core" or not imported(front) - {"__future__"}, front


def test_test_files_import_helpers_and_never_another_test():
    for path in (ROOT / "tests").rglob("*.py"):
        tests = {name for name in imported(path) if name.split(".")[-1].startswith(("test_", "conftest"))}
        assert not tests, f"{path.name} imports {tests}: move what they share into tests/helpers"


def test_torch_counts_operations_in_one_place():
    """With the kernel chosen there; FlopCounterMode alone counts nothing for some, and torch chooses by the machine."""
    users = {path.name for path in (ROOT / "tests").rglob("*.py") if "torch.utils.flop_counter" in imported(path)}
    assert users == {"counting.py"}
