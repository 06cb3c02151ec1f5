"""Shards: tasks for several processes, with results cached on disk, so that a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm


@dataclass(frozen=True)
class Shard:
    """A task for one process: `function(*args)` gives what JSON can hold; `weight` is its share of the work.

    key: what the result depends on, if that is not all of `args`.
    """

    name: str
    weight: int
    function: Callable[..., Any]
    args: tuple
    key: tuple | None = None

    @property
    def file_name(self) -> str:
        """Of the stored result; another one for another key."""
        key = self.args if self.key is None else self.key
        return f"{self.name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.json"


def run_shards(shards: list[Shard], folder: Path, workers: int) -> dict[str, Any]:
    """The result of every shard by its name; those whose result `folder` holds already are not run again.

    folder: results are told apart by name and key; what else they depend on needs a folder of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {shard.name: folder / shard.file_name for shard in shards}
    left = [shard for shard in shards if not paths[shard.name].exists()]
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(workers, context, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        tqdm(total=sum(shard.weight for shard in left), unit="answer", disable=not left, smoothing=0.05) as bar,
    ):
        running = {pool.submit(shard.function, *shard.args): shard for shard in left}
        try:
            for future in as_completed(running):
                shard = running[future]
                _write(paths[shard.name], future.result())
                bar.update(shard.weight)
        except BaseException:
            pool.shutdown(cancel_futures=True)  # leaving the block would first run all that is queued
            raise
    return {name: json.loads(path.read_text()) for name, path in paths.items()}


def _write(path: Path, result: Any) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result))
    part.replace(path)
