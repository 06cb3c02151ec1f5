"""Compare: the page that answers one question under many methods, each set so that it costs the same."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from aim_core.budget import MEASURES, Budget
from aim_core.errors import Stopped
from aim_core.method_comparison import MethodRun, each_method
from aim_core.methods.registry import METHODS
from page import layout_inputs, layout_shared
from page.checks import checked_frames, checked_kind, checked_media, checked_question, guarded, refusal
from page.components.compare.component import Compared, ComparePanel
from page.components.compare.record import compare_record
from page.components.nav.component import NavPanel
from page.exports.comparison import comparison_code, comparison_csv
from page.exports.panel import TAKE
from page.exports.replay import replay_page
from page.handlers import Handlers
from page.i18n import GRADIO_NAMES, language, strings, text
from page.state.model_facts import ModelFacts
from page.state.samples import known_answer, sample_name
from page.state.startup import Loaded

USUAL = ["aim", "fastv", "pyramid_drop", "vtw", "divprune", "vidcom2", "v_cast", "evs"]
USUAL += ["fewer_frames", "average_pooling", "uniform", "random"]
LEAST, MOST = 3, 100  # per cent of the dense cost
NUM_FRAMES = 8
NUM_TIMED = {True: 3, False: 2}  # prefills of each, by whether the model is small


class Compare:
    """The comparison on one model; its runs share `handlers`' engine and their turn with the other pages' runs."""

    def __init__(self, loaded: Loaded, handlers: Handlers):
        self.adapter, self.runner, self.cancellation = loaded.engine.adapter, handlers.runner, handlers.cancellation
        self.facts = ModelFacts.of(loaded)
        self.writers = {"csv": self._csv, "page": self._page}

    def build(self) -> None:
        """Its components and events, on the route that is being built."""
        NavPanel("compare", elem_id="nav")
        gr.Markdown(text("COMPARE_INTRO"), elem_id="intro")
        with gr.Row(elem_id="screen"):
            with gr.Column(elem_id="inputs"):
                media = layout_inputs.media(self.adapter)
                question = gr.Textbox(
                    label=text("QUESTION"),
                    placeholder=text("EXAMPLE_QUESTION"),
                    lines=1,
                    max_lines=4,
                    elem_id="question",
                )
                with gr.Row():
                    run = gr.Button(text("COMPARE_RUN"), variant="primary", size="lg", elem_id="run", scale=4)
                    stop = gr.Button(text("STOP"), size="lg", elem_id="stop", interactive=False, scale=1, min_width=80)
                settings = self._settings()
            with gr.Column(elem_id="told"):
                titles = [(entry.title, name) for name, entry in METHODS.items()]
                methods = gr.CheckboxGroup(titles, value=USUAL, label=text("METHODS"), elem_id="methods")
                self.panel = ComparePanel(elem_id="compare")
                self.told, self.files, self.code = gr.State(None), *self._exports()
        with media.video_samples:
            layout_shared.samples(media.video, question)
        with media.image_samples:
            layout_shared.samples(media.image, question)
        self._connect(run, stop, question, [*media.inputs, question, *settings, methods])

    def _settings(self) -> list[Any]:
        """Budget, what it is a share of, number of frames."""
        has_frames = "video" in self.adapter.modalities
        with gr.Group(elem_id="settings"):
            budget = gr.Slider(
                LEAST, MOST, 10, step=1, label=text("BUDGET"), info=text("BUDGET_INFO"), elem_id="budget"
            )
            measures = [(text(f"MEASURES.{name}"), name) for name in MEASURES]
            measure = gr.Dropdown(measures, value="flops", label=text("MEASURE"), elem_id="measure")
            frames = gr.Slider(
                1,
                layout_inputs.MAX_FRAMES,
                NUM_FRAMES if has_frames else 1,
                step=1,
                label=text("FRAMES"),
                info=text("FRAMES_INFO"),
                elem_id="frames",
                visible=has_frames,
            )
        return [budget, measure, frames]

    def _exports(self) -> tuple[gr.File, gr.Code]:
        """What is taken away of a comparison."""
        with gr.Accordion(text("EXPORTS.name"), open=False, elem_id="exports"):
            with gr.Row():
                buttons = {
                    kind: gr.Button(text(f"COMPARE_EXPORTS.{kind}"), size="md", min_width=170) for kind in self.writers
                }
            files = gr.File(
                label=text("EXPORTS.files"), file_count="multiple", interactive=False, elem_id="export_files"
            )
            code = gr.Code(label=text("EXPORTS.code"), language="python", interactive=False, elem_id="export_code")
        self.buttons = buttons
        return files, code

    def _connect(self, run: gr.Button, stop: gr.Button, question: gr.Textbox, inputs: list[Any]) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        can_stop = {name: f"() => ({{__type__: 'update', interactive: {name}}})" for name in ("true", "false")}
        asked = [run.click, question.submit]
        for event in asked:
            event(None, None, stop, js=can_stop["true"], **quiet)
        compared = gr.on(
            asked,
            self.run,
            inputs,
            [self.panel, self.told, self.code],
            api_visibility="private",
            concurrency_id="model",
            show_progress_on=self.panel,
        )
        for ended in (compared.success, compared.failure):
            ended(None, None, stop, js=can_stop["false"], **quiet)
        stop.click(None, None, stop, js=can_stop["false"], cancels=[compared], **quiet)
        stop.click(self.stop, None, None, concurrency_limit=None, **quiet)
        for kind, button in self.buttons.items():
            made = button.click(self._maker(kind), self.told, self.files, api_visibility="private")
            made.success(None, self.files, None, js=TAKE, api_visibility="private")

    def _maker(self, kind: str) -> Callable:
        """A handler that writes the file of one kind into a folder of its own."""

        @guarded
        def make(told: Told | None) -> list[str]:
            if told is None:
                raise refusal(strings().NOTHING_TO_EXPORT, "gone")
            folder = Path(self.panel.GRADIO_CACHE) / uuid.uuid4().hex
            folder.mkdir(parents=True)
            name, written = self.writers[kind](told)
            (folder / name).write_text(written, encoding="utf-8")
            return [str(folder / name)]

        return make

    def _csv(self, told: Told) -> tuple[str, str]:
        return "aim_comparison.csv", comparison_csv(told.listed)

    def _page(self, told: Told) -> tuple[str, str]:
        texts = strings().REPLAY
        heading = {
            "title": strings().COMPARE_INTRO.split("**")[1],
            "theme": texts["theme"],
            "offline": texts["offline"],
        }
        settings = f"{sample_name(told.path) or Path(told.path).name} · {self.facts.name}"
        heading |= {"question": told.question, "settings": settings}
        return "aim_comparison.html", replay_page([(self.panel, told.shown())], heading, GRADIO_NAMES[language()])

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
        """Show each method's run as it finishes, then the times of all."""
        question, budget = checked_question(question), checked_budget(budget, measure)
        path, methods = checked_media(video, image, shown), checked_methods(methods)
        num_frames = checked_frames(num_frames)
        with suppress(Stopped), self.cancellation.run(request.session_hash) as stop:
            progress(0.0, strings().READING)
            checked_kind(self.adapter, frames := self.runner.frames(path, num_frames))
            each = each_method(
                self.runner.engine,
                frames,
                question,
                methods=methods,
                budget=budget,
                num_timed=NUM_TIMED[self.runner.is_small],
                stop=stop,
            )
            told = Told(path, question, num_frames, budget, known_answer(path, question))
            for run in each:
                told.runs[run.name] = run
                if len(told.runs) == 1:
                    world = self.runner.world_check(frames, question)
                    told.outside = world is not None and world.outside
                if not run.prefill_ms:  # times come all at once, after the last answer
                    progress(len(told.runs) / (len(methods) + 1), strings().COMPARED.format(title=run.title))
                    yield {self.panel: told.shown()}
            code = comparison_code(path, question, num_frames, budget, methods, self.facts.name)
            yield {self.panel: told.shown(), self.told: told, self.code: code}

    @guarded
    def stop(self, request: gr.Request) -> None:
        """Cancel the comparison that this page has under way; what has finished stays."""
        self.cancellation.stop(request.session_hash)


class Told:
    """What was asked, and what has been told of it so far. known, outside: see `compare_record`."""

    def __init__(self, path: str, question: str, num_frames: int, budget: Budget, known: str | None):
        self.path, self.question, self.num_frames, self.budget = path, question, num_frames, budget
        self.known, self.outside = known, False
        self.runs: dict[str, MethodRun] = {}  # the dense one first

    @property
    def listed(self) -> list[MethodRun]:
        return list(self.runs.values())

    def shown(self) -> Compared:
        """What the panel takes."""
        trace = self.listed[0].trace
        assert trace is not None
        return Compared(trace, compare_record(self.listed, self.known, self.outside, self.budget))


def checked_budget(percent: Any, measure: object) -> Budget:
    """The slider and the choice beside it as a budget."""
    try:
        if not LEAST <= float(percent) <= MOST:
            raise ValueError(strings().BAD_BUDGET.format(least=LEAST, most=MOST, got=percent))
        return Budget(float(percent) / 100, str(measure))
    except (TypeError, ValueError) as error:
        raise refusal(strings().BAD_SETTINGS.format(reason=error), "settings") from error


def checked_methods(names: Any) -> list[str]:
    """Names of methods, in the order of the registry."""
    chosen = [name for name in METHODS if name in (names if isinstance(names, list) else [])]
    if not chosen:
        raise refusal(strings().NO_METHODS, "settings")
    return chosen
