"""Handlers of the export panel: files and code of a stored run, a permalink, and loading a saved run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from aim_core.result import Result
from page.checks import checked_config, checked_frames, extras, guarded, refusal, shown_files
from page.components.base import Panel
from page.exports.code import python_of
from page.exports.counts_csv import counts_csv
from page.exports.opening import QUESTION, SAMPLE, opening_run
from page.exports.record import run_record, trace_record
from page.exports.replay import replay_page
from page.exports.saved_run.archive import SavedRunError
from page.exports.saved_run.file import load_run, save_run
from page.handlers import Handlers
from page.i18n import GRADIO_NAMES, language, strings
from page.layout import Controls, MediaInputs, Update
from page.permalink import LINKED, permalink_query, read_permalink, slider_values, sound_values
from page.state.model_facts import ModelFacts
from page.state.samples import sample_kind, sample_name, sample_path, samples_of
from page.state.startup import Loaded
from page.state.store import StoredRun
from page.token_text import SavedTokens

LONGEST_LINK = 20_000  # characters; a question may have 4,000
OPENED = "opening_saved", "opening"  # keys of the opening example: for another model, and for the embedded one
GIF_WIDTH = 800  # pixels; a GIF grows fast


def warn_of_link(bad: list[str]) -> None:
    """Say what a link holds that could not be used, if anything."""
    if bad:
        gr.Warning(strings().LINK_BAD.format(names=", ".join(bad)), title=strings().TITLES["link"])


class Exports:
    """The export handlers of one page; what they return is as in `Handlers`."""

    def __init__(self, handlers: Handlers, loaded: Loaded, media: MediaInputs, controls: Controls):
        self.handlers, self.media, self.controls, self.results = handlers, media, controls, handlers.results
        self.cache = self.results.answers.GRADIO_CACHE  # the folder whose files Gradio serves
        self.facts, self.adapter = ModelFacts.of(loaded), loaded.engine.adapter
        self.is_embedded = loaded.is_embedded
        self._opening_aim: Result | None = None
        self._lock = Lock()
        self.writers = {
            "figures": self._figures,
            "mp4": self._mp4,
            "gif": self._gif,
            "page": self._page,
            "saved": self._saved,
            "json": self._json,
            "csv": self._csv,
        }

    def maker(self, kind: str) -> Callable:
        """A handler that writes the files of one kind, under names of ours in a folder of their own.

        listed: the visitor's own list of files, changed in place, since two presses may be under way: the new ones,
        then earlier ones that have not expired.
        """

        @guarded
        def make(key, layer, scale, listed, progress=gr.Progress()):
            stored = self._stored(key)
            progress(0.1, strings().MAKING[kind])
            with self.handlers.taken.folder(self.cache) as folder:
                made = self.writers[kind](stored, folder, layer, scale)
                earlier = [file for file in listed if Path(file).exists()]
                listed[:] = [*_numbered(made, {Path(file).name for file in earlier}), *earlier]
            return [*listed]

        return make

    @guarded
    def ready(self, key):
        """Show the code of the last run and enable the buttons."""
        stored = self.handlers.stored(key)
        if stored is None:
            return gr.skip()
        panel = self.results.exports
        return {panel.code: self._code(stored)} | dict.fromkeys(panel.buttons.values(), gr.update(interactive=True))

    @guarded
    def load(self, file, key):
        """Show a saved run; the model does not run."""
        try:
            stored = load_run(file)
        except SavedRunError as error:
            raise refusal(str(error), "file") from error
        update = self.handlers.panels.of(stored) | {self.results.key: self.handlers.store.put(stored, key)}
        if stored.is_bare:
            return update | {self.results.exports.note: strings().LOADED_TRACE}
        values = slider_values(stored.settings, stored.num_frames, self.adapter.num_layers, self.adapter.least_l1)
        sliders = dict(zip(self.controls.sliders, values, strict=True)) | self._sound(stored)
        shown = {self.controls.question: stored.question, self.results.exports.note: strings().LOADED}
        return update | shown | sliders

    def _sound(self, stored: StoredRun) -> Update:
        """What the controls of sound show of a run, where the model hears."""
        values = sound_values(stored.settings, stored.hears)
        return dict(zip(self.controls.sound, values, strict=True)) if self.adapter.hearing else {}

    @guarded
    def link(self, video, image, shown, question, keep_ratio, l1, l2, num_frames, *rest):
        """What a link to these settings, and to the sample if the open tab holds one, has behind its "#"."""
        sound, more = extras(rest)
        files = shown_files(video, image, shown, more)
        names = samples_of(files)
        if files and not names:
            gr.Info(strings().LINK_OWN_FILE)
        hears, *audio = sound or (True,)
        config = checked_config(keep_ratio, l1, l2, 0, *audio)
        frames = checked_frames(num_frames)
        return permalink_query(str(question or "").strip(), config, frames, names, hears is not False)

    @guarded
    def copied(self, link, refused):
        """Say that a link is in the clipboard, or that the browser refused: then its text is selected on the page."""
        if refused:
            gr.Warning(strings().LINK_REFUSED, title=strings().TITLES["link"])
        else:
            gr.Info(strings().LINK_COPIED, title=strings().TITLES["link"])
        return link

    @guarded
    def restore(self, link):
        """What a link sets behind its "#": question, sliders, a sample on its tab; if nothing, the opening example."""
        given = dict(parse_qsl(str(link or "")[:LONGEST_LINK]))
        if not LINKED & given.keys():
            return self._opening()
        adapter = self.adapter
        found = read_permalink(given, adapter.num_layers, adapter.default_config(), adapter.least_l1)
        files = found.samples if {sample_kind(name) for name in found.samples} <= {*adapter.modalities} else ()
        warn_of_link([*found.bad, *(["sample"] if found.samples and not files else [])])
        components: list[Any] = [self.controls.question, *self.controls.sliders]
        pairs = [*zip(components, found.settings, strict=True)]
        if adapter.hearing:
            pairs += zip(self.controls.sound, found.sound, strict=True)
        update = {component: value for component, value in pairs if value is not None}
        return update | self._samples(*files) if files else update or gr.skip()

    def _samples(self, name: str, *more: str) -> Update:
        """A sample on its tab, or several pictures."""
        return self.media.holding(self._cached(name), sample_kind(name), [self._cached(own) for own in more])

    def _cached(self, name: str) -> str:
        """A sample's copy that Gradio serves."""
        return save_file_to_cache(sample_path(name), cache_dir=self.cache)

    def _opening(self) -> Update:
        """The opening example in all panels.

        The embedded model, which made it, goes on from it as from a run of its own; for another it is a saved run.
        """
        stored = replace(opening_run(), is_example=True)
        if self.is_embedded:
            path = self._cached(stored.path)
            aim, maker = self._pictured(stored, path), self.handlers.maker
            stored = replace(stored, path=path, aim=aim, model=None, maker=maker)
        name = OPENED[self.is_embedded]
        return self.handlers.panels.of(stored) | {self.results.key: self.handlers.store.put_example(name, stored)}

    def _pictured(self, stored: StoredRun, path: str) -> Result:
        """Its run with AIM and the pixels that the model gets, decoded for the first visitor and kept for all."""
        with self._lock:
            if self._opening_aim is None:
                runner = self.handlers.runner
                self._opening_aim = runner.pictured(stored.aim, runner.frames(path, stored.num_frames))
            return self._opening_aim

    @guarded
    def opening_inputs(self, video, image, shown, question, key):
        """Sample and question of the opening example, for a model that reads videos, if nothing has been put in yet."""
        if key not in OPENED or video or image or question or "video" not in self.adapter.modalities:
            return gr.skip()
        return {self.controls.question: QUESTION} | self._samples(SAMPLE)

    def _stored(self, key: str | None) -> StoredRun:
        stored = self.handlers.stored(key)
        if stored is None:
            sentence = strings().NOTHING_TO_EXPORT if key is None else strings().RESULT_GONE
            raise refusal(sentence, "gone")
        return stored

    def _facts(self, stored: StoredRun) -> ModelFacts:
        return self.facts if stored.model is None else stored.model

    def _code(self, stored: StoredRun) -> str:
        facts = self._facts(stored)
        return python_of(stored, facts.name) if facts else ""

    def _figures(self, stored: StoredRun, folder: Path, layer: float, scale: str) -> list[Path]:
        from page.exports.figures import (
            write_figures,  # drawing and coding are slow to import: not when the page starts
        )
        from page.figures import drawn_texts
        from visual.paper_figures import paper_figures

        dense, aim = ((run.cost.vision_flops, run.cost.language_flops) for run in (stored.dense, stored.shown))
        layer = min(max(0, int(layer)), stored.shown.trace.num_layers - 1)
        scale = scale if scale in ("rank", "log") else "rank"
        return write_figures(paper_figures(stored.shown.trace, dense, aim, layer, scale, drawn_texts()), folder)

    def _mp4(self, stored: StoredRun, folder: Path, *_) -> list[Path]:
        from page.exports.encode import write_mp4
        from page.figures import drawn_texts
        from visual.film import film

        write_mp4(film(stored.shown.trace, texts=drawn_texts()), folder / "aim_run.mp4")
        return [folder / "aim_run.mp4"]

    def _gif(self, stored: StoredRun, folder: Path, *_) -> list[Path]:
        from page.exports.encode import write_gif
        from page.figures import drawn_texts
        from visual.film import film

        write_gif(film(stored.shown.trace, GIF_WIDTH, drawn_texts()), folder / "aim_run.gif")
        return [folder / "aim_run.gif"]

    def _page(self, stored: StoredRun, folder: Path, *_) -> list[Path]:
        panels = self.handlers.panels.of(stored)
        del panels[self.results.asked]  # it is about inputs, and knows where the file lies here
        if not stored.is_bare:  # there is nobody to ask for it later
            panels[self.results.word_frames] = self.handlers.panels.word_frames(stored, with_patches=True)
        order = [panel for panel in self.results.panels if isinstance(panel, Panel)]
        shown = [(panel, panels[panel]) for panel in order if panels.get(panel) is not None]
        facts, config, texts = self._facts(stored), stored.settings, strings().REPLAY
        settings = texts["settings"].format(
            keep_ratio=config.keep_ratio,
            l1=config.l1,
            l2=config.l2,
            num_frames=stored.num_frames,
            file=", ".join(sample_name(path) or Path(path).name for path in stored.files),
            model=facts.name,
        )
        heading = {"title": texts["title"], "theme": texts["theme"], "offline": texts["offline"]}
        heading |= {"question": stored.question, "settings": settings if facts else texts["trace_only"]}
        (folder / "aim_run.html").write_text(replay_page(shown, heading, GRADIO_NAMES[language()]), encoding="utf-8")
        return [folder / "aim_run.html"]

    def _saved(self, stored: StoredRun, folder: Path, *_) -> list[Path]:
        saved_tokens = stored.saved_tokens or SavedTokens.of(stored.runs, self.handlers.tokenizer)
        save_run(stored, self._facts(stored), saved_tokens, folder / "aim_run.npz")
        return [folder / "aim_run.npz"]

    def _json(self, stored: StoredRun, folder: Path, *_) -> list[Path]:
        record = run_record(stored, self._facts(stored)) | {"trace": trace_record(stored.shown.trace)}
        (folder / "aim_trace.json").write_text(json.dumps(record, allow_nan=False), encoding="utf-8")
        return [folder / "aim_trace.json"]

    def _csv(self, stored: StoredRun, folder: Path, *_) -> list[Path]:
        facts = self._facts(stored)
        if not facts:
            raise refusal(strings().NO_COUNTS, "gone")
        (folder / "aim_counts.csv").write_text(counts_csv(stored, facts), encoding="utf-8")
        return [folder / "aim_counts.csv"]


def _numbered(files: list[Path], taken: set[str]) -> list[str]:
    """The files, renamed to "aim_run_2.mp4" and so on where their name is taken."""
    named = []
    for file in files:
        names = (file.name, *(f"{file.stem}_{number}{file.suffix}" for number in range(2, len(taken) + 3)))
        named.append(str(file.rename(file.with_name(next(name for name in names if name not in taken)))))
    return named
