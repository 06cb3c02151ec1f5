"""Inputs: a video or an image, a question, and the sliders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from aim_core.adapters.base import Adapter
from aim_core.config import AimConfig
from page import scripts
from page.checks import MAX_FRAMES
from page.components.estimate.component import (
    FRAMES,
    SIZE,
    EstimatePanel,
    counted_for,
    frames_and_prompts,
    model_sizes,
)
from page.components.image_file import ImageFile
from page.components.pictures.component import PicturesPanel
from page.i18n import text
from page.layout import Controls, MediaInputs, Update
from page.permalink import LEAST_RATIO
from page.state.runner import is_small
from page.state.startup import Loaded

L2_FOLLOWS_L1 = "(l1, l2) => [l1, Math.max(l1 + 1, l2)]"
STOP_IS = "() => ({{__type__: 'update', interactive: {}}})"
L1_FOLLOWS_L2 = "(l1, l2) => [Math.min(l1, l2 - 1), l2]"


def media(adapter: Adapter) -> MediaInputs:
    """A video or an image, each with room for samples. What a family cannot read is not shown."""
    first = "video" if "video" in adapter.modalities else "image"
    with gr.Tabs(selected=first) as tabs:
        with gr.Tab(text("VIDEO"), id="video", visible=first == "video") as video_tab:
            video = gr.Video(label=text("VIDEO"), sources=["upload"], height=130, elem_id="video")
            video_samples = gr.Column(elem_id="video_samples")
        with gr.Tab(text("IMAGE"), id="image") as image_tab:
            image = ImageFile(label=text("IMAGE"), sources=["upload"], height=130, elem_id="image")
            image_samples = gr.Column(elem_id="image_samples")
    more = PicturesPanel(elem_id="pictures")  # no part of its tab, which is made late: then it would lack its texts
    more.follow(image)
    gr.on(fn=None, js=scripts.call("components/uploads.js", "takeEveryKind"), api_visibility="private")
    shown = gr.State(first)
    video_tab.select(lambda: "video", None, shown, api_visibility="private")
    image_tab.select(lambda: "image", None, shown, api_visibility="private")
    return MediaInputs(
        video=video,
        image=image,
        more=more,
        shown=shown,
        tabs=tabs,
        video_tab=video_tab,
        video_samples=video_samples,
        image_samples=image_samples,
        opened={"video": video_tab.select, "image": image_tab.select},
    )


def question_box() -> gr.Textbox:
    """Of one line, so that Enter asks."""
    return gr.Textbox(
        label=text("QUESTION"), placeholder=text("EXAMPLE_QUESTION"), lines=1, max_lines=4, elem_id="question"
    )


def frames_slider(has_frames: bool, **look: Any) -> gr.Slider:
    """How many frames are sampled; of a model that reads pictures only it is 1, and not shown."""
    return gr.Slider(
        1,
        MAX_FRAMES,
        FRAMES if has_frames else 1,
        step=1,
        label=text("FRAMES"),
        info=text("FRAMES_INFO"),
        elem_id="frames",
        visible=has_frames,
        **look,
    )


def controls(
    loaded: Loaded, default: AimConfig, media: MediaInputs, adapter_now: Callable[[], Adapter] | None = None
) -> Controls:
    """Question, Run and Stop, sliders and what they will cost; l2 stays above l1 without asking the server.

    adapter_now: of the model that answers when it is called, where that may change.
    """
    depth, adapter = loaded.engine.num_layers, loaded.engine.adapter
    least, has_frames = adapter.least_l1, "video" in adapter.modalities
    question = question_box()
    with gr.Row():
        run = gr.Button(text("RUN"), variant="primary", size="lg", elem_id="run", scale=4, min_width=160)
        stop = gr.Button(text("STOP"), size="lg", elem_id="stop", interactive=False, scale=1, min_width=80)
    look: dict[str, Any] = {"min_width": 150}
    with gr.Group(elem_id="settings"):
        with gr.Row():
            keep_ratio = gr.Slider(
                LEAST_RATIO,
                1,
                default.keep_ratio,
                step=0.01,
                label=text("KEEP_RATIO"),
                elem_id="keep_ratio",
                info=text("KEEP_RATIO_INFO"),
                **look,
            )
            num_frames = frames_slider(has_frames, **look)
        with gr.Row():
            l1 = gr.Slider(least, depth, default.l1, step=1, label="l1", info=text("L1_INFO"), elem_id="l1", **look)
            l2 = gr.Slider(
                least + 1, depth + 1, default.l2, step=1, label="l2", info=text("L2_INFO"), elem_id="l2", **look
            )
        sound_box, hears, audio_keep_ratio, audio_floor = sound_controls(adapter.hearing is not None, look)
    sliders, sound = [keep_ratio, l1, l2, num_frames], (hears, audio_keep_ratio, audio_floor)
    small = is_small(loaded.engine)
    details = gr.Checkbox(
        small, label=text("DETAILS"), info=text("DETAILS_INFO"), visible=not small, elem_id="details", container=False
    )
    settings = usual_settings(loaded) | frames_and_prompts(adapter, *SIZE)
    estimate = EstimatePanel(value=settings, elem_id="estimate")
    estimate.follow(adapter_now or (lambda: adapter), media, [*sliders, *sound])
    l1.input(None, [l1, l2], [l1, l2], js=L2_FOLLOWS_L1, api_visibility="private")
    l2.input(None, [l1, l2], [l1, l2], js=L1_FOLLOWS_L2, api_visibility="private")
    return Controls(question, keep_ratio, l1, l2, num_frames, sound_box, *sound, details, estimate, run, stop)


def sound_controls(has_sound: bool, look: dict[str, Any]) -> tuple[gr.Column, gr.Checkbox, gr.Slider, gr.Slider]:
    """Whether the sound of a video is heard, and what becomes of audio tokens; of a model that hears."""
    with gr.Column(visible=has_sound, elem_id="sound") as box:
        hears = gr.Checkbox(True, label=text("HEARS"), info=text("HEARS_INFO"), elem_id="hears")
        with gr.Row():
            keep, floor = (
                gr.Slider(
                    least, 1, 1, step=0.01, label=text(name), info=text(f"{name}_INFO"), elem_id=name.lower(), **look
                )
                for name, least in (("AUDIO_KEEP_RATIO", LEAST_RATIO), ("AUDIO_FLOOR", 0))
            )
    return box, hears, keep, floor


def usual_settings(loaded: Loaded) -> dict[str, Any]:
    """What the estimate of a model begins with, but for the size of frames."""
    default, kind = loaded.engine.adapter.default_config(), loaded.engine.adapter.modalities[-1]
    usual: dict[str, Any] = {"keep_ratio": default.keep_ratio, "l1": default.l1, "l2": default.l2}
    usual |= {"hears": True, "audio_keep_ratio": 1.0, "audio_floor": 1.0, "sound": None, "pictures": 1}
    return usual | {"frames": FRAMES if kind == "video" else 1, "kind": kind, "model": model_sizes(loaded.engine)}


def fitted(loaded: Loaded, media: MediaInputs, controls: Controls, shown: Any = None, film: object = None) -> Update:
    """The inputs as they are for another model than the page was made for. shown: the estimate's value so far, which
    knows the size of the files; film: the video on its tab."""
    adapter, depth = loaded.engine.adapter, loaded.engine.num_layers
    default, least, has_frames = adapter.default_config(), adapter.least_l1, "video" in adapter.modalities
    settings, small = usual_settings(loaded), is_small(loaded.engine)
    so_far = (shown if isinstance(shown, dict) else {}) | ({} if has_frames else {"open": "image"})
    return {
        controls.keep_ratio: gr.update(value=default.keep_ratio),
        controls.l1: gr.update(minimum=least, maximum=depth, value=default.l1),
        controls.l2: gr.update(minimum=least + 1, maximum=depth + 1, value=default.l2),
        controls.num_frames: gr.update(value=settings["frames"], visible=has_frames),
        controls.sound_box: gr.update(visible=adapter.hearing is not None),
        controls.hears: gr.update(value=True),
        controls.audio_keep_ratio: gr.update(value=1.0),
        controls.audio_floor: gr.update(value=1.0),
        controls.details: gr.update(value=small, visible=not small),
        controls.estimate: counted_for(adapter, so_far | settings, film),
        media.video_tab: gr.update(visible=has_frames),
    } | ({} if has_frames else {media.shown: "image", media.tabs: gr.Tabs(selected="image")})


def arm_stop(stop: gr.Button, asked: list) -> None:
    """Let Stop be pressed from the moment a run is asked for by one of these events."""
    on: dict[str, Any] = {"fn": None, "inputs": None, "outputs": stop, "js": STOP_IS.format("true")}
    for event in asked:
        event(**on, api_visibility="private")


def disarm_stop(stop: gr.Button, runs: list, last: list) -> None:
    """Stop ends runs; after one of the `last`, or one that failed, or Stop itself, there is nothing to stop."""
    off: dict[str, Any] = {"fn": None, "inputs": None, "outputs": stop, "js": STOP_IS.format("false")}
    for run in last:
        run.success(**off, api_visibility="private")
    for run in runs:
        run.failure(**off, api_visibility="private")
    stop.click(**off, cancels=runs, api_visibility="private")
