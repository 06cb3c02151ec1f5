"""Models: the one that answers now, others in memory beside it, and the one that is being loaded behind the page."""

from __future__ import annotations

import ctypes
import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download

from aim_core.adapters.base import Adapter
from aim_core.checkpoint import ReadSoFar, folder_of
from aim_core.engine import Engine
from aim_core.errors import Stopped
from aim_core.footprint import Footprint
from aim_core.loading import ModelLoadError, chosen_device, chosen_dtype, computes_in_bfloat16, load_adapter
from aim_core.low_bits import FULL, LEAST_BYTES, WEIGHTS, check_weights, num_bytes
from aim_core.memory import SHARE, free_bytes
from aim_core.trial import TrialKilledError, try_checkpoint
from aim_core.turns import Turns
from page.state.choices import Choice, named, needs, on_disk, outline
from page.state.loading import DoesNotFitError, Loading, Stage, Unloaded
from page.state.startup import AUTO, Loaded, world_of

_log = logging.getLogger(__name__)
_PATIENCE = 60.0  # seconds that runs under way have to end before their model's memory is needed


class Models:
    """The models of one page. Safe to use from many threads; one model is loaded at a time.

    first: answers until another is there, and stays in memory. listed: what is offered. turns: of all visitors.
    weights: how those are kept of which a page says nothing, see `low_bits.WEIGHTS`.
    serial: how often another model has begun to answer. on_now: told which; on_gone: told each that leaves the memory.
    """

    def __init__(self, first: Loaded, listed: Sequence[Choice] = (), may_any: bool = False, weights: str = FULL):
        self.first, self.listed, self.may_any, self.weights = first, tuple(listed), may_any, weights
        self.turns, self.serial, self.now = Turns(1), 0, first
        self.loading: Loading | None = None
        self.unloaded: Unloaded | None = None
        self.on_now: list[Callable[[Loaded], object]] = []
        self.on_gone: list[Callable[[Loaded], object]] = []
        self._kept: dict[tuple[str, str], Loaded] = {}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._device = chosen_device()

    def offered(self, path: str, weights: str = FULL) -> Choice | None:
        """The choice that a page names by its key, with its weights kept so; None where that is not offered."""
        known = next((one for one in self.listed if one.key == path), None)
        choice = known or (named(path, self.listed) if self.may_any and path.strip() else None)
        return choice and replace(choice, weights=weights)

    def begin(self, choice: Choice | None, num_frames: int) -> bool:
        """Let a model answer, the first one for None: at once if it is in memory, else once it has been loaded, which
        begins now. False if another is being loaded."""
        with self._lock:
            if self.loading:
                return False
            self.unloaded = None
            there = self.first if choice is None else self._kept.get((choice.path, choice.weights))
            if there:
                self._answer_with(there)
                return True
            assert choice is not None
            self.loading = Loading(choice)
            self._stop.clear()
        self._thread = threading.Thread(target=self._load, args=(choice, num_frames), name="loading", daemon=True)
        self._thread.start()
        return True

    def begin_with(self, name: str, num_frames: int) -> None:
        """Begin with what the server was started with: a model's name, "auto" for the first that lies here and fits, or
        nothing; the log says what came of it. Returns at once."""
        if name == AUTO:
            threading.Thread(target=self._begin_automatic, args=(num_frames,), name="auto", daemon=True).start()
        elif name:
            choice = named(name, self.listed)
            self._offer(choice)
            self.begin(replace(choice, weights=self.weights), num_frames)

    def _begin_automatic(self, num_frames: int) -> None:
        choice = self.automatic(num_frames)
        if choice is None:
            _log.info("AIM_MODEL=auto: no checkpoint that fits lies here; the embedded model answers")
            return
        _log.info("AIM_MODEL=auto takes %s; the embedded model answers until it is loaded", choice.key)
        self._offer(choice)
        self.begin(choice, num_frames)

    def _offer(self, choice: Choice) -> None:
        if choice.path not in (one.path for one in self.listed):
            self.listed = (*self.listed, choice)

    def stop(self) -> None:
        """End the loading under way, if there is one."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Until nothing is being loaded, at most so long."""
        if self._thread:
            self._thread.join(seconds)

    def holds(self, loaded: Loaded) -> bool:
        """Whether it is in memory."""
        return loaded is self.first or loaded in self._kept.values()

    def is_kept(self, choice: Choice) -> bool:
        """Whether it is in memory."""
        return (choice.path, choice.weights) in self._kept

    def free(self) -> int | None:
        """Bytes for another model now, with what can be let go for it; None where that cannot be known."""
        free = free_bytes(self._device)
        return None if free is None else free + sum(weights_of(one) for one in [*self._kept.values()])

    def needed(self, choice: Choice, num_frames: int) -> tuple[Footprint, Adapter] | None:
        """What it needs for so many frames, and its outline; None where it is not here, or not whole."""
        folder = choice.folder
        adapter = outline(folder) if folder else None
        if folder is None or adapter is None:
            return None
        return needs(folder, adapter, self._dtype_of(adapter, choice), num_frames, choice.weights), adapter

    def _dtype_of(self, adapter: Adapter, choice: Choice) -> torch.dtype:
        return chosen_dtype("auto", self._device, adapter.model.config, choice.weights)

    def bytes_of(self, choice: Choice) -> int:
        """At least, of the weights of a model of which the list alone says something."""
        is_float32 = self._device.type == "cpu" and not computes_in_bfloat16()
        return round(choice.parameters * (LEAST_BYTES.get(choice.weights) or (4 if is_float32 else 2)))

    def fits(self, needed: Footprint) -> bool:
        return (free := self.free()) is None or needed.total <= SHARE * free

    def automatic(self, num_frames: int) -> Choice | None:
        """The first model that lies here and fits; None where there is none."""
        for choice in on_disk(self.listed):
            own = replace(choice, weights=self.weights)
            if self._fits_at(own, num_frames):
                return own
        return None

    def _answer_with(self, loaded: Loaded) -> None:
        if loaded is not self.now:
            self.now, self.serial = loaded, self.serial + 1
            _log.info("%s answers now", loaded.name)
            for tell in self.on_now:
                tell(loaded)

    def _load(self, choice: Choice, num_frames: int) -> None:
        """What the thread does; how it ended is in `now` or `unloaded`."""
        unloaded = None
        try:
            loaded = self._loaded(choice, num_frames)
            with self._lock:
                self._kept[choice.path, choice.weights] = loaded
                self._answer_with(loaded)
        except DoesNotFitError as error:
            unloaded = error.unloaded
        except Stopped:
            unloaded = Unloaded(choice, "stopped")
        except TrialKilledError:
            unloaded = Unloaded(choice, "killed")
        except (ModelLoadError, MemoryError, torch.OutOfMemoryError, OSError) as error:
            sentence = str(error) if isinstance(error, ModelLoadError) else "It does not fit into memory."
            unloaded = Unloaded(choice, "failed", _without_paths(sentence, choice))
        except Exception:
            _log.exception("loading %s failed", choice.key)
            unloaded = Unloaded(choice, "failed", f"{choice.key} could not be loaded; the server's log says more.")
        finally:
            with self._lock:
                self.loading, self.unloaded = None, unloaded
        if unloaded:
            _log.warning("%s was not loaded: %s %s", choice.key, unloaded.why, unloaded.sentence)

    def _loaded(self, choice: Choice, num_frames: int) -> Loaded:
        try:
            check_weights(choice.weights, self._device)
        except ValueError as error:
            raise ModelLoadError(str(error)) from error
        folder = choice.folder or self._fetched(choice)
        told = self.needed(choice, num_frames)
        if told is None:
            load_adapter(folder)  # says what is wrong with it
            raise ModelLoadError(f"{choice.key} is not whole; get the checkpoint again.")
        self._make_room(choice, told[0], num_frames)
        self._at(choice, "try")
        more, dtype = told[0].kv + told[0].activations, self._dtype_of(told[1], choice)
        try_checkpoint(folder, dtype, more, self._on_read, self._stop.is_set, choice.weights)
        self._at(choice, "load")
        adapter = load_adapter(folder, dtype=dtype, on_read=self._on_read, weights=choice.weights)
        world = world_of(folder)
        return Loaded(Engine(adapter), choice.path, is_embedded=False, world=world, weights=choice.weights)

    def _fetched(self, choice: Choice) -> Path:
        """The files of the Hub, fetched."""
        self._at(choice, "fetch")
        try:
            return Path(
                snapshot_download(
                    choice.path, allow_patterns=["*.json", "*.safetensors", "*.txt", "*.jinja", "*.model"]
                )
            )
        except Exception as error:  # many kinds: of the network, of the Hub, of a wrong name
            raise ModelLoadError(
                f"{choice.key} does not lie here, and the Hub did not give it (is the id right, is there a network?)."
            ) from error

    def _make_room(self, choice: Choice, needed: Footprint, num_frames: int) -> None:
        """Let go of others where only that makes room. Raises DoesNotFitError."""
        if not self.fits(needed):
            raise DoesNotFitError(self._refused(choice, needed, num_frames))
        end = time.monotonic() + _PATIENCE
        while (free := free_bytes(self._device)) is not None and needed.total > SHARE * free:
            self._let_go()
            if time.monotonic() > end:  # runs under way still hold it
                raise DoesNotFitError(replace(self._refused(choice, needed, num_frames), free=free))
            if self._stop.wait(0.2):
                raise Stopped

    def _let_go(self) -> None:
        """Let go of every model but the first, which answers meanwhile; runs under way hold theirs until they end."""
        with self._lock:
            gone, self._kept = [*self._kept.values()], {}
            self._answer_with(self.first)
        for loaded in gone:
            for tell in self.on_gone:
                tell(loaded)
        del gone
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        with suppress(OSError, AttributeError):  # of glibc alone
            ctypes.CDLL("libc.so.6").malloc_trim(0)

    def _refused(self, choice: Choice, needed: Footprint, num_frames: int) -> Unloaded:
        """What does not fit, with what would."""
        fitting = (count for count in range(num_frames - 1, 0, -1) if self._fits_at(choice, count))
        smaller = next((one.name for one in on_disk(self.listed) if self._fits_at(one, num_frames)), "")
        fewer_bits = filter(self._can_keep, WEIGHTS[WEIGHTS.index(choice.weights) + 1 :])
        bits = next((own for own in fewer_bits if self._fits_at(replace(choice, weights=own), num_frames)), "")
        return Unloaded(
            choice,
            "memory",
            needed=needed,
            free=self.free() or 0,
            frames=num_frames,
            fewer=next(fitting, 0),
            smaller=smaller,
            bits=bits,
        )

    def _can_keep(self, weights: str) -> bool:
        """Whether this machine has what it takes to load weights so."""
        with suppress(ValueError):
            check_weights(weights, self._device)
            return True
        return False

    def _fits_at(self, choice: Choice, num_frames: int) -> bool:
        told = self.needed(choice, num_frames)
        return told is not None and self.fits(told[0])

    def _at(self, choice: Choice, stage: Stage) -> None:
        if self._stop.is_set():
            raise Stopped
        self.loading = Loading(choice, stage)

    def _on_read(self, read: ReadSoFar) -> None:
        if self._stop.is_set():
            raise Stopped
        if self.loading:
            self.loading = replace(self.loading, read=read)


def _without_paths(sentence: str, choice: Choice) -> str:
    """A sentence for visitors, who know the model by its key."""
    folder = folder_of(choice.path)
    for path in (*((folder.resolve(), folder) if folder else ()), choice.path):
        sentence = sentence.replace(str(path), choice.key)
    return sentence


def weights_of(loaded: Loaded) -> int:
    """Bytes of its weights."""
    tensors: list[Any] = [*loaded.engine.adapter.model.parameters(), *loaded.engine.adapter.model.buffers()]
    return sum(map(num_bytes, tensors))
