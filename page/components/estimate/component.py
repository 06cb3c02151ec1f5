"""Estimate panel: tokens, FLOPs and KV cache that the settings will cost, computed in the browser before any run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import gradio as gr
import numpy as np

from aim_core.adapters.base import Adapter
from aim_core.engine import Engine
from aim_core.media.resize import fitted_size
from aim_core.ops.flops import FORMULA
from page import scripts
from page.checks import MAX_FRAMES, MAX_SIDE
from page.components.base import Panel
from page.i18n import ENGLISH
from page.layout import MediaInputs
from page.state.runner import is_small
from visual.palette import browser_palette

# Slider values into the panel's own, in the order of `EstimatePanel.follow`.
FOLLOW = "(shown, keep_ratio, l1, l2, frames) => ({...shown, keep_ratio, l1, l2, frames})"
OPEN = "(shown) => ({{...shown, open: '{tab}'}})"
SIZE = 432, 768  # (height, width) of frames as long as nothing is known
SQUARE = 768, 768  # another size, to see whether it matters
FRAMES = 8  # of a video, as long as no other number is chosen
MOST = 768  # pixels of the longer side that `load_frames` leaves


class EstimatePanel(Panel):
    """Tokens per layer, FLOPs, KV cache and share of dense for settings that have not been run.

    value: {"keep_ratio", "l1", "l2", "frames"}; "model", see `model_sizes`; "size" and "prompts" of the frames, see
    `prompts`; "open", the tab that is open, and "sizes", [height, width] of what lies on each tab, or null.
    """

    def __init__(self, **kwargs):
        super().__init__("estimate", "ESTIMATE", fixed={"palette": browser_palette()}, **kwargs)

    def preprocess(self, payload: Any) -> Any:
        return payload

    def follow(self, adapter: Callable[[], Adapter], media: MediaInputs, sliders: list[gr.Slider]) -> None:
        """Keep up with keep ratio, l1, l2 and frames without a request, and with the size of what is asked about.

        adapter: that of the model that answers when it is called.
        """
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        values = [self, *sliders]
        gr.on([slider.change for slider in sliders], None, values, self, js=FOLLOW)
        files, sizes = [self, media.video, media.image], scripts.call("components/estimate/sizes.js", "withSizes")
        changes = [media.video.change, media.image.change]
        sized = gr.on(changes, None, files, self, js=sizes, trigger_mode="always_last")
        opened = [open_(None, self, self, js=OPEN.format(tab=name), **quiet) for name, open_ in media.opened.items()]
        for event in (sized, *opened):
            # One after the other, or what was counted before a file was there could come last.
            lane = {"concurrency_id": "estimate", "concurrency_limit": 1}
            counted = event.then(lambda shown: counted_for(adapter(), shown), self, self, **quiet, **lane)
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
    entries = [_visual(adapter, num_frames, height, width) for num_frames in counts]
    first = _num_text(adapter, 1, height, width)
    if len(entries) == 1:
        return [entries[0] | {"text": first}]
    few, more = (_num_text(adapter, num_frames, *SIZE) for num_frames in (2, 4))
    texts = [first, *(few + (more - few) * (num_frames - 2) // 2 for num_frames in counts[1:])]
    return [entry | {"text": text} for entry, text in zip(entries, texts, strict=True)]


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


def counted_for(adapter: Adapter, shown: Any) -> dict:
    """The panel's value with prompts for the file on the open tab, else for the one on the other."""
    if not isinstance(shown, dict):
        return gr.skip()
    sizes = shown.get("sizes")
    sizes = sizes if isinstance(sizes, dict) else {}
    tabs = ("image", "video") if shown.get("open") == "image" else ("video", "image")
    tab = next((name for name in tabs if _is_size(sizes.get(name))), tabs[0])
    height, width = sizes[tab] if _is_size(sizes.get(tab)) else SIZE
    width, height = fitted_size(width, height, MOST)
    return shown | {"kind": tab} | frames_and_prompts(adapter, height, width)


def prompt_of(adapter: Adapter, kind: str, num_frames: int, height: int, width: int) -> dict:
    """The entry of `prompts` for a video or a picture of this size, as a file of it would be decoded."""
    width, height = fitted_size(width, height, MOST)
    entries = prompts(adapter, height, width)
    return entries[0 if kind == "image" else min(num_frames, len(entries)) - 1]


def _visual(adapter: Adapter, num_frames: int, height: int, width: int) -> dict:
    call = adapter.expected_call(num_frames, height, width)
    media = adapter.media(call)
    sizes = Counter(len(part.rows) for medium in media for part in medium.views)
    suffix = sum(medium.num_rows for medium in media) - sum(size * count for size, count in sizes.items())
    return {"views": [[*pair] for pair in sizes.items()], "suffix": suffix, "vision": adapter.vision_flops(call)}


def _num_text(adapter: Adapter, num_frames: int, height: int, width: int) -> int:
    """Text tokens around some grey frames; black ones count as none in some families."""
    frames = np.full((num_frames, height, width, 3), 128, dtype=np.uint8)
    inputs = adapter.inputs(frames, np.arange(num_frames, dtype=np.float32), ENGLISH["EXAMPLE_QUESTION"])
    return inputs["input_ids"].numel() - num_visual(adapter, num_frames, height, width)


def _is_size(size: Any) -> bool:
    return isinstance(size, list) and len(size) == 2 and all(type(n) is int and 0 < n <= MAX_SIDE for n in size)
