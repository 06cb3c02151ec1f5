"""Estimate panel: tokens, FLOPs and KV cache that the settings will cost, computed in the browser before any run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import gradio as gr
import numpy as np

from aim_core.adapters.base import Adapter
from aim_core.engine import Engine
from aim_core.errors import Stopped
from aim_core.media.errors import MediaError
from aim_core.media.frames import SOUND_RATE
from aim_core.media.resize import fitted_size
from aim_core.ops.flops import FORMULA
from aim_core.shown import frames_of
from aim_core.turns import Asker
from page import scripts
from page.checks import MAX_FRAMES, MAX_PICTURES, MAX_SIDE
from page.components.base import Panel
from page.i18n import ENGLISH
from page.layout import MediaInputs
from page.state.runner import is_small
from visual.palette import browser_palette

# Slider values into the panel's own, in the order of `EstimatePanel.follow`.
FOLLOW = (
    "(shown, keep_ratio, l1, l2, frames, hears, audio_keep_ratio, audio_floor) => "
    "({...shown, keep_ratio, l1, l2, frames, hears, audio_keep_ratio, audio_floor})"
)
OPEN = "(shown) => ({{...shown, open: '{tab}'}})"
SIZE = 432, 768  # (height, width) of frames as long as nothing is known
SQUARE = 768, 768  # another size, to see whether it matters
FRAMES = 8  # of a video, as long as no other number is chosen
PATIENCE_S = 10.0  # with a file whose sound is looked at
MOST = 768  # pixels of the longer side that `load_frames` leaves


class EstimatePanel(Panel):
    """Tokens per layer, FLOPs, KV cache and share of dense for settings that have not been run.

    value: {"keep_ratio", "l1", "l2", "frames", "hears", "audio_keep_ratio", "audio_floor"}; "model", see `model_sizes`;
    "size" and "prompts" of the frames, see `prompts`; "sound" of the video, see `sound_prompt`, or null; "open", the
    tab that is open, and "sizes", [height, width] of what lies on each tab, or null, and under "more" of further
    pictures. "pictures": how many are counted.
    """

    def __init__(self, **kwargs):
        super().__init__("estimate", "ESTIMATE", fixed={"palette": browser_palette()}, **kwargs)

    def preprocess(self, payload: Any) -> Any:
        return payload

    def follow(self, adapter: Callable[[], Adapter], media: MediaInputs, sliders: list[Any]) -> None:
        """Keep up with the settings without a request, and with the size and the sound of what is asked about.

        adapter: that of the model that answers when it is called. sliders: in the order of FOLLOW.
        """
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        values = [self, *sliders]
        gr.on([slider.change for slider in sliders], None, values, self, js=FOLLOW)
        uploads: list[Any] = [media.video, media.image, media.more]
        sizes = scripts.call("components/estimate/sizes.js", "withSizes")
        changes = [upload.change for upload in uploads]
        sized = gr.on(changes, None, [self, *uploads], self, js=sizes, trigger_mode="always_last")
        opened = [open_(None, self, self, js=OPEN.format(tab=name), **quiet) for name, open_ in media.opened.items()]
        for event in (sized, *opened):
            # One after the other, or what was counted before a file was there could come last.
            lane = {"concurrency_id": "estimate", "concurrency_limit": 1}
            seen = [self, media.video]
            counted = event.then(lambda shown, film: counted_for(adapter(), shown, film), seen, self, **quiet, **lane)
            counted.then(None, values, self, js=FOLLOW, **quiet)  # a slider may have moved meanwhile


def model_sizes(engine: Engine) -> dict:
    """What scripts need of a model: for `aim_core.ops.flops`, and how it usually merges. Its weights do nothing."""
    adapter = engine.adapter
    return {
        "sizes": adapter.sizes,
        "layers": engine.num_layers,
        "bytes": adapter.model.dtype.itemsize,
        "formula": FORMULA,
        "isSmall": is_small(engine),
        "keepRatio": adapter.default_config().keep_ratio,
    }


def frames_and_prompts(adapter: Adapter, height: int, width: int) -> dict:
    """`prompts` and the size they are for."""
    return {"size": [height, width], "prompts": prompts(adapter, height, width)}


@lru_cache(maxsize=64)
def prompts(adapter: Adapter, height: int, width: int) -> list[dict]:
    """What 1, 2, ... frames of this size will put into a prompt; a picture is one frame. One entry where a family
    reads pictures only.

    views:  [patches, how many views have so many] each; suffix: visual tokens that are never merged.
    text:   tokens around them with the example question, within a few where a prompt names frames or their times.
    vision: operations of the vision side.
    """
    counts = range(1, MAX_FRAMES + 1) if "video" in adapter.modalities else (1,)
    entries = [_visual(adapter, [(num_frames, height, width)]) for num_frames in counts]
    first = _num_text(adapter, 1, height, width)
    if len(entries) == 1:
        return [entries[0] | {"text": first}]
    few, more = (_num_text(adapter, num_frames, *SIZE) for num_frames in (2, 4))
    texts = [first, *(few + (more - few) * (num_frames - 2) // 2 for num_frames in counts[1:])]
    return [entry | {"text": text} for entry, text in zip(entries, texts, strict=True)]


@lru_cache(maxsize=64)
def prompt_of_pictures(adapter: Adapter, sizes: tuple[tuple[int, int], ...]) -> dict:
    """An entry of `prompts` for several pictures, (height, width) each."""
    entry = _visual(adapter, [(1, *size) for size in sizes])
    grey = tuple(np.full((*size, 3), 128, dtype=np.uint8) for size in sizes)
    inputs = adapter.inputs(grey, np.zeros(len(grey), dtype=np.float32), ENGLISH["EXAMPLE_QUESTION"])
    return entry | {"text": inputs["input_ids"].numel() - _num_rows(entry)}


def forget() -> None:
    """What was counted for models that may be gone."""
    prompts.cache_clear()
    prompt_of_pictures.cache_clear()


def tokens_of_a_frame(adapter: Adapter) -> int | None:
    """Visual tokens that each frame gives, or each picture where a family reads pictures only; None where that depends
    on their size."""
    if "video" not in adapter.modalities:
        counts = {num_visual(adapter, 1, *size) for size in (SIZE, SQUARE)}
    else:
        pairs = ((num_visual(adapter, 2, *size), num_visual(adapter, 4, *size)) for size in (SIZE, SQUARE))
        counts = {(more - few) // 2 for few, more in pairs}
    return counts.pop() if len(counts) == 1 else None


def num_visual(adapter: Adapter, num_frames: int, height: int, width: int) -> int:
    """Visual tokens of so many frames, newlines included."""
    return sum(medium.num_rows for medium in adapter.media(adapter.expected_call(num_frames, height, width)))


def counted_for(adapter: Adapter, shown: Any, film: Any = None) -> dict:
    """The panel's value with prompts for the file on the open tab, else for the one on the other. film: the path of the
    video, whose sound is looked at where the model hears."""
    if not isinstance(shown, dict):
        return gr.skip()
    sizes = shown.get("sizes")
    sizes = sizes if isinstance(sizes, dict) else {}
    tabs = ("image", "video") if shown.get("open") == "image" else ("video", "image")
    tab = next((name for name in tabs if _is_size(sizes.get(name))), tabs[0])
    height, width = _fitted(sizes.get(tab))
    sound = {"sound": sound_of(adapter, film if tab == "video" else None)}
    further = sizes.get("more") if tab == "image" and adapter.several_pictures else None
    if isinstance(further, list) and 0 < len(further) < MAX_PICTURES:
        prompt = prompt_of_pictures(adapter, ((height, width), *map(_fitted, further)))
        counted = {"pictures": 1 + len(further), "size": [height, width], "prompts": [prompt]}
        return shown | {"kind": tab} | sound | counted
    return shown | {"kind": tab, "pictures": 1} | sound | frames_and_prompts(adapter, height, width)


def sound_of(adapter: Adapter, film: Any) -> dict | None:
    """`sound_prompt` of a video file, read as a run reads it; None where nothing is heard, or not within PATIENCE_S."""
    if adapter.hearing is None or not film:
        return None
    ends = time.monotonic() + PATIENCE_S
    try:
        frames = frames_of(adapter, str(film), 1, asker=Asker(stop=lambda: time.monotonic() > ends))
    except (MediaError, Stopped):
        return None  # a run will say why
    return None if frames.audio is None else sound_prompt(adapter, len(frames.audio))


def sound_prompt(adapter: Adapter, num_samples: int) -> dict:
    """What a sound adds to a prompt with a video.

    chunks: [audio tokens, how many chunks have so many] each; text: tokens around them; flops: of the audio encoder.
    """
    sizes, flops = adapter.expected_audio(num_samples)
    return {"chunks": [[*pair] for pair in Counter(sizes).items()], "text": _around(adapter), "flops": flops}


@lru_cache(maxsize=16)
def _around(adapter: Adapter) -> int:
    """Text tokens that a sound has around it in a video."""
    assert adapter.hearing is not None
    samples = np.zeros(max(SOUND_RATE // 2, round(adapter.hearing[0] * SOUND_RATE)), np.float32)
    frames, times = np.full((2, *SIZE, 3), 128, dtype=np.uint8), np.arange(2, dtype=np.float32)
    heard, silent = (adapter.inputs(frames, times, "?", audio)["input_ids"].numel() for audio in (samples, None))
    return heard - silent - sum(adapter.expected_audio(len(samples))[0])


def prompt_of(adapter: Adapter, kind: str, num_frames: int, height: int, width: int) -> dict:
    """The entry of `prompts` for a video or a picture of this size, as a file of it would be decoded."""
    width, height = fitted_size(width, height, MOST)
    entries = prompts(adapter, height, width)
    return entries[0 if kind == "image" else min(num_frames, len(entries)) - 1]


def _visual(adapter: Adapter, media_sizes: list[tuple[int, int, int]]) -> dict:
    calls = adapter.expected_calls(media_sizes)
    media = [medium for call in calls for medium in adapter.media(call)]
    sizes = Counter(len(part.rows) for medium in media for part in medium.views)
    suffix = sum(medium.num_rows for medium in media) - sum(size * count for size, count in sizes.items())
    vision = sum(map(adapter.vision_flops, calls))
    return {"views": [[*pair] for pair in sizes.items()], "suffix": suffix, "vision": vision}


def _num_rows(entry: dict) -> int:
    return entry["suffix"] + sum(size * count for size, count in entry["views"])


def _num_text(adapter: Adapter, num_frames: int, height: int, width: int) -> int:
    """Text tokens around some grey frames; black ones count as none in some families."""
    frames = np.full((num_frames, height, width, 3), 128, dtype=np.uint8)
    inputs = adapter.inputs(frames, np.arange(num_frames, dtype=np.float32), ENGLISH["EXAMPLE_QUESTION"])
    return inputs["input_ids"].numel() - num_visual(adapter, num_frames, height, width)


def _fitted(size: Any) -> tuple[int, int]:
    """Height and width as the file will be decoded, of one whose size the browser cannot tell those of an example."""
    height, width = size if _is_size(size) else SIZE
    width, height = fitted_size(width, height, MOST)
    return height, width


def _is_size(size: Any) -> bool:
    return isinstance(size, list) and len(size) == 2 and all(type(n) is int and 0 < n <= MAX_SIDE for n in size)
