"""Checkpoint: what lies in a folder of safetensors files, read from their headers, and its weights shard by shard."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from threading import Lock
from types import EllipsisType

import torch
from huggingface_hub import constants, try_to_load_from_cache
from safetensors import safe_open
from torch import Tensor

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
_LONGEST_HEADER = 100 << 20  # bytes, as the library has it


class CheckpointError(ValueError):
    """A folder holds no whole checkpoint; the message says what is missing."""


@dataclass(frozen=True)
class Shard:
    """One file. num_bytes: of its tensors; num_floats: floating-point numbers in them; other_bytes: of all others."""

    path: Path
    num_bytes: int
    num_floats: int
    other_bytes: int


@dataclass(frozen=True)
class ReadSoFar:
    """How far a checkpoint has been read: in shard `shard` of `num_shards`, counted from 1, and bytes of all."""

    shard: int
    num_shards: int
    num_bytes: int
    all_bytes: int


class UnreadTensor:
    """A tensor of a file that is read each time it is asked for by `[...]`, which is how transformers does that."""

    def __init__(self, read: Callable[[], Tensor]):
        self._read = read

    def __getitem__(self, _: EllipsisType) -> Tensor:
        return self._read()


@dataclass(frozen=True)
class Checkpoint:
    """The weights in a folder, in the order in which they are read."""

    folder: Path
    shards: tuple[Shard, ...]

    @property
    def num_bytes(self) -> int:
        """Of all tensors, as they lie on the disk."""
        return sum(shard.num_bytes for shard in self.shards)

    @property
    def num_parameters(self) -> int:
        """Floating-point numbers in all of them."""
        return sum(shard.num_floats for shard in self.shards)

    def bytes_as(self, dtype: torch.dtype) -> int:
        """Of all tensors with their floating-point numbers as `dtype`; others take what they take in the file."""
        return self.num_parameters * dtype.itemsize + sum(shard.other_bytes for shard in self.shards)

    def unread(self, on_read: Callable[[ReadSoFar], object]) -> dict[str, UnreadTensor]:
        """Every tensor by its name, still on the disk; `on_read` is told after each that is read.

        Reading raises what `tensors` does.
        """
        done, total, lock = 0, self.num_bytes, Lock()

        def read(number: int, path: Path, name: str) -> Tensor:
            nonlocal done
            with safe_open(path, framework="pt", device="cpu") as file:
                tensor = file.get_tensor(name)
            with lock:
                done += tensor.nbytes
                on_read(ReadSoFar(number, len(self.shards), done, total))
            return tensor

        found = {}
        for number, shard in enumerate(self.shards, 1):
            with safe_open(shard.path, framework="pt", device="cpu") as file:
                for name in file.keys():  # noqa: SIM118 (not a dict)
                    found[name] = UnreadTensor(partial(read, number, shard.path, name))
        return found

    def tensors(self, dtype: torch.dtype, on_read: Callable[[ReadSoFar], object]) -> Iterator[tuple[str, Tensor]]:
        """Every tensor by its name, floating-point ones as `dtype`; `on_read` is told after each.

        Raises SafetensorError and OSError for a file that is broken or gone.
        """
        done, total = 0, self.num_bytes
        for number, shard in enumerate(self.shards, 1):
            with safe_open(shard.path, framework="pt", device="cpu") as file:
                for name in file.keys():  # noqa: SIM118 (not a dict)
                    tensor = file.get_tensor(name)
                    done += tensor.nbytes
                    yield name, tensor.to(dtype) if tensor.is_floating_point() else tensor
                    on_read(ReadSoFar(number, len(self.shards), done, total))


def read_checkpoint(folder: Path) -> Checkpoint:
    """What the headers of a folder's safetensors files say. Raises CheckpointError."""
    try:
        index = folder / INDEX
        if index.is_file():
            files = sorted({*json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()})
        else:
            files = [SINGLE]
        return Checkpoint(folder, tuple(_shard(folder / Path(file).name) for file in files))
    except FileNotFoundError as error:
        raise CheckpointError(f"{Path(error.filename).name} is missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise CheckpointError(f"its safetensors files cannot be read ({type(error).__name__})") from error


def folder_of(name: str) -> Path | None:
    """Where a checkpoint lies on this machine: the folder itself, or the Hub's cache; None where it does not."""
    local = Path(name).expanduser()
    if (local / "config.json").is_file():
        return local
    try:
        cached = try_to_load_from_cache(name, "config.json")
    except ValueError:  # no Hub id
        return None
    return Path(cached).parent if isinstance(cached, str) else None


def cached_ids() -> list[str]:
    """Ids of the models that have a folder in the Hub's cache, in the order of the alphabet."""
    folders = Path(constants.HF_HUB_CACHE).glob("models--*/snapshots")
    return sorted(folder.parent.name.removeprefix("models--").replace("--", "/") for folder in folders)


def _shard(path: Path) -> Shard:
    """From the header: 8 bytes with its length, then JSON with a dtype, a shape and two offsets for each tensor."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > _LONGEST_HEADER:
            raise ValueError(f"a header of {length} bytes")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    sizes = [one["data_offsets"][1] - one["data_offsets"][0] for one in header.values()]
    if path.stat().st_size < 8 + length + sum(sizes):
        raise ValueError("a file that ends too early")
    is_float = [str(one["dtype"]).startswith(("F", "BF")) for one in header.values()]
    floats = sum(prod(one["shape"]) for one, own in zip(header.values(), is_float, strict=True) if own)
    others = sum(size for size, own in zip(sizes, is_float, strict=True) if not own)
    return Shard(path, sum(sizes), floats, others)
