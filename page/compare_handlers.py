"""Handlers of the page that compares: they run the methods, and write what is taken away."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl

import gradio as gr
from gradio.components import Component
from gradio.processing_utils import save_file_to_cache

from aim_core.budget import Budget
from aim_core.errors import Stopped
from aim_core.method_comparison import DENSE, MethodRun, each_method
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
from page.state.model_facts import ModelFacts
from page.state.samples import known_answer, sample_kind, sample_name, sample_path
from page.state.startup import Loaded
from page.state.store import ByteCache, held_bytes

KEPT_BYTES = 300 << 20  # comparisons of all visitors together, for what is taken away of them


class AskedComparison:
    """What was asked, and the runs that have answered so far. known, outside: see `compare_record`."""

    def __init__(self, path: str, question: str, num_frames: int, budget: Budget, methods: list[str]):
        self.path, self.question, self.num_frames = path, question, num_frames
        self.budget, self.methods = budget, methods
        self.known, self.outside = known_answer(path, question), False
        self.runs: dict[str, MethodRun] = {}  # the dense one first

    @property
    def listed(self) -> list[MethodRun]:
        return list(self.runs.values())

    @property
    def query(self) -> str:
        """What a link to it has behind its "#"."""
        return compare_query(self.question, self.budget, self.num_frames, self.methods, sample_name(self.path))

    def shown(self) -> Compared:
        """What the panel takes."""
        trace = self.listed[0].trace
        assert trace is not None
        return Compared(trace, compare_record(self.listed, self.known, self.outside, self.budget))


class CompareHandlers:
    """The handlers of one page; its runs share `handlers`' engine and their turn with the other pages' runs."""

    def __init__(
        self, loaded: Loaded, handlers: Handlers, panel: ComparePanel, media: MediaInputs, settings: list[Component]
    ):
        """settings: the components that a link sets, in the order of `CompareSettings.settings`."""
        self.media, self.settings = media, settings
        self.adapter, self.facts, self.panel = loaded.engine.adapter, ModelFacts.of(loaded), panel
        self.runner, self.cancellation = handlers.runner, handlers.cancellation
        self.kept = ByteCache[AskedComparison](KEPT_BYTES, size=lambda asked: held_bytes(asked.runs))
        self.writers = {"csv": self._csv, "page": self._page}

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
    ):
        """Show each method's run as it finishes, then the times of all, with its code and link."""
        question, budget = checked_question(question), checked_budget(budget, measure)
        path, methods = checked_media(video, image, shown), checked_methods(methods)
        asked = AskedComparison(path, question, checked_frames(num_frames), budget, methods)
        key = uuid.uuid4().hex
        with suppress(Stopped), self.cancellation.run(request.session_hash) as stop:
            progress(0.0, strings().READING)
            checked_kind(self.adapter, frames := self.runner.frames(path, asked.num_frames))
            settings = {"methods": methods, "budget": budget, "num_timed": self.runner.timed_prefills}
            each = each_method(self.runner.engine, frames, question, **settings, stop=stop)
            for run in each:
                asked.runs[run.name] = run
                self.kept.set(key, asked)  # which has grown
                if len(asked.runs) == 1:
                    world = self.runner.world_check(frames, question)
                    asked.outside = world is not None and world.outside
                if not run.prefill_ms:  # times come all at once, after the last answer
                    title = strings().COMPARE_DENSE if run.name == DENSE else run.title
                    progress(len(asked.runs) / (len(methods) + 1), strings().COMPARED.format(title=title))
                    yield asked.shown(), key, self._code(asked), asked.query
            yield asked.shown(), key, gr.skip(), gr.skip()

    @guarded
    def stop(self, request: gr.Request) -> None:
        """Cancel the comparison that this page has under way; what has finished stays."""
        self.cancellation.stop(request.session_hash)

    @guarded
    def restore(self, link):
        """What a link sets behind its "#": question, budget, measure, frames, methods, and a sample on its tab."""
        found = read_compare_link(dict(parse_qsl(str(link or "")[:LONGEST_LINK])))
        sample = found.sample if found.sample and sample_kind(found.sample) in self.adapter.modalities else None
        warn_of_link([*found.bad, *(["sample"] if found.sample and not sample else [])])
        pairs = zip(self.settings, found.settings, strict=True)
        update = {component: value for component, value in pairs if value is not None}
        if sample:
            file = save_file_to_cache(sample_path(sample), cache_dir=self.panel.GRADIO_CACHE)
            update |= self.media.holding(file, sample_kind(sample))
        return update or gr.skip()

    def maker(self, kind: str) -> Callable:
        """A handler that writes the file of one kind into a folder of its own."""

        @guarded
        def make(key: str | None) -> list[str]:
            asked = self.kept.get(key)
            if asked is None or not asked.runs:
                raise refusal(strings().RESULT_GONE if key else strings().NOTHING_TO_EXPORT, "gone")
            folder = Path(self.panel.GRADIO_CACHE) / uuid.uuid4().hex
            folder.mkdir(parents=True)
            name, written = self.writers[kind](asked)
            (folder / name).write_text(written, encoding="utf-8")
            return [str(folder / name)]

        return make

    def _csv(self, asked: AskedComparison) -> tuple[str, str]:
        return "aim_comparison.csv", comparison_csv(asked.listed)

    def _page(self, asked: AskedComparison) -> tuple[str, str]:
        texts = strings().REPLAY
        settings = f"{sample_name(asked.path) or Path(asked.path).name} · {self.facts.name}"
        heading = {"title": strings().COMPARE_TITLE, "question": asked.question, "settings": settings}
        heading |= {"theme": texts["theme"], "offline": texts["offline"]}
        return "aim_comparison.html", replay_page([(self.panel, asked.shown())], heading, GRADIO_NAMES[language()])

    def _code(self, asked: AskedComparison) -> str:
        settings = asked.question, asked.num_frames, asked.budget, asked.methods
        return comparison_code(asked.path, *settings, self.facts.name)
