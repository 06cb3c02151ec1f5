"""Code: what an answer hangs on beside the weights, as a hash, so that a method that was changed is measured anew."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

import torch
import transformers

from aim_core.methods import knobs
from aim_core.methods.registry import METHODS, make_method

DENSE = "dense"  # the model itself
_ROOT = Path(__file__).parents[1]
_ROOMS = ("aim_core", "aim_lab", "training")
_ALL_METHODS = "aim_core.methods.registry"  # what it says of one is hashed by itself


@cache
def code_hash(method: str, every_run: tuple[str, ...]) -> str:
    """16 hex digits for the modules that a method and every run import, the method's settings as released, and the
    versions of torch and transformers.

    method:    of the registry, or DENSE.
    every_run: modules that any run begins with. Comments and docstrings do not count, nor do other methods' modules.
    """
    settings, begins = f"torch {torch.__version__} transformers {transformers.__version__}", list(every_run)
    if method != DENSE:
        entry, made = METHODS[method], make_method(method)
        knob = next(name for name, own in vars(knobs).items() if own is entry.knob)
        settings += repr((entry.settings, made, knob))
        parts = (made.merger, made.schedule, made.scorer, made.folder, made.text)
        begins += [type(part).__module__ for part in parts if part]
        begins += [entry.make.__module__]
    seen = hashlib.sha256(settings.encode())
    for module in sorted(_reached(begins)):
        seen.update(f"{module}\n{_statements(module)}\n".encode())
    return seen.hexdigest()[:16]


def _reached(begins: list[str]) -> set[str]:
    """The modules of the project that these import, themselves among them, and those that they import."""
    found: set[str] = set()
    left = list(begins)
    while left:
        module = left.pop()
        if module not in found and module != _ALL_METHODS:
            found.add(module)
            left += _imported(module)
    return found


@cache
def _imported(module: str) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(name for name in names if name.split(".")[0] in _ROOMS and _path(name).exists())


@cache
def _statements(module: str) -> str:
    """What a module does, without comments and docstrings."""
    tree = _tree(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def _tree(module: str) -> ast.Module:
    return ast.parse(_path(module).read_text(encoding="utf-8"))


def _path(module: str) -> Path:
    path = _ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
