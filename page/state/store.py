"""Run store: runs on the server, within bytes and an age, of which figures and exports are made; a page holds a key."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from cachetools import TTLCache

from aim_core.config import AimConfig
from aim_core.overrides import NO_OVERRIDES, TokenOverrides
from aim_core.result import Result
from aim_core.world_score import WorldCheck
from page.state.model_facts import ModelFacts
from page.token_text import SavedTokens

MOST_BYTES, KEPT_SECONDS = 1000 << 20, 2 * 3600.0
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Maker:
    """A model that makes runs, as far as it is needed once it is gone."""

    facts: ModelFacts
    tokenizer: Any


@dataclass(frozen=True, eq=False)
class StoredRun:
    """One question and the runs that answered it.

    path:           of the file asked about; of a run that was loaded from a file, only that file's name.
    more:           of further pictures that were asked about with it, likewise.
    timed_prefills: how many prefills of dense and of AIM were timed side by side; 0 if they were not.
    details:        whether the runs recorded what takes longer.
    hears:          whether the model was to hear the file's sound, if it can and the file has one.
    known:          the right answer, where the question comes with a sample.
    hand:           AIM once more with the overrides `hand.overrides`; None without overrides.
    model:          of a run that was loaded from a file or made by another model, what made it; None where the model
                    that answers now did.
    saved_tokens:   of such a run, its tokens as text.
    asked_at:       when it was answered, in seconds since 1970.
    world:          whether the file is of the model's world; None where no score was fitted for the model.
    is_example:     whether it was recorded beforehand, for a page that nobody has asked anything yet.
    maker:          the model of this server that made it; None of a run that was loaded from a file.
    is_others:      whether another model of this server than the one that answers now made it.
    """

    path: str
    question: str
    num_frames: int
    dense: Result
    aim: Result
    timed_prefills: int = 0
    details: bool = False
    hand: Result | None = None
    model: ModelFacts | None = None
    saved_tokens: SavedTokens | None = None
    known: str | None = None
    world: WorldCheck | None = None
    asked_at: float = field(default_factory=time.time)
    is_example: bool = False
    maker: Maker | None = None
    is_others: bool = False
    hears: bool = True
    more: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All that was asked about, in order."""
        return (self.path, *self.more)

    def seen_by(self, maker: Maker) -> StoredRun:
        """As the page shows it while this model answers: a run of another one is shown as it is, and not run again."""
        if self.model is not None or self.maker in (None, maker):
            return self
        assert self.maker is not None
        saved = SavedTokens.of(self.runs, self.maker.tokenizer)
        return replace(self, model=self.maker.facts, saved_tokens=saved, is_others=True)

    @property
    def is_bare(self) -> bool:
        """Whether this is a trace alone, without question, answers and costs."""
        return self.model is not None and not self.model

    @property
    def settings(self) -> AimConfig:
        return settings_of(self.aim)

    @property
    def overrides(self) -> TokenOverrides:
        return self.hand.overrides if self.hand else NO_OVERRIDES

    @property
    def shown(self) -> Result:
        """The run whose tokens the page draws."""
        return self.hand or self.aim

    @property
    def runs(self) -> dict[str, Result]:
        """All runs, by the names that the panels know."""
        named = {"dense": self.dense, "aim": self.aim, "hand": self.hand}
        return {name: run for name, run in named.items() if run}


def settings_of(result: Result) -> AimConfig:
    """The settings of a run of the page, which runs no method but AIM."""
    if not isinstance(result.config, AimConfig):
        raise ValueError(f"the page shows runs of AIM, got {type(result.config).__name__}")
    return result.config


def held_bytes(*values: Any) -> int:
    """Of all arrays that these hold, in records, sequences and dicts; a shared one counts once."""
    arrays: dict[int, int] = {}
    left = [*values]
    while left:
        value = left.pop()
        if isinstance(value, np.ndarray):
            whole = value.base if isinstance(value.base, np.ndarray) else value
            arrays[id(whole)] = whole.nbytes
        elif is_dataclass(value):
            left += [getattr(value, one.name) for one in fields(value)]
        elif isinstance(value, list | tuple):
            left += value
        elif isinstance(value, dict):
            left += value.values()
    return sum(arrays.values())


class ByteCache(Generic[Value]):
    """Values by key, within bytes of arrays and an age; what has not been asked for the longest makes room. Safe to use
    from many threads."""

    def __init__(
        self,
        most_bytes: int = MOST_BYTES,
        seconds: float = KEPT_SECONDS,
        size: Callable[[Value], int] = held_bytes,
    ):
        self._lock = threading.Lock()
        self._kept: TTLCache[str, Value] = TTLCache(most_bytes, seconds, getsizeof=size)

    def set(self, key: str, value: Value) -> None:
        """Keep a value, in place of an older one of this key. One that alone is too large is not kept."""
        with self._lock:
            self._kept.pop(key, None)
            with suppress(ValueError):
                self._kept[key] = value

    def get(self, key: str | None) -> Value | None:
        """The value, or None if there was none or it had to make room."""
        with self._lock:
            return self._kept.get(key) if key else None

    def expire(self) -> None:
        """Let go what is too old."""
        with self._lock:
            self._kept.expire()

    def keep_only(self, wanted: Callable[[str], bool]) -> None:
        """Let go of every value whose key is not wanted."""
        with self._lock:
            for key in [*self._kept]:
                if not wanted(key):
                    self._kept.pop(key, None)

    @property
    def num_bytes(self) -> int:
        with self._lock:
            return int(self._kept.currsize)


class ResultStore(ByteCache[StoredRun]):
    """Requests of all visitors together, beside examples, which stay."""

    def __init__(self, most_bytes: int = MOST_BYTES, seconds: float = KEPT_SECONDS):
        super().__init__(most_bytes, seconds)
        self._examples: dict[str, StoredRun] = {}

    def put_example(self, name: str, stored: StoredRun) -> str:
        """Keep a run that many pages show, until the same name is given to another; returns its key."""
        self._examples[name] = stored
        return name

    def put(self, stored: StoredRun, key: str | None = None) -> str:
        """Keep a request, in place of the older one with the same key if there is one and it is not an example; returns
        its key."""
        key = uuid.uuid4().hex if key is None or key in self._examples else key
        self.set(key, stored)
        return key

    def get(self, key: str | None) -> StoredRun | None:
        """The request, or None if there was none or it had to make room."""
        return (self._examples.get(key) if key else None) or super().get(key)
