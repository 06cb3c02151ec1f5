"""Sweeps: what visitors asked of the lab and what was measured of it, in a folder that outlives the server.

A folder for each set of questions to one model holds its videos, the lines of all sweeps of these questions and, for
each sweep, what was asked. All are named by content, so that the same inputs find the same lines.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from aim_core.media.errors import MediaError
from aim_core.media.frames import Frames
from aim_lab.documents import Document, FileClip
from aim_lab.line import Line, Log
from aim_lab.measure import Recipe
from aim_lab.settings import Setting
from aim_lab.sweep import Known, Plan, alone
from page.server.uploads import folder_bytes

_LINES, _VIDEOS = "lines.jsonl", "videos"
_KEY = re.compile(r"[0-9a-f]{32}")


class NoRoomError(Exception):
    """The videos of a sweep do not fit beside those that are under way."""


@dataclass(frozen=True)
class HeldClip:
    """A video whose frames were decoded before the model's turn, in which nobody may wait for a decoder.

    digest: of its content. held: frames by their number, or why there are none.
    """

    path: Path
    name: str
    digest: str
    held: dict[int, Frames | MediaError] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, path: Path, name: str) -> HeldClip:
        return cls(path, name, FileClip(path, name).content())

    def content(self) -> str:
        return self.digest

    def frames(self, num_frames: int) -> Frames:
        found = self.held[num_frames]
        if isinstance(found, MediaError):
            raise found
        return found


@dataclass(frozen=True)
class AskedSweep:
    """A plan whose clips are `HeldClip`s, the model that it was asked of, and what the page's inputs were.

    model: as `ModelFacts` names it. form: what fills the page's inputs again.
    """

    plan: Plan
    model: str
    form: dict[str, Any]

    @cached_property
    def questions_key(self) -> str:
        """Of the videos, the questions and the model that they go to."""
        recipe = self.plan.recipe
        asked = sorted({(own.clip.content(), own.question) for own in self.plan.documents})
        return _hash([recipe.weights, recipe.dtype, recipe.device, asked])

    @cached_property
    def key(self) -> str:
        """Of all that a sweep measures and counts as right; names of files are not in it."""
        recipe, settings = self.plan.recipe, [asdict(own) for own in self.plan.cells]
        wanted = sorted({(own.clip.content(), own.question, own.wanted) for own in self.plan.documents})
        return _hash([self.questions_key, settings, wanted, recipe.reference, recipe.max_new_tokens])

    @property
    def clips(self) -> list[HeldClip]:
        """Each once."""
        clips = [own.clip for own in self.plan.documents if isinstance(own.clip, HeldClip)]
        return list({clip.digest: clip for clip in clips}.values())

    def lines(self, log: Known) -> list[Line]:
        return self.plan.lines(log)

    def as_json(self) -> str:
        rows = [(own.clip.content(), own.clip.name, own.question, own.wanted) for own in self.plan.documents]
        settings = [(own.method, own.settings, own.num_frames) for own in self.plan.settings]
        told = {"model": self.model, "recipe": asdict(self.plan.recipe), "settings": settings, "rows": rows}
        return json.dumps(told | {"form": self.form}, ensure_ascii=False)

    @classmethod
    def read(cls, text: str, videos: Path) -> AskedSweep:
        """Raises ValueError, KeyError or TypeError where this version knows no such sweep."""
        told = json.loads(text)
        clips = {path.stem: path for path in videos.iterdir()}
        documents = [
            Document(HeldClip(clips[digest], name, digest), question, wanted)
            for digest, name, question, wanted in told["rows"]
        ]
        settings = [Setting.of(method, count, **own) for method, own, count in told["settings"]]
        plan = Plan(tuple(documents), tuple(settings), Recipe(**told["recipe"]))
        return cls(plan, told["model"], told["form"])


class Sweeps:
    """All sweeps of a server, within bytes and an age; safe to use from many threads."""

    def __init__(self, folder: Path, most_bytes: int, keep_seconds: float):
        self.folder, self.most_bytes, self.keep_seconds = folder, most_bytes, keep_seconds
        self._open: dict[str, _Open] = {}
        self._lock, self._keeping = threading.Lock(), threading.Lock()

    def keep(self, asked: AskedSweep) -> AskedSweep:
        """Keep what is asked with its videos; returns it with the kept ones. Raises NoRoomError.

        In a block of `working` nobody can remove them meanwhile.
        """
        place = self._made(asked)
        videos = {clip.digest: place / _VIDEOS / f"{clip.digest}{clip.path.suffix.lower()}" for clip in asked.clips}
        missing = [clip for clip in asked.clips if not videos[clip.digest].exists()]
        with self._keeping:
            self._make_room(sum(clip.path.stat().st_size for clip in missing), place)
            for clip in missing:
                copy_whole(clip.path, videos[clip.digest])
        kept = {clip.digest: replace(clip, path=videos[clip.digest]) for clip in asked.clips}
        documents = tuple(replace(own, clip=kept[own.clip.content()]) for own in asked.plan.documents)
        moved = replace(asked, plan=replace(asked.plan, documents=documents))
        part = place / f"{uuid.uuid4().hex}.part"
        part.write_text(moved.as_json(), encoding="utf-8")
        part.replace(place / f"{asked.key}.json")
        return moved

    def find(self, key: str | None) -> AskedSweep | None:
        """A sweep that was kept; None where there is none of this key, or none that this version knows."""
        if not key or not _KEY.fullmatch(key):
            return None
        for path in self.folder.glob(f"*/{key}.json"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                return AskedSweep.read(path.read_text(encoding="utf-8"), path.parent / _VIDEOS)
        return None

    def log(self, asked: AskedSweep) -> Known:
        """What was measured of these questions so far, to be read alone."""
        with self._lock:
            if known := self._open.get(asked.questions_key):
                return known.log
        path = self.folder / asked.questions_key / _LINES
        return Log(path) if path.exists() else {}

    @contextmanager
    def working(self, asked: AskedSweep) -> Iterator[Log]:
        """The lines of a sweep that is kept, to be added to; all who work on these questions share them.

        Raises ValueError where another process works on them.
        """
        key = asked.questions_key
        with self._lock:
            if key not in self._open:
                self._open[key] = _Open(self._made(asked) / _LINES)
            own = self._open[key]
            own.users += 1
        try:
            yield own.log
        finally:
            with self._lock:
                own.users -= 1
                if not own.users:
                    del self._open[key]
                    own.close()

    def tidy(self) -> None:
        """Remove what is too old, and then the oldest until the rest is within bytes; nothing that is under way."""
        oldest = time.time() - self.keep_seconds
        for place in self._places():
            if _worked_at(place) < oldest:
                self._remove(place)
        with suppress(NoRoomError):
            self._make_room(0)

    @property
    def num_bytes(self) -> int:
        return folder_bytes(self.folder)

    def _made(self, asked: AskedSweep) -> Path:
        """The folder of its questions, which only this server's user may read."""
        place = self.folder / asked.questions_key
        for path in (self.folder, place, place / _VIDEOS):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return place

    def _make_room(self, wanted: int, own: Path | None = None) -> None:
        """Remove the oldest until so many bytes more have room; own: stays. Raises NoRoomError."""
        for place in sorted(self._places(), key=_worked_at):
            if self.num_bytes + wanted <= self.most_bytes:
                return
            if place != own:
                self._remove(place)
        if self.num_bytes + wanted > self.most_bytes:
            raise NoRoomError

    def _places(self) -> list[Path]:
        return [path for path in self.folder.glob("*") if _KEY.fullmatch(path.name)]

    def _remove(self, place: Path) -> None:
        """With all that is in it, unless somebody works on it, here or in another process."""
        with self._lock:
            if place.name in self._open:
                return
            with suppress(ValueError, OSError), alone(place / _LINES):
                shutil.rmtree(place)


class _Open:
    """A log that sweeps of this process work on, and no other process."""

    def __init__(self, path: Path):
        self.users = 0
        with ExitStack() as stack:
            stack.enter_context(alone(path))
            self.log = Log(path)
            os.utime(path)
            self._held = stack.pop_all()

    def close(self) -> None:
        self._held.close()


def copy_whole(path: Path, to: Path) -> None:
    """Whoever finds the copy finds all of it."""
    part = to.with_name(f"{uuid.uuid4().hex}.part")
    shutil.copyfile(path, part)
    part.replace(to)


def _worked_at(place: Path) -> float:
    """When a line was last added, or the folder made."""
    for path in (place / _LINES, place):
        with suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _hash(told: list[Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]
