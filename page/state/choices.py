"""Choices: the models that an owner's list offers, where they lie, and the memory that each needs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from aim_core.adapters.base import Adapter
from aim_core.adapters.registry import FAMILIES
from aim_core.checkpoint import cached_ids, folder_of, read_checkpoint
from aim_core.footprint import Footprint, footprint, outlined
from aim_core.low_bits import FULL
from page.state.startup import public_name

LIST = Path(__file__).parents[2] / "models.toml"
KNOWS = ("shapes", "videos", "pictures", "random", "")
FRAME_SIZE = 432, 768  # (height, width) of the frames that memory is counted for


class ListError(ValueError):
    """The owner's list cannot be read; its text is a sentence for the owner."""


@dataclass(frozen=True)
class Choice:
    """A model that can be asked for.

    path: a Hub id or a folder. name: for visitors. knows: one of KNOWS. parameters: about how many, as the list says.
    weights: how they will be kept, see `low_bits.WEIGHTS`.
    """

    path: str
    name: str
    family: str = ""
    parameters: float = 0.0
    knows: str = ""
    weights: str = FULL

    @property
    def key(self) -> str:
        """What a page calls it: its id, never a path of this machine."""
        return public_name(self.path)

    @property
    def folder(self) -> Path | None:
        """Where it lies on this machine."""
        return folder_of(self.path)


def read_list(file: Path = LIST) -> tuple[Choice, ...]:
    """The owner's list; none where there is no such file. Raises ListError."""
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("model", [])
        if any("weights" in row for row in rows):
            raise ValueError("weights are chosen on the page, or by AIM_WEIGHTS for all")
        choices = tuple(Choice(path=row.pop("id"), **row) for row in rows)
        if bad := [one.knows for one in choices if one.knows not in KNOWS]:
            raise ValueError(f"knows = {bad[0]!r} is none of {', '.join(filter(None, KNOWS))}")
        return choices
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ListError(f"{file.name} cannot be read: {error}. Each [[model]] has an id and a name.") from error


def named(path: str, listed: Iterable[Choice]) -> Choice:
    """The row of the list with this id or folder, else one of its own."""
    return next((one for one in listed if path in (one.path, one.key)), None) or Choice(path, public_name(path))


def on_disk(listed: Sequence[Choice]) -> list[Choice]:
    """Whole checkpoints of supported families that lie on this machine: of the list in its order, then others in the
    Hub's cache."""
    paths = [*(one.path for one in listed), *(name for name in cached_ids() if name not in {c.path for c in listed})]
    return [named(path, listed) for path in paths if _is_whole(path)]


def _is_whole(path: str) -> bool:
    folder = folder_of(path)
    return folder is not None and outline(folder) is not None


def outline(folder: Path) -> Adapter | None:
    """The adapter of a checkpoint without its weights; None where it is not whole or not of a supported family."""
    try:
        stamp = (folder / "config.json").stat().st_mtime_ns
        read_checkpoint(folder)
        return _outline(folder.resolve(), stamp)
    except Exception:  # whatever transformers makes of a configuration that is broken
        return None


@lru_cache(maxsize=32)
def _outline(folder: Path, _stamp: int) -> Adapter:
    return outlined(folder)


def needs(folder: Path, adapter: Adapter, dtype: torch.dtype, num_frames: int, weights: str = FULL) -> Footprint:
    """Of a checkpoint with its weights kept so, and a dense prompt of so many frames of FRAME_SIZE."""
    return footprint(folder, adapter, dtype, num_frames, *FRAME_SIZE, weights)


def family_of(adapter: Adapter) -> str:
    """As people call it."""
    return FAMILIES[adapter.model.config.model_type][2]
