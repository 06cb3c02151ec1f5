"""Compat: the engine's tests on the lowest allowed, the locked and the newest served libraries, in fresh environments.

    python -m tools.compat [lowest] [locked] [newest] [--python 3.12]

Prints a table and keeps it in docs/compatibility.md, where lines of environments that were not asked for stay. Ends
with 1 if a test failed. An environment takes about 5 GB of disk and is removed after its tests.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "compatibility.md"
LOCK = ROOT / "requirements-dev.lock"
ENVIRONMENTS = ("lowest", "locked", "newest")
TESTS = (
    "tests/aim_core/test_engine.py",
    "tests/aim_core/test_exactness.py",
    "tests/families",
    "-k",
    "not page_families",
)
PARALLEL = ("-n", "auto", "--maxprocesses", "4")
HEAD = """# Compatibility

Made by `make compat`: the tests of the engine, the families and exactness, each time in a fresh environment with the
lowest versions that `pyproject.toml` allows, those of `requirements-dev.lock`, and the newest served that day, in its
bounds or not.

| environment | Python | libraries | passed | failed | skipped | minutes | date |
| --- | --- | --- | ---: | --- | ---: | ---: | --- |
"""


@dataclass(frozen=True)
class Row:
    """A line of the table. `failed` holds the names of tests."""

    environment: str
    python: str
    libraries: tuple[str, ...]
    passed: int
    failed: tuple[str, ...]
    skipped: int
    minutes: float

    def __str__(self) -> str:
        failed = ", ".join([str(len(self.failed)), *(f"`{name}`" for name in self.failed)])
        cells = [self.environment, self.python, ", ".join(self.libraries), self.passed, failed, self.skipped]
        return "| " + " | ".join(map(str, [*cells, f"{self.minutes:.0f}", datetime.date.today()])) + " |"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("environments", nargs="*", choices=[*ENVIRONMENTS, []], default=ENVIRONMENTS)
    parser.add_argument("--python", default=sys.executable, help="version or path of the interpreter")
    chosen = parser.parse_args(arguments)
    rows = [measure(environment, chosen.python) for environment in chosen.environments]
    return int(any(row.failed for row in rows))


def measure(environment: str, python: str) -> Row:
    """Make an environment, run the tests in it, put the row into the table, remove the environment."""
    with tempfile.TemporaryDirectory(prefix=f"compat-{environment}-") as folder:
        inside = str(Path(folder) / "env" / "bin" / "python")
        _uv("venv", "--python", python, str(Path(folder) / "env"))
        _uv("pip", "install", "--python", inside, *wanted(environment))
        row = _row(environment, inside, Path(folder) / "report.xml")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(with_row(PAGE.read_text() if PAGE.exists() else HEAD, row))
    print(row)
    return row


def wanted(environment: str) -> list[str]:
    """What uv installs into an environment; pytest and its plugins always as locked."""
    tools = [line.split()[0] for line in LOCK.read_text().splitlines() if re.match("pytest|hypothesis", line)]
    if environment == "locked":
        return ["-r", str(LOCK)]
    if environment == "newest":
        return [*(re.sub(r"[<>=][^;]*", "", line, count=1) for line in ranges()), *tools]
    return ["--resolution", "lowest-direct", *ranges(), *tools]


def ranges() -> list[str]:
    """The requirements of the library, its extras and the page."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    lines = [*project["project"]["dependencies"], *extras["media"], *extras["quantisation"]]
    return [*lines, *project["dependency-groups"]["app"]]


def with_row(page: str, row: Row) -> str:
    """The page with the row in the place of the one before of the same environment and Python."""
    lines = [line for line in page.removeprefix(HEAD).splitlines() if _key(line) != _key(str(row))]
    return HEAD + "".join(f"{line}\n" for line in sorted([*lines, str(row)], key=_key))


def _key(line: str) -> tuple[int, str]:
    """(place of the environment, Python without its last number): what a line of the table is about."""
    environment, python = line.strip("| ").split(" | ")[:2]
    return ENVIRONMENTS.index(environment), python.rpartition(".")[0]


def _row(environment: str, python: str, report: Path) -> Row:
    begun = time.monotonic()
    command = [
        python,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--timeout=600",
        f"--junitxml={report}",
        *PARALLEL,
        *TESTS,
    ]
    subprocess.run(command, cwd=ROOT, check=False)
    cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    broken = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    failed = tuple(f"{case.get('classname')}::{case.get('name')}" for case in broken)
    if not cases:
        failed = ("the tests did not start",)
    skipped = sum(case.find("skipped") is not None for case in cases)
    passed, minutes = len(cases) - len(broken) - skipped, (time.monotonic() - begun) / 60
    version, libraries = _installed(python)
    return Row(environment, version, libraries, passed, failed, skipped, minutes)


def _installed(python: str) -> tuple[str, tuple[str, ...]]:
    """Version of the interpreter, and of every package that the ranges name."""
    names = [re.match(r"[\w.-]+", line)[0] for line in ranges()]
    code = """import importlib.metadata, platform, sys
for name in sys.argv[1:]: print(name, importlib.metadata.version(name))
print(platform.python_version())"""
    done = subprocess.run([python, "-c", code, *names], check=True, stdout=subprocess.PIPE, text=True)
    *libraries, version = done.stdout.splitlines()
    return version, tuple(libraries)


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
