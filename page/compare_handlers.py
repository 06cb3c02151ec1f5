"""Handlers of the page that compares: they run the methods, and write what is taken away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl

import gradio as gr
from gradio.components import Component
from gradio.processing_utils import save_file_to_cache

from aim_core.budget import Budget
from aim_core.errors import Stopped
from aim_core.media.frames import Frames
from aim_core.method_comparison import DENSE, MethodRun
from page.checks import checked_frames, checked_kind, checked_media, checked_question, guarded, refusal
from page.compare_link import checked_budget, checked_methods, compare_query, read_compare_link
from page.components.compare.component import Compared, ComparePanel
from page.components.compare.record import compare_record
from page.exports.comparison import comparison_code, comparison_csv
from page.exports.handlers import LONGEST_LINK, warn_of_link
from page.exports.replay import replay_page
from page.handlers import Handlers
from page.i18n import GRADIO_NAMES, language, strings
from page.layout import MediaInputs
from page.method_texts import method_title
from page.state.model_facts import EMBEDDED_NAME, ModelFacts
from page.state.samples import known_answer, sample_kind, sample_name, sample_path, samples_of
from page.state.startup import Loaded
from page.state.store import ByteCache, held_bytes
from page.state.waiting import waiting


class AskedComparison:
    """What was asked, and the runs that have answered so far. files: one, or several pictures. known, outside: see
    `compare_record`. model: its name."""

    def __init__(
        self,
        files: tuple[str, ...],
        question: str,
        num_frames: int,
        budget: Budget,
        methods: list[str],
        model: str,
    ):
        self.files, self.question, self.num_frames = files, question, num_frames
        self.budget, self.methods = budget, methods
        self.known, self.outside, self.model = known_answer(files, question), False, model
        self.runs: dict[str, MethodRun] = {}  # the dense one first

    @property
    def listed(self) -> list[MethodRun]:
        return list(self.runs.values())

    @property
    def share(self) -> float:
        """Of the runs that are done."""
        return len(self.runs) / (len(self.methods) + 1)

    @property
    def query(self) -> str:
        """What a link to it has behind its "#"."""
        return compare_query(self.question, self.budget, self.num_frames, self.methods, samples_of(self.files))

    def shown(self) -> Compared:
        """What the panel takes."""
        trace = self.listed[0].trace
        assert trace is not None
        record = compare_record(self.listed, self.known, self.outside, self.budget)
        model = strings().EMBEDDED_NAME if self.model == EMBEDDED_NAME else self.model
        asked = {"files": [Path(path).name for path in self.files], "question": self.question, "model": model}
        return Compared(trace, record | {"asked": asked})


def kept_comparisons(most_bytes: int, seconds: float) -> ByteCache[AskedComparison]:
    """Room for comparisons of all visitors together."""
    return ByteCache(most_bytes, seconds, size=lambda asked: held_bytes(asked.runs))


class CompareHandlers:
    """The handlers of one page; its runs share `handlers`' engine and their turn with the other pages' runs."""

    def __init__(
        self,
        loaded: Loaded,
        handlers: Handlers,
        panel: ComparePanel,
        media: MediaInputs,
        settings: list[Component],
        kept: ByteCache[AskedComparison],
    ):
        """settings: the components that a link sets, in the order of `CompareSettings.settings`.

        kept: comparisons of all visitors together, for what is taken away.
        """
        self.media, self.settings = media, settings
        self.adapter, self.facts, self.panel = loaded.engine.adapter, ModelFacts.of(loaded), panel
        self.runner, self.cancellation, self.taken = handlers.runner, handlers.cancellation, handlers.taken
        self.kept = kept
        self.writers = {"csv": self._csv, "figures": self._figures, "page": self._page}

    @guarded
    def run(
        self,
        video,
        image,
        shown,
        question,
        budget,
        measure,
        num_frames,
        methods,
        request: gr.Request,
        progress=gr.Progress(),
        more=(),
    ):
        """Show each method's run as it finishes, then the times of all, with its code and link."""
        question, budget = checked_question(question), checked_budget(budget, measure)
        files, methods = checked_media(video, image, shown, more), checked_methods(methods)
        asked = AskedComparison(files, question, checked_frames(num_frames), budget, methods, self.facts.name)
        key = uuid.uuid4().hex
        with suppress(Stopped), self.cancellation.run(request.session_hash) as stop:
            checked_kind(self.adapter, frames := self.runner.frames(files, asked.num_frames, waiting("file", stop)))
            yield from self._compared(asked, key, frames, stop, progress)

    def _compared(self, asked: AskedComparison, key: str, frames: Frames, stop: Callable[[], bool], progress):
        """What the page gets of each run as it finishes."""
        each = self.runner.each_method(frames, asked.question, asked.methods, asked.budget, stop)
        for run in self._in_turns(each, asked, key, frames, stop):
            if not run.prefill_ms:  # times come all at once, after the last answer
                progress(asked.share, self._done(run))
                yield asked.shown(), key, self._code(asked), asked.query
        yield asked.shown(), key, gr.skip(), gr.skip()

    def _in_turns(
        self, each: Iterator[MethodRun], asked: AskedComparison, key: str, frames: Frames, stop: Callable[[], bool]
    ) -> Iterator[MethodRun]:
        """The runs of a comparison, each in a turn of its own, as other visitors wait for the model too."""
        now = strings().RUNNING["dense"]
        while True:
            with self.runner.turns.turn(waiting("model", stop, now, asked.share)):
                if (run := next(each, None)) is None:
                    return
                asked.runs[run.name] = run
                self.kept.set(key, asked)  # which has grown
                if len(asked.runs) == 1:
                    world = self.runner.world_check(frames, asked.question)
                    asked.outside = world is not None and world.outside
            now = self._done(run)
            yield run

    def _done(self, run: MethodRun) -> str:
        return strings().COMPARED.format(title=strings().COMPARE_DENSE if run.name == DENSE else method_title(run.name))

    @guarded
    def stop(self, request: gr.Request) -> None:
        """Cancel the comparison that this page has under way; what has finished stays."""
        self.cancellation.stop(request.session_hash)

    @guarded
    def restore(self, link):
        """What a link sets behind its "#": question, budget, measure, frames, methods, and a sample on its tab."""
        found = read_compare_link(dict(parse_qsl(str(link or "")[:LONGEST_LINK])))
        known = {sample_kind(name) for name in found.samples} <= {*self.adapter.modalities}
        warn_of_link([*found.bad, *([] if known else ["sample"])])
        pairs = zip(self.settings, found.settings, strict=True)
        update = {component: value for component, value in pairs if value is not None}
        if found.samples and known:
            cache = self.panel.GRADIO_CACHE
            file, *more = (save_file_to_cache(sample_path(name), cache_dir=cache) for name in found.samples)
            update |= self.media.holding(file, sample_kind(found.samples[0]), more)
        return update or gr.skip()

    def maker(self, kind: str) -> Callable:
        """A handler that writes the files of one kind into a folder of their own."""

        @guarded
        def make(key: str | None) -> list[str]:
            asked = self.kept.get(key)
            if asked is None or not asked.runs:
                raise refusal(strings().RESULT_GONE if key else strings().NOTHING_TO_EXPORT, "gone")
            with self.taken.folder(self.panel.GRADIO_CACHE) as folder:
                return [str(path) for path in self.writers[kind](asked, folder)]

        return make

    def _csv(self, asked: AskedComparison, folder: Path) -> list[Path]:
        return [_written(folder / "aim_comparison.csv", comparison_csv(asked.listed))]

    def _figures(self, asked: AskedComparison, folder: Path) -> list[Path]:
        from page.exports.figures import write_figures  # drawing is slow to import: not when the page starts
        from page.figures import drawn_texts
        from visual.method_figures import DrawnRun, method_figures

        runs = [DrawnRun(run.name, run.title, run.trace) for run in asked.listed if run.trace]
        return write_figures(method_figures(runs, runs[0].trace.num_layers // 2, drawn_texts()), folder)

    def _page(self, asked: AskedComparison, folder: Path) -> list[Path]:
        texts = strings().REPLAY
        settings = f"{', '.join(sample_name(path) or Path(path).name for path in asked.files)} · {asked.model}"
        heading = {"title": strings().COMPARE_TITLE, "question": asked.question, "settings": settings}
        heading |= {"theme": texts["theme"], "offline": texts["offline"]}
        page = replay_page([(self.panel, asked.shown())], heading, GRADIO_NAMES[language()])
        return [_written(folder / "aim_comparison.html", page)]

    def _code(self, asked: AskedComparison) -> str:
        settings = asked.question, asked.num_frames, asked.budget, asked.methods
        return comparison_code(asked.files, *settings, asked.model)


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
