"""What the page is started with: which model, where to listen, and the fall-back to the embedded model."""

from __future__ import annotations

import argparse
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from aim_core.engine import Engine
from aim_core.loading import ModelLoadError
from aim_core.low_bits import FULL, WEIGHTS
from aim_core.world_score import WorldScore, read_world_score

EMBEDDED_MODEL = Path(__file__).parents[2] / "assets" / "model"
AUTO = "auto"  # in the place of a model's name
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model ready to run.

    name:    as visitors may know it: of a folder on this machine only the last part. path: as it was given.
    problem: why it is not another one that was asked for.
    weights: how they are kept, see `low_bits.WEIGHTS`.
    world:   what tells the model's world from others; None where its folder has nothing fitted to its weights.
    """

    engine: Engine
    path: str
    is_embedded: bool
    problem: str = ""
    world: WorldScore | None = None
    weights: str = FULL

    @property
    def name(self) -> str:
        return with_bits(public_name(self.path), self.weights)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="AIM Explorer: see which visual tokens a model really needs.")
    parser.add_argument(
        "--model",
        default=os.environ.get("AIM_MODEL", AUTO if os.environ.get("SPACE_ID") else ""),
        help="Hub id or folder of a checkpoint of a supported family, or auto for one that lies here already (also "
        "AIM_MODEL; auto on a Space); the embedded model if left out",
    )
    parser.add_argument(
        "--allow-any-model",
        action="store_true",
        default=os.environ.get("AIM_ANY_MODEL") == "1",
        help="let those who may switch name any id or folder, not only what models.toml lists (also AIM_ANY_MODEL=1)",
    )
    parser.add_argument(
        "--weights",
        choices=WEIGHTS,
        default=os.environ.get("AIM_WEIGHTS", FULL),
        help="how the model that is named keeps its weights, and any other unless the page says otherwise (also "
        "AIM_WEIGHTS; default: %(default)s)",
    )
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
    options = parser.parse_args(argv)
    if options.weights not in WEIGHTS:  # of the environment, which argparse does not look at
        parser.error(f"AIM_WEIGHTS must be one of {', '.join(WEIGHTS)}, got {options.weights!r}")
    return options


def public_name(path: str) -> str:
    """A Hub id as it is, of a folder or a path to one only its own name."""
    is_path = Path(path).expanduser().exists() or path.startswith((".", "/", "~"))
    return Path(path).expanduser().resolve().name if is_path else path


def with_bits(name: str, weights: str) -> str:
    """A model's name, with the bits of its weights where they are few."""
    return name if weights == FULL else f"{name} ({weights})"


def without_bits(name: str) -> tuple[str, str]:
    """What `with_bits` was given."""
    found = re.fullmatch(rf"(.*) \(({'|'.join(WEIGHTS)})\)", name)
    return (found[1], found[2]) if found else (name, FULL)


def load(name: str, embedded: Path = EMBEDDED_MODEL, weights: str = FULL) -> Loaded:
    """The named model, or the embedded one with the reason why if the named one cannot be loaded."""
    problem = ""
    if name:
        try:
            engine = Engine.from_pretrained(name, weights=weights)
            return Loaded(engine, name, is_embedded=False, world=world_of(Path(name)), weights=weights)
        except ModelLoadError as error:
            problem = str(error).replace(name, public_name(name))
            _log.warning("%s", error)
    engine = Engine.from_pretrained(embedded)
    return Loaded(engine, "embedded model", is_embedded=True, problem=problem, world=world_of(embedded))


def world_of(folder: Path) -> WorldScore | None:
    """What tells the world of the model in a folder from others; None, with a line in the log, if it does not fit."""
    try:
        return read_world_score(folder)
    except ValueError as error:
        _log.warning("%s", error)
        return None
