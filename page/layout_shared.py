"""Building blocks of the layout: pictures, charts, legends, samples, and a notice about the model."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.helpers import Examples
from gradio.i18n import I18nData

from page.components.estimate.component import FRAMES, SIZE, num_visual, tokens_of_a_frame
from page.i18n import ENGLISH, STRINGS, text, translatable
from page.layout import MediaInputs, Update
from page.state.models import Models
from page.state.samples import FOLDERS, listed, samples_for
from page.state.startup import Loaded


def about(loaded: Loaded) -> I18nData:
    """Which model runs here and what it knows, in Markdown."""
    return translatable("about", {language: told_of(loaded, texts) for language, texts in STRINGS.items()})


def told_of(loaded: Loaded, texts: dict) -> str:
    """The same in one language. texts: of that."""
    name = texts["EMBEDDED_NAME"] if loaded.is_embedded else f"`{loaded.name}`"
    adapter, (height, width) = loaded.engine.adapter, SIZE
    name_and_depth = {"name": name, "layers": loaded.engine.num_layers}
    if tokens := tokens_of_a_frame(adapter):
        model = texts["MODEL"].format(**name_and_depth, tokens=tokens)
    else:
        all_tokens = num_visual(adapter, FRAMES, height, width)
        counted = {"tokens": f"{all_tokens:,}", "frames": FRAMES, "height": height, "width": width}
        model = texts["MODEL_BY_SIZE"].format(**name_and_depth, **counted)
    problem = [f"⚠️ {texts['EMBEDDED_INSTEAD'].format(problem=loaded.problem)}"] if loaded.problem else []
    return "\n\n".join([*problem, " ".join([*([texts["EMBEDDED"]] if loaded.is_embedded else []), model])])


def picture(name: str) -> gr.Image:
    """A drawn image; PNG, since lossy formats smear thin outlines."""
    return gr.Image(
        label=text(f"PICTURES.{name}"),
        alt_text=ENGLISH["PICTURES"][name],
        show_label=False,
        interactive=False,
        format="png",
        elem_id=name,
        buttons=["fullscreen", "download"],
    )


def plot(name: str) -> gr.Plot:
    """A matplotlib chart."""
    return gr.Plot(label=text(f"PICTURES.{name}"), show_label=False, elem_id=name)


def legend(name: str) -> gr.Image:
    """A line that explains a picture, drawn when its part of the page is opened."""
    return gr.Image(
        label=text(f"LEGENDS.{name}"),
        alt_text=ENGLISH["LEGENDS"][name],
        show_label=False,
        interactive=False,
        format="png",
        buttons=[],
        container=False,
        elem_classes="legend",
    )


def samples_by_folder(media: MediaInputs, question: gr.Textbox, models: Models) -> dict[Path, list[gr.Column]]:
    """Samples on each tab: of the first model, and hidden ones of others that it may give way to; the columns of each
    folder, which `samples_shown` shows and hides."""
    first = samples_for(models.first)
    folders = FOLDERS if models.listed or models.may_any else (first,)
    columns: dict[Path, list[gr.Column]] = {folder: [] for folder in folders}
    for room, file in ((media.video_samples, media.video), (media.image_samples, media.image)):
        with room:
            for folder in folders:
                with gr.Column(visible=folder == first) as column:
                    samples(file, question, folder)
                columns[folder].append(column)
    return columns


def samples_shown(columns: dict[Path, list[gr.Column]], loaded: Loaded) -> Update:
    """Those of a model alone."""
    wanted = samples_for(loaded)
    return {column: gr.update(visible=folder == wanted) for folder, own in columns.items() for column in own}


def samples(media: gr.Video | gr.Image, question: gr.Textbox, folder: Path) -> Examples:
    """The sample files of this kind in a folder, each with its first question before any gets its second."""
    wanted = ".mp4" if isinstance(media, gr.Video) else ".png"
    asked = [sample for sample in listed(folder) if sample["file"].endswith(wanted)]
    files = [sample["file"] for sample in asked]
    order = sorted(range(len(asked)), key=lambda i: files[:i].count(files[i]))
    rows = [[str(folder / files[i]), asked[i]["question"]] for i in order]
    examples = gr.Examples(rows, [media, question], label=text("SAMPLES"), cache_examples=False, examples_per_page=3)
    examples.dataset.headers = []  # Gradio shows them untranslated
    return examples
