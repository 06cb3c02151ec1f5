"""The page as a whole: builds its layout, connects its events and serves it."""

from __future__ import annotations

import gradio as gr
from gradio.events import Dependency
from starlette.middleware import Middleware

from aim_core.media.decode import being_read
from page import assets, compare, lab, layout_inputs, layout_results, layout_shared, scripts, talk
from page.compare_handlers import kept_comparisons
from page.components.asked.component import NOW, tell_inputs
from page.components.bar.component import BarPanel
from page.components.base import Panel
from page.components.estimate import component as estimate_panel
from page.components.models.component import ModelsPanel
from page.components.nav.component import PAGES, NavPanel
from page.explain import Explain
from page.exports import events
from page.exports.handlers import Exports
from page.handlers import Handlers
from page.head import Head
from page.i18n import ENGLISH, I18N, text
from page.layout import Controls, MediaInputs
from page.per_model import PerModel
from page.permalink import LEAST_RATIO
from page.programs import endpoints
from page.programs.endpoints import Programs
from page.server.app import ServedApp
from page.server.blocks import PageBlocks
from page.server.ending import until_told
from page.server.settings import ServerSettings
from page.state.cancellation import Cancellation
from page.state.models import Models
from page.state.startup import Loaded
from page.state.store import ResultStore
from page.state.sweeps import Sweeps
from page.state.taken_files import TakenFiles
from page.state.talks import Talks
from page.state.waiting import MODEL_LINE, RUNS_AT_ONCE
from page.switching import Switching
from page.theme import theme

PRESS_RUN = "({ model }) => { if (!model.isSmall) document.getElementById('run').click(); }"


def build_page(models: Models | Loaded, settings: ServerSettings | None = None) -> PageBlocks:
    """The page for these models, or for one alone, laid out for the first.

    settings: of the server around it; of one for this machine alone if left out.
    """
    settings, models = settings or ServerSettings(), models if isinstance(models, Models) else Models(models)
    loaded, adapter = models.first, models.first.engine.adapter
    depth, default = loaded.engine.num_layers, adapter.default_config()
    store, talks = ResultStore(settings.store_bytes // 2, settings.keep_seconds), Talks(settings.store_bytes // 4)
    kept, taken = kept_comparisons(settings.store_bytes // 4, settings.keep_seconds), TakenFiles(settings.export_bytes)
    sweeps = Sweeps(settings.sweeps.place, settings.sweeps.most_bytes, settings.sweeps.keep_seconds)
    cancellation = Cancellation()
    with PageBlocks(title=ENGLISH["TITLE"], delete_cache=(3600, 3600)) as demo:
        with gr.Row(elem_id="head"):
            NavPanel("explore", elem_id="nav")
            picker = ModelsPanel(elem_id="models")
        with gr.Row(elem_id="about"):
            gr.Markdown(text("INTRO"), elem_id="intro")
            notice = gr.Markdown(layout_shared.about(loaded), elem_id="notice")
        with gr.Row(elem_id="screen"):
            with gr.Column(elem_id="inputs"), gr.Row():
                with gr.Column(scale=5):
                    media = layout_inputs.media(adapter)
                with gr.Column(scale=4, elem_id="ask"):
                    controls = layout_inputs.controls(loaded, default, media, lambda: models.now.engine.adapter)
            with gr.Column(elem_id="results"):
                results = layout_results.results(default, depth)
        shared = store, taken, models.turns, cancellation, talks
        handlers = PerModel(models, lambda own: Handlers(own, results, *shared))
        samples = layout_shared.samples_by_folder(media, controls.question, models)
        done = _connect(handlers, media, controls)
        exports = PerModel(models, lambda own: Exports(handlers.of(own), own, media, controls))
        switching = Switching(models, exports, picker, notice, samples, settings)
        done += events.connect(demo, exports, switching.restore, switching.fitted)
        events.enable(exports, done)
        _connect_figures(handlers, done)
        talk.connect(models, handlers, controls, done)
        BarPanel(elem_id="bar")
        programs = PerModel(models, lambda own: Programs(own, handlers.of(own)))
        endpoints.connect(programs, models, demo.api_has_changed)
    with demo.route("Explain", PAGES["explain"], show_in_navbar=False):
        Explain(loaded, handlers.first).build()
    with demo.route("Compare", PAGES["compare"], show_in_navbar=False):
        compare.build(models, handlers, demo, kept, settings)
    with demo.route("Lab", PAGES["lab"], show_in_navbar=False):
        lab.build(models, handlers, demo, sweeps, settings.sweeps)
    models.on_gone += [lambda _: estimate_panel.forget(), lambda _: talks.clear()]
    demo.settle(settings, lambda: models.turns.holders() | being_read())
    demo.more_routes = [switching.route()]
    demo.tidied = [store.expire, kept.expire, taken.forget, talks.expire, lambda: talks.keep_open(demo.is_open)]
    demo.tidied += [sweeps.tidy]
    demo.record.gauges["kept_runs_bytes"] = lambda: store.num_bytes
    demo.record.gauges["kept_comparisons_bytes"] = lambda: kept.num_bytes
    demo.record.gauges["kept_caches_bytes"] = lambda: talks.num_bytes
    demo.record.gauges["kept_sweeps_bytes"] = lambda: sweeps.num_bytes
    return demo


def _connect(handlers: PerModel[Handlers], media: MediaInputs, controls: Controls) -> list[Dependency]:
    """Connect the events that run the model; returns those that fill the page."""
    results, key = handlers.first.results, handlers.first.results.key
    tell_inputs(media, controls)
    settings = [*media.inputs, controls.question, *controls.sliders]
    outputs = [*results.panels, key]
    asked = [controls.run.click, controls.question.submit, results.explorer.overrides]
    layout_inputs.arm_stop(controls.stop, asked)  # before what it stops: listeners are worked off in their order
    run = _connect_run(handlers, controls, [*settings, controls.details, key, *controls.sound, media.more], outputs)
    marks = (results.explorer.overrides, results.answers.undo)
    hand = [_connect_hand(handlers, event, [*controls.sliders, key, *controls.sound], outputs) for event in marks]
    _connect_break(handlers, controls)
    times = _connect_times(handlers, run)
    layout_inputs.disarm_stop(controls.stop, [run, times, *hand], last=[times, *hand])
    _connect_stop(handlers, controls)
    _connect_patches(handlers)
    return [run, *hand, _connect_follow(handlers, controls, [*settings, key, *controls.sound, media.more], outputs)]


def _connect_run(handlers: PerModel[Handlers], controls: Controls, inputs: list, outputs: list) -> Dependency:
    """Run, or Enter in the question, asks."""
    return gr.on(
        [controls.run.click, controls.question.submit],
        handlers.call("answer"),
        inputs,
        outputs,
        api_name="run",
        api_visibility="undocumented",
        **MODEL_LINE,
        show_progress_on=handlers.first.results.answers,
    )


def _connect_hand(handlers: PerModel[Handlers], event, inputs: list, outputs: list) -> Dependency:
    """Marks, or taking them off, ask again; of its end the page hears, however it came."""
    hand = event(
        handlers.call("marks"),
        inputs,
        outputs,
        trigger_mode="always_last",
        api_visibility="private",
        **MODEL_LINE,
        show_progress_on=handlers.first.results.answers,
    )
    hand.then(None, None, None, js=scripts.call(NOW, "hearAnswered"), api_visibility="private")
    return hand


def _connect_break(handlers: PerModel[Handlers], controls: Controls) -> None:
    """Set the keep ratio to the least, or back to the usual; a large model, which follows no slider, is asked then."""
    keep, estimate = controls.keep_ratio, controls.estimate
    js = f"(keep, {{ model }}) => keep > {LEAST_RATIO} ? {LEAST_RATIO} : model.keepRatio"
    broken = handlers.first.results.answers.breaks(None, [keep, estimate], keep, js=js, api_visibility="private")
    broken.then(None, estimate, None, js=PRESS_RUN, api_visibility="private")


def _connect_times(handlers: PerModel[Handlers], run: Dependency) -> Dependency:
    """A run that answered is timed; of one that failed the page hears."""
    run.failure(None, None, None, js=scripts.call(NOW, "hearEnd"), api_visibility="private")
    return run.success(
        handlers.call("times"),
        handlers.first.results.key,
        handlers.first.results.timed,
        api_name="times",
        api_visibility="undocumented",
        **MODEL_LINE,
        show_progress="hidden",
    )


def _connect_stop(handlers: PerModel[Handlers], controls: Controls) -> None:
    """Stop stops at once, in the queue, since only such an event can send a message."""
    controls.stop.click(None, None, None, js=scripts.call(NOW, "hearAnswered"), api_visibility="private")
    controls.stop.click(
        handlers.call("stop"),
        handlers.first.results.key,
        handlers.first.results.answered,
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=None,
    )


def _connect_patches(handlers: PerModel[Handlers]) -> None:
    """The panel of words asks for what is drawn on the patches once it is seen."""
    panel = handlers.first.results.word_frames
    panel.patches(
        handlers.call("patches"),
        handlers.first.results.key,
        panel,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
    )


def _connect_follow(handlers: PerModel[Handlers], controls: Controls, inputs: list, outputs: list) -> Dependency:
    """A moved slider asks again."""
    return gr.on(
        [one.change for one in (*controls.sliders, *controls.sound)],
        handlers.call("follow"),
        inputs,
        outputs,
        trigger_mode="always_last",
        show_progress="hidden",
        api_name="follow",
        api_visibility="undocumented",
        **MODEL_LINE,
    )


def _connect_figures(handlers: PerModel[Handlers], done: list[Dependency]) -> None:
    """Still pictures follow a run and their slider, but only while their part of the page is open."""
    figures = handlers.first.results.figures
    inputs = [handlers.first.results.key, figures.is_open, figures.layer, figures.scale]
    drawn = {"fn": handlers.call("figures"), "inputs": inputs, "outputs": figures.drawn}
    drawn |= {"show_progress": "hidden", "api_visibility": "private"}
    figures.box.expand(
        handlers.call("open_figures"), None, figures.opened, show_progress="hidden", api_visibility="private"
    ).then(**drawn)
    figures.box.collapse(lambda: False, None, figures.is_open, api_visibility="private")
    gr.on([figures.layer.input, figures.scale.input], **drawn, trigger_mode="always_last")
    for run in done:
        run.success(**drawn)


def serve(demo: PageBlocks, host: str, port: int, **more) -> None:
    """Serve the page as it is meant to be until the process is told to end; `more` goes to Gradio's launch."""
    entries = tuple(block.entry for block in demo.blocks.values() if isinstance(block, Panel))
    paths = tuple(f"/{path}" for path in PAGES.values())
    head = Middleware(Head, entries=entries, paths=paths)
    app = ServedApp(demo, pages=paths, middleware=[head], routes=[scripts.route(), *demo.more_routes])
    demo.launch(
        server_name=host,
        server_port=port,
        theme=theme(),
        css=assets.text("page.css"),
        max_file_size="100mb",
        enable_monitoring=False,
        run_history=False,
        state_session_capacity=500,
        max_threads=RUNS_AT_ONCE + 32,  # for all that runs nothing
        footer_links=["api", "gradio"],
        i18n=I18N,
        ssr_mode=False,  # Node would render the page without what `Head` puts into it
        app_kwargs={"lifespan": app.tidied},
        _app=app,
        **{"prevent_thread_lock": True} | more,
    )
    if not more.get("prevent_thread_lock"):
        try:
            until_told()
        finally:
            demo.close(verbose=False)
