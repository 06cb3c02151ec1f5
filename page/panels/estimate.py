"""EstimatePanel: what the sliders will cost, counted in the browser before any run."""

from __future__ import annotations

import gradio as gr
import numpy as np

from aim_core.adapters.base import Adapter, Call
from aim_core.cost import FORMULA
from aim_core.engine import Engine
from page import words
from page.panels.base import Panel
from visual.palette import browser_palette

# Slider values into the panel's own, in the order of `EstimatePanel.follow`.
FOLLOW = "(shown, keep_ratio, l1, l2, frames) => ({...shown, keep_ratio, l1, l2, frames})"


class EstimatePanel(Panel):
    """Tokens per layer, FLOPs, KV cache and share of dense for settings that have not been run.

    model: what `model_sizes` says. value: {"keep_ratio", "l1", "l2", "frames"}.
    """

    def __init__(self, model: dict, **kwargs):
        scripts = ("panels/cost.js", "panels/estimate.js")
        super().__init__("panels/estimate", scripts, "ESTIMATE", palette=browser_palette(), model=model, **kwargs)

    def follow(self, sliders: list[gr.Slider]) -> None:
        """Keep up with keep ratio, l1, l2 and frames, without a request."""
        gr.on([slider.change for slider in sliders], None, [self, *sliders], self, js=FOLLOW)


def model_sizes(engine: Engine) -> dict:
    """What the script needs of the loaded model, for the formula of `aim_core.cost`; its weights do no work here."""
    adapter = engine.adapter
    (few, text, vision), (more, _, _) = (_prompt(adapter, num_frames) for num_frames in (2, 4))
    return {
        "sizes": adapter.sizes,
        "layers": engine.num_layers,
        "perFrame": (more - few) // 2,
        "suffix": few - (more - few),
        "text": text,
        "visionPerFrame": vision // 2,
        "bytes": adapter.model.dtype.itemsize,
        "formula": FORMULA,
    }


def _prompt(adapter: Adapter, num_frames: int) -> tuple[int, int, int]:
    """Visual tokens, text tokens and the vision side's operations of an example prompt with black frames."""
    frames = np.zeros((num_frames, 64, 64, 3), dtype=np.uint8)
    inputs = adapter.inputs(frames, np.arange(num_frames, dtype=np.float32), words.EXAMPLE_QUESTION)
    kind = adapter.kind(frames)
    num_visual = int((inputs["input_ids"] == adapter.place_ids()[kind]).sum())
    num_text = inputs["input_ids"].numel() - num_visual
    return num_visual, num_text, adapter.vision_flops(Call(kind, inputs, None))
