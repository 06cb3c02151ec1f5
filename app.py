"""AIM Explorer: the page. Components and how they are connected; everything else lives in its own place."""

from __future__ import annotations

import logging
import os
from types import SimpleNamespace

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

import gradio as gr

from aim_core.config import AimConfig
from page import parts, words
from page.checks import MAX_FRAMES
from page.handlers import Handlers
from page.settings import Loaded, arguments, load
from page.upload import ImageFile
from visual.legend import alive_legend, groups_legend, scores_legend

L2_FOLLOWS_L1 = "(l1, l2) => [l1, Math.max(l1 + 1, l2)]"
L1_FOLLOWS_L2 = "(l1, l2) => [Math.min(l1, l2 - 1), l2]"


def build_demo(loaded: Loaded) -> gr.Blocks:
    """The page for one loaded model."""
    depth = loaded.engine.num_layers
    with gr.Blocks(title="AIM Explorer", delete_cache=(3600, 3600)) as demo:
        gr.Markdown(words.INTRO)
        gr.Markdown(parts.about(loaded), elem_id="notice")
        with gr.Row():
            with gr.Column(scale=5):
                media = _media()
            with gr.Column(scale=4):
                controls = _controls(AimConfig.for_depth(depth), depth)
        with media.video_samples:
            parts.samples(media.video, controls.question)
        with media.image_samples:
            parts.samples(media.image, controls.question)
        story = _story(AimConfig.for_depth(depth), depth)
        _connect(Handlers(loaded), media, controls, story)
    return demo.queue(max_size=32)


def _media() -> SimpleNamespace:
    """A video or an image, each with room for samples; `shown` names the open tab."""
    with gr.Tabs():
        with gr.Tab("Video") as video_tab:
            video = gr.Video(label="Video", sources=["upload"], height=300, elem_id="video")
            video_samples = gr.Column(elem_id="video_samples")
        with gr.Tab("Image") as image_tab:
            image = ImageFile(label="Image", sources=["upload"], height=300, elem_id="image")
            image_samples = gr.Column(elem_id="image_samples")
    shown = gr.State("video")
    video_tab.select(lambda: "video", None, shown, api_visibility="private")
    image_tab.select(lambda: "image", None, shown, api_visibility="private")
    return SimpleNamespace(
        video=video, image=image, shown=shown, video_samples=video_samples, image_samples=image_samples
    )


def _controls(default: AimConfig, depth: int) -> SimpleNamespace:
    """Question, sliders and the Run button; l2 stays above l1 without asking the server."""
    question = gr.Textbox(
        label="Question", placeholder="What color is the star?", lines=2, max_lines=4, elem_id="question"
    )
    keep_ratio = gr.Slider(
        0.02, 1, default.keep_ratio, step=0.01, label="Keep ratio", elem_id="keep_ratio",
        info="share of visual tokens left after merging; 1 merges nothing",
    )  # fmt: skip
    l1 = gr.Slider(0, depth, default.l1, step=1, label="l1", info="every token stays up to this layer", elem_id="l1")
    l2 = gr.Slider(1, depth + 1, default.l2, step=1, label="l2", info="no visual token from here on", elem_id="l2")
    num_frames = gr.Slider(
        1, MAX_FRAMES, 8, step=1, label="Frames", info="sampled evenly from a video", elem_id="frames"
    )
    run = gr.Button("Run", variant="primary", size="lg", elem_id="run")
    l1.input(None, [l1, l2], [l1, l2], js=L2_FOLLOWS_L1, api_visibility="private")
    l2.input(None, [l1, l2], [l1, l2], js=L1_FOLLOWS_L2, api_visibility="private")
    return SimpleNamespace(question=question, run=run, sliders=[keep_ratio, l1, l2, num_frames])


def _story(default: AimConfig, depth: int) -> SimpleNamespace:
    """The results, in the order in which the method works."""
    gr.Markdown(words.ANSWERS)
    with gr.Row():
        dense = gr.Textbox(label="Dense", interactive=False, lines=2, elem_id="dense_answer")
        aim = gr.Textbox(label="AIM", interactive=False, lines=2, elem_id="aim_answer")
    numbers = gr.Markdown("*Press Run to see tokens, FLOPs and times side by side.*", elem_id="numbers")

    gr.Markdown(words.MERGE)
    parts.legend(groups_legend(), "Legend: one tinted, outlined area is one merged token")
    groups, groups_note = parts.picture("Merged groups", "groups"), gr.Markdown()
    with gr.Accordion("Why merge?", open=False):
        gr.Markdown(words.WHY_MERGE)

    gr.Markdown(words.PRUNE)
    with gr.Row():
        first_cut = min(default.l1 + 1, depth - 1)
        layer = gr.Slider(0, depth - 1, first_cut, step=1, label="Layer", elem_id="layer", scale=3)
        scale = gr.Radio([("by rank", "rank"), ("log score", "log")], value="rank", label="PageRank scale", scale=1)
    gr.Markdown(words.ALIVE)
    parts.legend(alive_legend(), "Legend: outlined is alive, dim is pruned")
    alive, alive_note = parts.picture("Visual tokens alive at this layer", "alive"), gr.Markdown(elem_id="alive_note")
    gr.Markdown(words.SCORES)
    parts.legend(scores_legend(), "Legend: from low to high importance")
    scores, scores_note = parts.picture("PageRank scores at this layer", "scores"), gr.Markdown(elem_id="scores_note")
    with gr.Row():
        retained = parts.plot("Visual tokens per layer, planned and actual", "retained")
        ranked = parts.plot("PageRank scores, ranked", "ranked")
    with gr.Accordion("Why prune by PageRank?", open=False):
        gr.Markdown(words.WHY_PRUNE)

    gr.Markdown(words.COST)
    cost = parts.plot("FLOPs of vision encoder and language model", "cost")
    with gr.Accordion("All numbers, for programs", open=False):
        data = gr.JSON(label="Summary")

    layer_panels = [alive, alive_note, scores, scores_note, retained, ranked]
    panels = [dense, aim, numbers, groups, groups_note, *layer_panels, cost, data]
    return SimpleNamespace(panels=panels, layer_panels=layer_panels, layer=layer, scale=scale, answers=[dense, aim])


def _connect(handlers: Handlers, media: SimpleNamespace, controls: SimpleNamespace, story: SimpleNamespace) -> None:
    """Events that reach the server."""
    key = gr.State(None)  # where this page's last result is kept
    settings = [media.video, media.image, media.shown, controls.question, *controls.sliders]
    gr.on(
        [controls.run.click, controls.question.submit], handlers.answer,
        [*settings, story.layer, story.scale, key], [*story.panels, key], api_name="run",
        concurrency_id="model", concurrency_limit=1, show_progress_on=story.answers,
    )  # fmt: skip
    gr.on(
        [story.layer.input, story.scale.input], handlers.redraw, [key, story.layer, story.scale], story.layer_panels,
        trigger_mode="always_last", show_progress="hidden", api_visibility="private", concurrency_limit=4,
    )  # fmt: skip


def main() -> None:
    """Read arguments, load a model, serve the page."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    options = arguments()
    demo = build_demo(load(options.model))
    demo.launch(
        server_name=options.host,
        server_port=options.port,
        theme=gr.themes.Soft(font=["system-ui", "sans-serif"]),  # no font from elsewhere
        css=parts.CSS,
        max_file_size="100mb",
        enable_monitoring=False,
        run_history=False,
        state_session_capacity=50,
        footer_links=["api", "gradio"],
    )


if __name__ == "__main__":
    main()
