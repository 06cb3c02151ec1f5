"""What the export panel's events do: files of a kept run, its code, a link, and a saved run back on the page."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from page.checks import MAX_FRAMES, checked_config, checked_frames, guarded
from page.exports.code import python_of
from page.exports.counts_csv import counts_csv
from page.exports.panel import KINDS
from page.exports.record import run_record, trace_record
from page.exports.replay import replay_page
from page.exports.saved_run.archive import SavedRunError
from page.exports.saved_run.file import load_run, save_run
from page.handlers import Handlers
from page.i18n import GRADIO_NAMES, language, strings
from page.permalink import LEAST_RATIO, linked, query_of, within_reach
from page.state.model_facts import ModelFacts
from page.state.samples import sample_name, sample_path
from page.state.startup import Loaded
from page.state.store import Kept
from page.token_text import SavedTokens

GIF_WIDTH = 800  # pixels; a GIF grows fast
NUM_SETTINGS = 5  # question and sliders


class Exports:
    """The events of one page's exports. panels: the components that a run fills, in the order of `Handlers.panels`."""

    def __init__(self, handlers: Handlers, loaded: Loaded, panels: Sequence[gr.components.Component]):
        self.handlers, self.panels = handlers, panels
        self.facts, self.adapter = ModelFacts.of(loaded), loaded.engine.adapter
        self.writers = {"figures": self._figures, "mp4": self._mp4, "gif": self._gif, "page": self._page,
                        "saved": self._saved, "json": self._json, "csv": self._csv}  # fmt: skip

    def maker(self, kind: str) -> Callable:
        """The event that writes the files of one kind; they get names of ours in a folder of their own."""

        @guarded
        def make(key, layer, scale, progress=gr.Progress()):
            kept = self._kept(key)
            progress(0.1, strings().MAKING[kind])
            folder = Path(self.panels[0].GRADIO_CACHE) / uuid.uuid4().hex
            folder.mkdir(parents=True)
            return [str(path) for path in self.writers[kind](kept, folder, layer, scale)]

        return make

    @guarded
    def ready(self, key):
        """The code of the run that was just kept, and buttons that can be pressed."""
        kept = self.handlers.store.get(key)
        if kept is None:
            return gr.skip()
        return self._code(kept), *[gr.update(interactive=True)] * len(KINDS)

    @guarded
    def load(self, file, key):
        """A saved run back on the page, without the model: panels, key, question, sliders and a note."""
        try:
            kept = load_run(file)
        except SavedRunError as error:
            raise gr.Error(str(error), title=strings().TITLES["file"]) from error
        key = self.handlers.store.put(kept, key)
        if kept.is_bare:
            return *self.handlers.panels(kept), key, *[gr.skip()] * NUM_SETTINGS, strings().LOADED_TRACE
        config = kept.settings
        layers = within_reach(config.l1, config.l2, self.adapter.num_layers, self.adapter.least_l1)
        settings = kept.question, max(LEAST_RATIO, config.keep_ratio), *layers, min(kept.num_frames, MAX_FRAMES)
        return *self.handlers.panels(kept), key, *settings, strings().LOADED

    @guarded
    def link(self, video, image, shown, question, keep_ratio, l1, l2, num_frames):
        """The query of a link to these settings, and to the sample if the open tab holds one."""
        path = (image or video) if shown == "image" else (video or image)
        sample = sample_name(path)
        if path and not sample:
            gr.Info(strings().LINK_OWN_FILE)
        config, frames = checked_config(keep_ratio, l1, l2), checked_frames(num_frames)
        return query_of(str(question or "").strip(), config, frames, sample)

    @guarded
    def restore(self, request: gr.Request):
        """What the page's address sets: question, sliders, then video, image, and the name of the tab to open."""
        adapter = self.adapter
        found = linked(dict(request.query_params), adapter.num_layers, adapter.default_config(), adapter.least_l1)
        if found.bad:
            gr.Warning(strings().LINK_BAD.format(names=", ".join(found.bad)), title=strings().TITLES["link"])
        values = [gr.skip() if value is None else value for value in found.settings]
        if found.sample is None:
            return *values, *[gr.skip()] * 4
        file = save_file_to_cache(sample_path(found.sample), cache_dir=self.panels[0].GRADIO_CACHE)
        is_image = found.sample.endswith(".png")
        tab = "image" if is_image else "video"
        return *values, *((None, file) if is_image else (file, None)), gr.Tabs(selected=tab), tab

    def _kept(self, key: str | None) -> Kept:
        kept = self.handlers.store.get(key)
        if kept is None:
            sentence = strings().NOTHING_TO_EXPORT if key is None else strings().RESULT_GONE
            raise gr.Error(sentence, title=strings().TITLES["gone"])
        return kept

    def _facts(self, kept: Kept) -> ModelFacts:
        return self.facts if kept.model is None else kept.model

    def _code(self, kept: Kept) -> str:
        facts = self._facts(kept)
        return python_of(kept, facts.name) if facts else ""

    def _figures(self, kept: Kept, folder: Path, layer: float, scale: str) -> list[Path]:
        from page.exports.figures import (
            write_figures,  # drawing and coding are slow to import: not when the page starts
        )
        from visual.paper_figures import print_figures

        dense, aim = ((run.cost.vision_flops, run.cost.language_flops) for run in (kept.dense, kept.shown))
        layer = min(max(0, int(layer)), kept.shown.trace.num_layers - 1)
        scale = scale if scale in ("rank", "log") else "rank"
        return write_figures(print_figures(kept.shown.trace, dense, aim, layer, scale), folder)

    def _mp4(self, kept: Kept, folder: Path, *_) -> list[Path]:
        from page.exports.encode import write_mp4
        from visual.film import film

        write_mp4(film(kept.shown.trace), folder / "aim_run.mp4")
        return [folder / "aim_run.mp4"]

    def _gif(self, kept: Kept, folder: Path, *_) -> list[Path]:
        from page.exports.encode import write_gif
        from visual.film import film

        write_gif(film(kept.shown.trace, GIF_WIDTH), folder / "aim_run.gif")
        return [folder / "aim_run.gif"]

    def _page(self, kept: Kept, folder: Path, *_) -> list[Path]:
        pairs = zip(self.panels, self.handlers.panels(kept), strict=True)
        shown = [(panel, value) for panel, value in pairs if isinstance(panel, gr.HTML) and value is not None]
        facts, config, texts = self._facts(kept), kept.settings, strings().REPLAY
        settings = texts["settings"].format(
            keep_ratio=config.keep_ratio, l1=config.l1, l2=config.l2, num_frames=kept.num_frames,
            file=sample_name(kept.path) or Path(kept.path).name, model=facts.name,
        )  # fmt: skip
        heading = {"title": texts["title"], "theme": texts["theme"], "offline": texts["offline"]}
        heading |= {"question": kept.question, "settings": settings if facts else texts["trace_only"]}
        (folder / "aim_run.html").write_text(replay_page(shown, heading, GRADIO_NAMES[language()]), encoding="utf-8")
        return [folder / "aim_run.html"]

    def _saved(self, kept: Kept, folder: Path, *_) -> list[Path]:
        spelling = kept.spelling or SavedTokens.of(kept.runs, self.handlers.tokenizer)
        save_run(kept, self._facts(kept), spelling, folder / "aim_run.npz")
        return [folder / "aim_run.npz"]

    def _json(self, kept: Kept, folder: Path, *_) -> list[Path]:
        record = run_record(kept, self._facts(kept)) | {"trace": trace_record(kept.shown.trace)}
        (folder / "aim_trace.json").write_text(json.dumps(record, allow_nan=False), encoding="utf-8")
        return [folder / "aim_trace.json"]

    def _csv(self, kept: Kept, folder: Path, *_) -> list[Path]:
        facts = self._facts(kept)
        if not facts:
            raise gr.Error(strings().NO_COUNTS, title=strings().TITLES["gone"])
        (folder / "aim_counts.csv").write_text(counts_csv(kept, facts), encoding="utf-8")
        return [folder / "aim_counts.csv"]
