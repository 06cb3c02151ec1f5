"""EstimatePanel: what the sliders will cost, counted in the browser before any run."""

from __future__ import annotations

import gradio as gr

from aim_core.cost import FORMULA
from aim_core.engine import Engine
from page import assets, words
from visual.palette import browser_palette

# Slider values into the panel's own, in the order of `EstimatePanel.follow`.
FOLLOW = "(shown, keep_ratio, l1, l2, frames) => ({...shown, keep_ratio, l1, l2, frames})"


class EstimatePanel(gr.HTML):
    """Tokens per layer, FLOPs, KV cache and share of dense for settings that have not been run.

    model: what `model_sizes` says. value: {"keep_ratio", "l1", "l2", "frames"}.
    """

    def __init__(self, model: dict, **kwargs):
        super().__init__(
            html_template=assets.text("panels/estimate.html"),
            css_template=assets.text("panels/estimate.css"),
            js_on_load=assets.text("script/common.js", "panels/cost.js", "panels/estimate.js"),
            apply_default_css=False,
            words=words.ESTIMATE,
            palette=browser_palette(),
            model=model,
            **kwargs,  # Gradio makes it again with arguments of its own
        )

    def follow(self, sliders: list[gr.Slider]) -> None:
        """Keep up with keep ratio, l1, l2 and frames, without a request."""
        gr.on([slider.change for slider in sliders], None, [self, *sliders], self, js=FOLLOW)


def model_sizes(engine: Engine) -> dict:
    """What the script needs of the loaded model, for the formula of `aim_core.cost`."""
    adapter = engine.adapter
    ids, _ = adapter.prompt(words.EXAMPLE_QUESTION, 1)
    return {
        "sizes": adapter.sizes,
        "layers": engine.num_layers,
        "perFrame": adapter.grid[0] * adapter.grid[1],
        "suffix": adapter.num_suffix,
        "text": ids.shape[1] - 1,
        "visionPerFrame": adapter.vision_flops(1),
        "bytes": adapter.model.dtype.itemsize,
        "formula": FORMULA,
    }
