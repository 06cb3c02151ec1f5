"""Handlers of the lab's page: they tell what a sweep costs, run it cell by cell, and find one again by its key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from cachetools import LRUCache
from gradio.processing_utils import save_file_to_cache

from aim_core.errors import Stopped
from aim_core.media.errors import MediaError
from aim_lab.documents import read_rows
from aim_lab.estimate import Estimate
from aim_lab.line import Line, Log
from aim_lab.measure import Failed, Task
from page.checks import guarded, refusal
from page.components.lab.record import Progress, lab_record
from page.components.questions.component import MOST_ROWS, AskedRow, questions_record
from page.exports.handlers import LONGEST_LINK, warn_of_link
from page.exports.lab import command_of, write_lab
from page.handlers import Handlers
from page.i18n import strings
from page.lab_layout import LabLayout
from page.lab_plan import LabForm, asked_sweep, beyond, names_of
from page.layout import Update
from page.server.settings import SweepSettings
from page.state.model_facts import EMBEDDED_NAME, ModelFacts
from page.state.samples import listed, sample_name, samples_for
from page.state.startup import Loaded
from page.state.sweeps import AskedSweep, HeldClip, NoRoomError, Sweeps, copy_whole
from page.state.waiting import waiting

EVERY, SHARE = 0.5, 0.1  # seconds between two looks at a sweep under way, and the most of its time that they take
LARGEST_TABLE = 1 << 20  # bytes


class LabHandlers:
    """The handlers of one page; its sweeps share `handlers`' engine, cell by cell, with the other pages' runs."""

    def __init__(self, loaded: Loaded, handlers: Handlers, layout: LabLayout, sweeps: Sweeps, most: SweepSettings):
        self.loaded, self.layout, self.sweeps, self.most = loaded, layout, sweeps, most
        self.runner, self.cancellation, self.taken = handlers.runner, handlers.cancellation, handlers.taken
        self.facts = ModelFacts.of(loaded)
        self.costs: LRUCache[str, Estimate] = LRUCache(64)  # by key, to tell how long is left before the first cell

    @guarded
    def cost(self, files, rows, methods, by, shares, frames, more, request: gr.Request) -> Update:
        """What is left of a sweep and what it costs; the page may start it unless that is too much."""
        asked, left_out = self._asked(files, rows, methods, by, shares, frames, more)
        with suppress(Stopped), self.cancellation.run(request.session_hash) as stop:
            log = self.sweeps.log(asked)
            tasks = asked.plan.tasks(log)
            with ExitStack() as held:
                if tasks:
                    held.enter_context(self._held(tasks[0], stop, {own.num_frames for own in asked.plan.cells}))
                with self.runner.turns.turn(waiting("model", stop)):
                    cost = self.runner.estimate(asked.plan, tasks)
            self.costs[asked.key], why = cost, beyond(cost, self.most)
            record = lab_record(asked, asked.lines(log), None, cost, left_out, why)
            return self._shown(asked, record, counted="" if why else asked.key)
        return gr.skip()

    @guarded
    def run(self, counted, files, rows, methods, by, shares, frames, more, request: gr.Request):
        """Measure what is missing of the sweep whose cost was told, each cell in a turn of its own, and show it."""
        asked, _ = self._asked(files, rows, methods, by, shares, frames, more)
        if asked.key != counted:
            raise refusal(strings().NOT_COUNTED, "settings")
        with suppress(Stopped), self.cancellation.run(request.session_hash) as stop, self._working(asked) as log:
            asked = self._kept(asked)
            work = _Work(asked, log, self.costs.get(asked.key), time.monotonic() + 60 * self.most.minutes)
            yield self._shown(asked, work.record(), counted=asked.key)
            for found in self._found(asked, log, stop):
                if work.add(found):
                    yield self._shown(asked, work.record(), counted=asked.key)
                if work.is_over:
                    break
            yield self._shown(asked, work.record(ended="time" if work.is_over else "done"), counted=asked.key)

    @contextmanager
    def _working(self, asked: AskedSweep) -> Iterator[Log]:
        with ExitStack() as stack:
            try:
                log = stack.enter_context(self.sweeps.working(asked))
            except ValueError as error:
                raise refusal(strings().SWEEP_ELSEWHERE, "busy") from error
            yield log

    def _kept(self, asked: AskedSweep) -> AskedSweep:
        try:
            return self.sweeps.keep(asked)
        except NoRoomError as error:
            raise refusal(strings().NO_SWEEP_ROOM, "disk") from error

    def _found(self, asked: AskedSweep, log: Log, stop: Callable[[], bool]) -> Iterator[Line | Failed]:
        """Each cell as it is measured; lines are on the disk by then. What others measure meanwhile is left to them."""
        recipe = asked.plan.recipe
        for whole in asked.plan.tasks(log):
            for task in self.runner.parts(asked.plan, whole, log):
                with self._held(task, stop, {own.num_frames for own in task.settings} | {recipe.reference}):
                    cells = self.runner.measured(task, is_done=self._is_done(task, log))
                    while (found := self._next(cells, log, stop)) is not None:
                        yield found

    def _is_done(self, task: Task, log: Log) -> Callable[..., bool]:
        return lambda setting: task.recipe.line(task.document, setting).key in log

    def _next(self, cells: Iterator[Line | Failed], log: Log, stop: Callable[[], bool]) -> Line | Failed | None:
        """One cell, in a turn of the model. Raises Stopped between two."""
        if stop():
            raise Stopped
        with self.runner.turns.turn(waiting("model", stop)):
            found = next(cells, None)
            if isinstance(found, Line) and found.key not in log:
                log.add(found)
            return found

    @contextmanager
    def _held(self, task: Task, stop: Callable[[], bool], numbers: set[int]) -> Iterator[None]:
        """The frames of a task's video for the length of the block, decoded in the line of the decoders; without sound,
        as on the command line, whose lines have the same keys."""
        clip = task.document.clip
        assert isinstance(clip, HeldClip)
        try:
            for number in numbers:
                try:
                    clip.held[number] = self.runner.frames(str(clip.path), number, waiting("file", stop), sound=False)
                except MediaError as error:
                    clip.held[number] = error
            yield
        finally:
            clip.held.clear()

    @guarded
    def stop(self, key, request: gr.Request) -> Update:
        """End the sweep of this page after the cell under way, and show what is there."""
        self.cancellation.stop(request.session_hash)
        asked = self.sweeps.find(key)
        if asked is None:
            return gr.skip()
        record = lab_record(asked, asked.lines(self.sweeps.log(asked)), Progress("stopped"))
        return self._shown(asked, record, counted=asked.key)

    @guarded
    def restore(self, link) -> Update:
        """What the page begins with: the sweep that its address names, else questions about samples."""
        given = dict(parse_qsl(str(link or "")[:LONGEST_LINK]))
        asked = self.sweeps.find(given.get("sweep"))
        if asked is None:
            if "sweep" in given:
                warn_of_link([strings().SWEEP_GONE])
            samples = sample_questions(self.loaded)
            return gr.skip() if samples == self.layout.questions.value else {self.layout.questions: samples}
        record = lab_record(asked, asked.lines(self.sweeps.log(asked)), Progress("kept"))
        record["goOn"] = given.get("going") == "1" and record["done"] < record["cells"]
        if asked.model != self.facts.name:
            record |= {"other": self.model_name, "goOn": False}
        counted = asked.key if asked.model == self.facts.name else ""
        return self._inputs(asked) | self._shown(asked, record, counted)

    @property
    def model_name(self) -> str:
        return strings().EMBEDDED_NAME if self.facts.name == EMBEDDED_NAME else self.facts.name

    @guarded
    def fill_samples(self, files, rows) -> dict[str, Any]:
        """The same on a page whose visitor asks for them; uploads stay beside them."""
        samples = sample_questions(self.loaded)
        return samples | {"videos": [*names_of(files), *samples["videos"]]}

    @guarded
    def files_changed(self, files, rows) -> dict[str, Any]:
        """The table with a row for each new video, and without unasked ones of videos that are gone."""
        names, samples = names_of(files), sample_questions(self.loaded)
        if [list(row) for row in rows] == samples["rows"]:
            rows = []
        own = [row for row in rows if row.video in names or row.question]
        new = [AskedRow(name, "", "") for name in names if name not in {row.video for row in own}]
        return questions_record([*own, *new], names) if own or new else samples

    @guarded
    def table_given(self, table, files) -> dict[str, Any]:
        """The rows of a CSV or JSONL file, as the command line takes it."""
        path = Path(str(table))
        if path.stat().st_size > LARGEST_TABLE:
            raise refusal(strings().LARGE_TABLE.format(most=LARGEST_TABLE >> 20), "file")
        try:
            found = read_rows(path)
        except ValueError as error:
            raise refusal(strings().BAD_TABLE.format(reason=error), "file") from error
        if len(found) > MOST_ROWS:
            raise refusal(strings().BAD_ROWS.format(most=f"{MOST_ROWS:,}"), "file")
        rows = [AskedRow(Path(row.video).name, row.question, row.answer) for row in found]
        return questions_record(rows, names_of(files))

    def maker(self, kind: str) -> Callable:
        """A handler that writes the files of one kind, "csv", "parquet", "json" or "chart", into a folder."""

        @guarded
        def make(key: str | None) -> list[str]:
            asked = self.sweeps.find(key)
            lines = asked.lines(self.sweeps.log(asked)) if asked else []
            if asked is None or all(line.refused for line in lines):
                raise refusal(strings().NO_CELLS, "gone")
            with self.taken.folder(self.layout.panel.GRADIO_CACHE) as folder:
                return [str(path) for path in write_lab(kind, asked, lines, folder)]

        return make

    def _asked(self, files, rows, *form) -> tuple[AskedSweep, list[str]]:
        names, checked = [str(file) for file in files or ()], LabForm.checked(*form)
        return asked_sweep(self.loaded, names, rows or [], checked, self.most)

    def _shown(self, asked: AskedSweep, record: dict[str, Any], counted: str) -> Update:
        layout, progress = self.layout, record["progress"]
        is_going = progress is not None and progress["ended"] == ""
        return {
            layout.panel: record,
            layout.key: asked.key,
            layout.counted: counted,
            layout.run: gr.update(interactive=bool(counted) and not is_going and record["done"] < record["cells"]),
            layout.code: command_of(asked),
        }

    def _inputs(self, asked: AskedSweep) -> Update:
        """The page's inputs as they were, videos too; where Gradio serves files from."""
        rows = [AskedRow(own.clip.name, own.question, own.wanted) for own in asked.plan.documents]
        own = [clip for clip in asked.clips if not sample_name(str(clip.path), clip.name)]
        cache = self.layout.panel.GRADIO_CACHE
        files = [_named_copy(clip, cache) for clip in own]
        form = LabForm(**asked.form)
        values = (form.methods, form.by, form.shares, form.frames, form.more)
        update: Update = dict(zip(self.layout.form, values, strict=True))
        return update | {self.layout.files: files or None, self.layout.questions: questions_record(rows, [])}


def sample_questions(loaded: Loaded) -> dict[str, Any]:
    """Questions about the samples that are for a model, as the table takes them."""
    ending = ".mp4" if "video" in loaded.engine.adapter.modalities else ".png"
    rows = [row for row in listed(samples_for(loaded)) if row["file"].endswith(ending)]
    return questions_record([AskedRow(row["file"], row["question"], row.get("answer", "")) for row in rows], [])


class _Work:
    """How far a sweep under way is."""

    def __init__(self, asked: AskedSweep, log: Log, cost: Estimate | None, ends_at: float):
        self.asked, self.log, self.cost, self.ends_at = asked, log, cost, ends_at
        self.begun = time.monotonic()
        self.next_look = self.begun + EVERY
        self.cells = self.failed = 0

    def add(self, found: Line | Failed) -> bool:
        """One more cell; whether it is time to show it."""
        self.cells += 1
        self.failed += isinstance(found, Failed)
        return time.monotonic() >= self.next_look

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends_at

    def record(self, ended: str = "") -> dict[str, Any]:
        now = time.monotonic()
        record = lab_record(self.asked, self.asked.lines(self.log))
        self.next_look = time.monotonic() + max(EVERY, (time.monotonic() - now) / SHARE)
        missing, spent = record["cells"] - record["done"], now - self.begun
        first = self.cost.seconds if self.cost else None
        left = spent / self.cells * missing if self.cells else first
        return record | {
            "progress": vars(Progress("" if missing and not ended else ended or "done", left, self.failed))
        }


def _named_copy(clip: HeldClip, cache: str) -> str:
    """A copy that Gradio serves, under the name that the visitor knows."""
    named = Path(save_file_to_cache(clip.path, cache_dir=cache)).with_name(Path(clip.name).name)
    if not named.exists():
        copy_whole(clip.path, named)
    return str(named)
