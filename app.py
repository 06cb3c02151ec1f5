"""AIM Explorer: the page. Components and how they are connected; everything else lives in its own place."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

import gradio as gr

from aim_core.config import AimConfig
from page import words
from page.checks import MAX_FRAMES, checked_config, checked_frames, checked_media, checked_question, guarded
from page.numbers import comparison, summary
from page.runs import Runner
from page.settings import Loaded, arguments, load
from page.store import ResultStore
from page.upload import ImageFile
from visual.legend import alive_legend, groups_legend, scores_legend
from visual.plots import cost_figure, ranked_figure, retained_figure
from visual.texts import alive_text, groups_text, scores_text
from visual.views import alive_view, groups_view, scores_view

SAMPLES = Path(__file__).parent / "assets" / "samples"
CSS = """
.gradio-container {max-width: 1240px !important; margin: 0 auto;}
.legend, .legend * {border: none !important; background: none !important; box-shadow: none !important;}
.legend img {height: 40px !important; width: auto !important; max-width: 100%; object-fit: contain; border-radius: 6px;}
.notice {border-left: 4px solid var(--color-accent) !important; padding: 4px 16px;}
#cost {max-width: 760px;}
#numbers table {width: 100%;}
"""
ORDER_LAYERS = "(first, second) => [first, Math.max(first + 1, second)]"
ORDER_LAYERS_BACK = "(first, second) => [Math.min(first, second - 1), second]"


def build_demo(loaded: Loaded) -> gr.Blocks:
    """The page for one loaded model."""
    runner, store = Runner(loaded.engine), ResultStore()
    depth = loaded.engine.num_layers
    default = AimConfig.for_depth(depth)

    @guarded
    def answer(
        video, image, shown, question, keep_ratio, l1, l2, num_frames, layer, scale, key, progress=gr.Progress()
    ):
        """Answer a question about a video or an image, dense and with AIM."""
        question, config = checked_question(question), checked_config(keep_ratio, l1, l2)
        path = checked_media(*((image, video) if shown == "image" else (video, image)))
        dense, aim = runner.compare(path, question, config, checked_frames(num_frames), progress)
        if unknown := loaded.engine.adapter.num_unknown(question):
            gr.Warning(words.UNKNOWN.format(count=unknown), title="New words")
        trace = aim.trace
        flops = [(r.cost.vision_flops, r.cost.language_flops) for r in (dense, aim)]
        return (
            dense.answer or words.SILENT, aim.answer or words.SILENT, comparison(dense, aim, runner.timed_prefills),
            groups_view(trace), groups_text(trace), *layer_views(trace, layer, scale),
            cost_figure(*flops, title="Compute of one prefill, counted"), summary(dense, aim), store.put(aim, key),
        )  # fmt: skip

    @guarded
    def redraw(key, layer, scale):
        """The layer panels again, from the saved trace; the model does not run."""
        if key is None:
            return [gr.skip()] * 6
        result = store.get(key)
        if result is None:
            raise gr.Error("This result has made room for newer ones. Press Run again.", title="Run again")
        return layer_views(result.trace, layer, scale)

    with gr.Blocks(title="AIM Explorer", delete_cache=(3600, 3600)) as demo:
        key, shown = gr.State(None), gr.State("video")
        gr.Markdown(words.INTRO)
        gr.Markdown(_about(loaded), elem_classes="notice")
        with gr.Row():
            with gr.Column(scale=5), gr.Tabs():
                with gr.Tab("Video", id="video") as video_tab:
                    video = gr.Video(label="Video", sources=["upload"], height=300, elem_id="video")
                    video_samples = gr.Column(elem_id="video_samples")
                with gr.Tab("Image", id="image") as image_tab:
                    image = ImageFile(label="Image", sources=["upload"], height=300, elem_id="image")
                    image_samples = gr.Column(elem_id="image_samples")
            with gr.Column(scale=4):
                question = gr.Textbox(
                    label="Question", placeholder="What color is the star?", lines=2, max_lines=4, elem_id="question"
                )
                keep_ratio = gr.Slider(
                    0.02, 1, default.keep_ratio, step=0.01, label="Keep ratio", elem_id="keep_ratio",
                    info="share of visual tokens left after merging; 1 merges nothing",
                )  # fmt: skip
                l1 = gr.Slider(
                    0, depth, default.l1, step=1, label="l1", info="every token stays up to this layer", elem_id="l1"
                )
                l2 = gr.Slider(
                    1,
                    depth + 1,
                    default.l2,
                    step=1,
                    label="l2",
                    info="no visual token from this layer on",
                    elem_id="l2",
                )
                num_frames = gr.Slider(
                    1, MAX_FRAMES, 8, step=1, label="Frames", info="sampled evenly from a video", elem_id="frames"
                )
                run = gr.Button("Run", variant="primary", size="lg", elem_id="run")
        for column, media in ((video_samples, video), (image_samples, image)):
            with column:
                _samples(media, question)

        gr.Markdown(words.ANSWERS)
        with gr.Row():
            dense_answer = gr.Textbox(label="Dense", interactive=False, lines=2, elem_id="dense_answer")
            aim_answer = gr.Textbox(label="AIM", interactive=False, lines=2, elem_id="aim_answer")
        numbers = gr.Markdown("*Press Run to see tokens, FLOPs and times side by side.*", elem_id="numbers")

        gr.Markdown(words.MERGE)
        _legend(groups_legend(), "Legend: one tint is one merged token")
        groups = _picture("Merged groups", "groups")
        groups_note = gr.Markdown()
        with gr.Accordion("Why merge?", open=False):
            gr.Markdown(words.WHY_MERGE)

        gr.Markdown(words.PRUNE)
        with gr.Row():
            layer = gr.Slider(
                0, depth - 1, min(default.l1 + 1, depth - 1), step=1, label="Layer", elem_id="layer", scale=3
            )
            scale = gr.Radio([("by rank", "rank"), ("log score", "log")], value="rank", label="PageRank scale", scale=1)
        gr.Markdown(words.ALIVE)
        _legend(alive_legend(), "Legend: outlined is alive, dim is pruned")
        alive = _picture("Visual tokens alive at this layer", "alive")
        alive_note = gr.Markdown(elem_id="alive_note")
        gr.Markdown(words.SCORES)
        _legend(scores_legend(), "Legend: from low to high importance")
        scores = _picture("PageRank scores at this layer", "scores")
        scores_note = gr.Markdown(elem_id="scores_note")
        with gr.Row():
            retained = _plot("Visual tokens per layer, planned and actual", "retained")
            ranked = _plot("PageRank scores, ranked", "ranked")
        with gr.Accordion("Why prune by PageRank?", open=False):
            gr.Markdown(words.WHY_PRUNE)

        gr.Markdown(words.COST)
        cost = _plot("FLOPs of vision encoder and language model", "cost")
        with gr.Accordion("All numbers, for programs", open=False):
            data = gr.JSON(label="Summary")

        layer_panels = [alive, alive_note, retained, scores, scores_note, ranked]
        gr.on(
            [run.click, question.submit],
            answer,
            [video, image, shown, question, keep_ratio, l1, l2, num_frames, layer, scale, key],
            [dense_answer, aim_answer, numbers, groups, groups_note, *layer_panels, cost, data, key],
            api_name="run",
            concurrency_id="model",
            concurrency_limit=1,
            show_progress_on=[dense_answer, aim_answer],
        )
        for change in (layer.input, scale.input):
            change(
                redraw, [key, layer, scale], layer_panels, trigger_mode="always_last", show_progress="hidden",
                api_visibility="private", concurrency_limit=4,
            )  # fmt: skip
        l1.input(None, [l1, l2], [l1, l2], js=ORDER_LAYERS, api_visibility="private")
        l2.input(None, [l1, l2], [l1, l2], js=ORDER_LAYERS_BACK, api_visibility="private")
        video_tab.select(lambda: "video", None, shown, api_visibility="private")
        image_tab.select(lambda: "image", None, shown, api_visibility="private")
    return demo.queue(max_size=32)


def layer_views(trace, layer: int, scale: str) -> tuple:
    """Everything that follows the layer slider, drawn from a trace."""
    layer = min(max(0, int(layer)), trace.num_layers - 1)
    scale = scale if scale in ("rank", "log") else "rank"
    heat = scores_view(trace, layer, scale)[0] if trace.scored_layers else None
    ranked = ranked_figure(trace, layer) if trace.scored_layers else None
    return (
        alive_view(trace, layer), alive_text(trace, layer), retained_figure(trace, layer),
        heat, scores_text(trace, layer), ranked,
    )  # fmt: skip


def _about(loaded: Loaded) -> str:
    """Which model runs here and what it knows."""
    rows, columns = loaded.engine.adapter.grid
    name = "the embedded model" if loaded.is_embedded else f"`{loaded.name}`"
    model = words.OTHER.format(name=name, layers=loaded.engine.num_layers, rows=rows, columns=columns)
    parts = [f"⚠️ {loaded.problem}"] if loaded.problem else []
    return "\n\n".join([*parts, words.EMBEDDED, model] if loaded.is_embedded else [*parts, model])


def _picture(label: str, elem_id: str) -> gr.Image:
    return gr.Image(
        label=label, alt_text=label, show_label=False, interactive=False, format="png", elem_id=elem_id,
        buttons=["fullscreen", "download"],
    )  # fmt: skip


def _plot(label: str, elem_id: str) -> gr.Plot:
    return gr.Plot(label=label, show_label=False, elem_id=elem_id)


def _legend(image, label: str) -> None:
    gr.Image(
        image, label=label, alt_text=label, show_label=False, interactive=False, format="png", buttons=[],
        container=False, elem_classes="legend",
    )  # fmt: skip


def _samples(media: gr.Video | gr.Image, question: gr.Textbox) -> None:
    """The sample files of this kind, each file with its first question before any gets its second."""
    listed = json.loads((SAMPLES / "samples.json").read_text())
    wanted = ".mp4" if isinstance(media, gr.Video) else ".png"
    of_kind = [sample for sample in listed if sample["file"].endswith(wanted)]
    turn = [[other["file"] for other in of_kind[:i]].count(sample["file"]) for i, sample in enumerate(of_kind)]
    order = sorted(range(len(of_kind)), key=lambda i: turn[i])
    rows = [[str(SAMPLES / of_kind[i]["file"]), of_kind[i]["question"]] for i in order]
    label = "Samples: click one, then Run"
    gr.Examples(rows, [media, question], label=label, cache_examples=False, examples_per_page=4)


def main() -> None:
    """Read arguments, load a model, serve the page."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    options = arguments()
    demo = build_demo(load(options.model))
    demo.launch(
        server_name=options.host,
        server_port=options.port,
        theme=gr.themes.Soft(),
        css=CSS,
        max_file_size="100mb",
        enable_monitoring=False,
        run_history=False,
        state_session_capacity=50,
        footer_links=["api", "gradio"],
    )


if __name__ == "__main__":
    main()
