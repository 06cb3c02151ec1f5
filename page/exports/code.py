"""Code: a Python script that repeats a run with aim_core alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from aim_core.config import AimConfig
from aim_core.low_bits import FULL
from page.state.samples import sample_name, sample_path
from page.state.startup import without_bits
from page.state.store import StoredRun

NEEDS = (
    '# Needs AIM Explorer\'s library: pip install ".[media]" in its repository. Model and media lie where this is run.'
)


def python_of(stored: StoredRun, model: str) -> str:
    """A script that prints the same answers, dense and AIM. All that a visitor typed comes in as a literal.

    model: the id or folder of the checkpoint. The media file is named as it was uploaded; samples by their place.
    """
    overrides = stored.overrides
    imports = ["from aim_core.overrides import TokenOverrides"] if overrides else []
    imports += ["from aim_core.config import AimConfig", "from aim_core.engine import Engine"]
    frames = f"num_frames={stored.num_frames}"
    if not stored.hears:
        frames += ", sound=False"
    call = f"media, question, config=config, {frames}" + (", overrides=overrides" if overrides else "")
    lines = [
        NEEDS,
        *imports,
        "",
        f"engine = {engine_of(model)}",
        f"media = {media_of(stored.files)!r}",
        f"question = {stored.question!r}",
        f"config = {_config(stored.settings)}",
        *([f"overrides = {overrides!r}"] if overrides else []),
        f"dense = engine.run(media, question, config=AimConfig.dense(), {frames})",
        f"result = engine.run({call})",
        'print(dense.answer, result.answer, sep="\\n")',
        'result.trace.save("run.npz")',
    ]
    return "\n".join(lines) + "\n"


def media_of(files: Sequence[str]) -> str | list[str]:
    """What the engine is given: a file by its place, or a list of several pictures."""
    places = [place_of(path) for path in files]
    return places[0] if len(places) == 1 else places


def engine_of(model: str) -> str:
    """The call that loads a model by the name that runs know it by."""
    name, weights = without_bits(model)
    return f"Engine.from_pretrained({name!r})" if weights == FULL else f"Engine.from_pretrained({name!r}, {weights=})"


def place_of(path: str) -> str:
    """A sample by its place in the repository, any other file by its name."""
    own = sample_path(sample_name(path) or "")
    return "/".join(own.parts[-3:]) if own else Path(path).name


def _config(config: AimConfig) -> str:
    """The call that makes this config: the three numbers of the page, and what else is not a default."""
    default = asdict(AimConfig())
    chosen = {
        name: value
        for name, value in asdict(config).items()
        if name in ("keep_ratio", "l1", "l2") or value != default[name]
    }
    return f"AimConfig({', '.join(f'{name}={value!r}' for name, value in chosen.items())})"
