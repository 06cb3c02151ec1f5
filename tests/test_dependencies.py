"""Dependencies: ranges for those who install the library, exact versions for all that this repository installs."""

from __future__ import annotations

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.helpers.imports import imported
from tools.lock import HELD_BACK, for_a_space, without_torch

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
APP = PYPROJECT["dependency-groups"]["app"]
CORE = PROJECT["dependencies"]
LIBRARY = [*CORE, *EXTRAS["media"], *EXTRAS["quantisation"]]


def requirements(lines: list[str]) -> dict[str, Requirement]:
    """By name; lines that name this project's own extras, comments and blank lines are left out."""
    found = [Requirement(line.split(" #")[0].split("  #")[0]) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one.name): one for one in found if one.name != PROJECT["name"]}


def read(name: str) -> dict[str, Requirement]:
    return requirements((ROOT / name).read_text().splitlines())


def version(one: Requirement) -> Version:
    (only,) = one.specifier
    assert only.operator == "==" and "*" not in only.version, one
    return Version(only.version)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-lab.lock"])
def test_a_lock_has_one_exact_version_of_each_package_and_no_place_to_get_it_from(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == len(read(name)) > 50
    assert all(version(one) and not one.url for one in read(name).values())
    assert not re.search(r"://|^-|--index", (ROOT / name).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("requirements.lock", [*CORE, *EXTRAS["media"], *APP]),
        ("requirements-dev.lock", [*LIBRARY, *EXTRAS["development"], *APP]),
        ("requirements-lab.lock", [*LIBRARY, *EXTRAS["development"], *EXTRAS["lab"], *EXTRAS["ray"], *APP]),
    ],
)
def test_a_lock_satisfies_the_ranges(name, wanted):
    locked = read(name)
    for package, asked in requirements(wanted).items():
        assert version(locked[package]) in asked.specifier, f"{name}: {locked[package]} for {asked}"


def test_the_development_lock_holds_what_the_other_does():
    run, development = read("requirements.lock"), read("requirements-dev.lock")
    for name, one in run.items():
        other = development[name]
        assert other.specifier == one.specifier and other.marker in (None, one.marker), other


def test_the_lock_of_lmms_eval_holds_only_what_the_development_lock_does_not():
    """In versions that the extra allows, since it lies over that environment and takes the place of what it repeats."""
    own, development = read("requirements-lmms.lock"), read("requirements-dev.lock")
    assert not [name for name, one in own.items() if development.get(name) == one]
    for name, asked in requirements(EXTRAS["lmms"]).items():
        assert version(own[name]) in asked.specifier
    assert not re.search(r"://|^-|--index|'never'", (ROOT / "requirements-lmms.lock").read_text(), re.MULTILINE)


def test_a_space_installs_the_lock_with_ranges_for_torch():
    text = (ROOT / "requirements.txt").read_text()
    assert text == for_a_space((ROOT / "requirements.lock").read_text())
    space, locked, ranges = read("requirements.txt"), read("requirements.lock"), requirements(CORE)
    for name, one in space.items():
        assert one == (ranges if name in HELD_BACK else locked)[name]
    assert space.keys() == locked.keys()


def test_the_space_names_the_gradio_and_a_python_of_the_lock():
    front = (ROOT / "README.md").read_text().split("---")[1]
    (gradio,) = re.findall(r"^sdk_version: (\S+)$", front, re.MULTILINE)
    (python,) = re.findall(r'^python_version: "(\S+)"$', front, re.MULTILINE)
    assert Version(gradio) == version(read("requirements.lock")["gradio"])
    assert python in SpecifierSet(PROJECT["requires-python"])


def test_pre_commit_runs_the_locked_versions():
    text, locked = (ROOT / ".pre-commit-config.yaml").read_text(), read("requirements-dev.lock")
    for name in ("ruff", "codespell"):
        (rev,) = re.findall(rf"/{name}(?:-pre-commit)?\n +rev: v(\S+)$", text, re.MULTILINE)
        assert Version(rev) == version(locked[name])


def installs(name: str) -> list[str]:
    """Every command of a file that installs Python packages."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    return re.findall(r"pip3? install\b[^\n&;|]*", text)


def test_every_file_that_installs_something_installs_a_lock():
    found = {name: installs(name) for name in ("Makefile", "Dockerfile", ".ci/run")}
    assert {name: len(commands) for name, commands in found.items()} == {"Makefile": 4, "Dockerfile": 3, ".ci/run": 0}
    for command in chain.from_iterable(found.values()):
        words = command.split()[2:]
        named = [word for word in words if not word.startswith("-") and words[words.index(word) - 1][:1] != "-"]
        assert re.search(r"-[rc] (requirements(-dev|-hashed|-lmms|-lab)?\.lock|installed\.txt)\b", command), command
        assert [word for word in named if word != "requirements-hashed.lock"] in ([], ["torch", "torchvision"]), command
    assert not re.search(r"\b(uv|conda|easy_install|pipx)\b", "".join((ROOT / name).read_text() for name in found))


def test_the_container_keeps_the_torch_of_its_index():
    """Torch alone first, as locked, from the index asked for; nothing that comes later may replace that build."""
    torch, rest, asked_by_torch = installs("Dockerfile")
    assert torch.split()[-2:] == ["torch", "torchvision"] and "--no-deps --index-url" in torch
    assert "--no-deps --require-hashes -r requirements-hashed.lock" in rest
    assert "pip freeze > installed.txt" in (ROOT / "Dockerfile").read_text() and "-c installed.txt" in asked_by_torch
    assert not [name for name in read("requirements.lock") if name.startswith(("nvidia", "cuda", "triton"))]


def test_hashes_are_of_the_locked_versions():
    text = (ROOT / "requirements-hashed.lock").read_text()
    hashed = re.findall(r"^(\S+==[^\\\n]*?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    found = requirements([line for line, _ in hashed])
    locked = requirements(without_torch((ROOT / "requirements.lock").read_text()).splitlines())
    assert {name: one.specifier for name, one in found.items()} == {name: one.specifier for name, one in locked.items()}
    assert found.keys() == read("requirements.lock").keys() - {*HELD_BACK}
    assert "://" not in text


def test_the_container_runs_code_that_its_user_cannot_change():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    at = {line: i for i, line in enumerate(lines)}
    assert at["COPY . /app"] < at["USER user"] and not [line for line in lines if "--chown" in line]
    (base,) = (line for line in lines if line.startswith("ARG BASE="))
    assert re.search(r":3\.1[12]\.\d+-slim-\w+$", base)  # a release, not whatever is the newest


def test_every_range_has_both_ends():
    for asked in requirements([*LIBRARY, *EXTRAS["lab"], *EXTRAS["ray"], *APP]).values():
        operators = {part.operator for part in asked.specifier}
        assert operators in ({">=", "<"}, {"=="}), asked


STANDARD = {*sys.stdlib_module_names, "aim_core"}
MODULES = {
    "PIL": "pillow",
    "huggingface_hub": "huggingface-hub",
    "decord": "decord2",
    "pillow_heif": "pillow-heif",
    "lmms_eval": "lmms-eval",
}


def test_the_core_imports_what_it_declares():
    rooms = {"media": EXTRAS["media"], "low_bits.py": EXTRAS["quantisation"]}
    for path in (ROOT / "aim_core").rglob("*.py"):
        allowed = requirements([*CORE, *(own for room, more in rooms.items() if room in path.parts for own in more)])
        for name in {module.split(".")[0] for module in imported(path)} - STANDARD:
            assert MODULES.get(name, name) in allowed, f"{path.name} imports {name}"


def test_the_lab_imports_what_it_declares():
    """tqdm comes with transformers; what runs in lmms-eval's process may import it."""
    rooms = {"lmms": [*EXTRAS["lmms"], "tqdm"], "": [*EXTRAS["lab"], *EXTRAS["ray"]]}
    for path in (ROOT / "aim_lab").rglob("*.py"):
        allowed = requirements([*CORE, *rooms["lmms" if path.name.startswith("lmms") else ""]])
        names = {module.split(".")[0] for module in imported(path)} - STANDARD - {"aim_lab"}
        assert not [name for name in names if MODULES.get(name, name) not in allowed], f"{path.name} imports {names}"
