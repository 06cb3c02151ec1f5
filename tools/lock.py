"""Lock: exact versions of everything, from the ranges in pyproject.toml, for Python 3.11 and 3.12 on every platform.

    python -m tools.lock [--upgrade] [--upgrade-package NAME …]

Versions that are locked already stay where the ranges allow it. What a Space installs beside its requirements.txt takes
part in the choice. Hashes are in requirements-hashed.lock, for the container, without torch and torchvision: these it
takes from the CPU index, a Space brings its own, so the same version comes from more than one file. Torch itself names
the GPU libraries that it needs, exactly; they are left to it, or every CPU build of torch would come with 3 GB of CUDA.
lmms-eval has an environment of its own, since it holds back av and filelock: requirements-lmms.lock is what lies there
beside or in the place of requirements-dev.lock, without what no task of ours imports.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEADER = "# Made by `make lock` from the ranges in pyproject.toml: change those and run it again.\n"
HELD_BACK = ("torch", "torchvision")  # a ZeroGPU Space keeps its own versions of them
_BY_TORCH = re.compile(r"(nvidia-|cuda-|triton\b)")
_RUN = ("--extra", "media", "--group", "app")
_DEVELOPMENT = ("--extra", "development", "--group", "app")
LMMS = ROOT / "requirements-lmms.lock"
_NEVER = "sys_platform == 'never'"
_UNIMPORTED = (  # of lmms-eval: half a gigabyte, some of it without a wheel
    "antlr4-python3-runtime",
    "einops",
    "ftfy",
    "hf-transfer",
    "jsonlines",
    "latex2sympy2",
    "math-verify",
    "nltk",
    "numexpr",
    "openai",
    "openpyxl",
    "peft",
    "pre-commit",
    "protobuf",
    "pybind11",
    "pycocoevalcap",
    "python-dotenv",
    "qwen-vl-utils",
    "sentence-transformers",
    "sentencepiece",
    "tiktoken",
    "timm",
    "tqdm-multiprocess",
    "transformers-stream-generator",
    "wandb",
    "yt-dlp",
    "zss",
    "zstandard",
)
_LAB = (*_DEVELOPMENT, "--extra", "lab", "--extra", "ray")  # an environment of its own, see `make lab-test`
ZERO_GPU = ("2.8.0", "2.11.0")  # the oldest and the newest torch that such a Space brings


def main(upgrade: list[str]) -> None:
    development = ROOT / "requirements-dev.lock"
    everything = _resolve(development.read_text(), *_DEVELOPMENT, "--group", "space", *upgrade)
    locks = {ROOT / "requirements.lock": _RUN, development: _DEVELOPMENT, ROOT / "requirements-lab.lock": _LAB}
    for path, wanted in locks.items():
        lines = _resolve(everything, *wanted).splitlines(keepends=True)
        path.write_text(HEADER + "".join(line for line in lines if not _BY_TORCH.match(line)))
    LMMS.write_text(HEADER + beside(development.read_text(), _resolve_lmms(everything)))
    (ROOT / "requirements.txt").write_text(for_a_space((ROOT / "requirements.lock").read_text()))
    hash_files((ROOT / "requirements.lock").read_text(), ROOT / "requirements-hashed.lock")
    for machine, python in product(("x86_64", "aarch64"), ("3.11", "3.12")):
        for path in (development, LMMS):
            check_wheels(machine, python, path)
    for torch in ZERO_GPU:
        check_space(torch)


def for_a_space(lock: str) -> str:
    """requirements.txt, the one file that a Space reads: the lock with ranges for torch and torchvision."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ranges = {name: line for line in project["dependencies"] for name in HELD_BACK if re.match(rf"{name}\b", line)}
    return re.sub(rf"^({'|'.join(HELD_BACK)})==.*$", lambda found: ranges[found[1]], lock, flags=re.MULTILINE)


def without_torch(lock: str) -> str:
    """The lines of a lock that come from one place for all."""
    return re.sub(rf"^({'|'.join(HELD_BACK)})==.*\n", "", lock, flags=re.MULTILINE)


def hash_files(lock: str, path: Path) -> None:
    """Write a lock without torch, with the SHA-256 of every file that each version may come as."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as rest:
        rest.write(without_torch(lock))
        rest.flush()
        every = ("--universal", "--python-version", "3.11", "--no-deps", "--generate-hashes")
        _uv(*every, "--no-header", "--no-annotate", "--output-file", str(path), rest.name)
    path.write_text(HEADER + path.read_text())


def beside(lock: str, other: str) -> str:
    """The lines of another lock that have no like in this one, without libraries that torch brings."""
    known = {_pinned(line) for line in lock.splitlines()}
    lines = [line for line in other.splitlines(keepends=True) if _NEVER not in line and not _BY_TORCH.match(line)]
    return "".join(line for line in lines if _pinned(line) not in known)


def _pinned(line: str) -> str:
    """Package, version and marker, without the comment."""
    return line.split("#")[0].strip()


def _resolve_lmms(before: str) -> str:
    """As `_resolve`, for an environment that lmms-eval runs in."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as unimported:
        unimported.writelines(f"{name} ; {_NEVER}\n" for name in _UNIMPORTED)
        unimported.flush()
        return _resolve(before, *_DEVELOPMENT, "--extra", "lmms", "--override", unimported.name)


def check_wheels(machine: str, python: str, lock: Path) -> None:
    """Raise CalledProcessError if a locked version has no wheel for this kind of Linux; docopt never had any."""
    _uv(
        "--no-deps",
        "--only-binary",
        ":all:",
        "--no-binary",
        "docopt",
        "--python-version",
        python,
        "--python-platform",
        f"{machine}-manylinux_2_28",
        str(lock),
    )


def check_space(torch: str) -> None:
    """Raise CalledProcessError if a Space with this torch cannot install requirements.txt beside its own packages."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as held:
        held.write(f"torch=={torch}")
        held.flush()
        _uv("--python-version", "3.12", "--constraints", held.name, "--group", "space", "requirements.txt")


def _resolve(before: str, *wanted: str) -> str:
    """The lines of a lock, with the versions of the lock `before` where they fit."""
    with tempfile.NamedTemporaryFile("w+", suffix=".lock") as lock:
        lock.write(before)
        lock.flush()
        _uv(
            "--universal",
            "--python-version",
            "3.11",
            "--fork-strategy",
            "fewest",
            "--no-header",
            "--annotation-style",
            "line",
            *wanted,
            "--output-file",
            lock.name,
            "pyproject.toml",
        )
        return Path(lock.name).read_text()


def _uv(*arguments: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1:])
