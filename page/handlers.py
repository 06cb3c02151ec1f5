"""What the page's events do: check what came in, make one call to the engine, call the drawers."""

from __future__ import annotations

import gradio as gr

from aim_core.trace import Trace
from page import words
from page.checks import checked_config, checked_frames, checked_media, checked_question, guarded
from page.numbers import comparison, summary
from page.runs import Runner
from page.settings import Loaded
from page.store import ResultStore
from visual.plots import cost_figure, ranked_figure, retained_figure
from visual.texts import alive_text, groups_text, scores_text
from visual.views import alive_view, groups_view, scores_view

NUM_LAYER_PANELS = 6


class Handlers:
    """The events of one page, around one model and the results of its visitors."""

    def __init__(self, loaded: Loaded):
        self.adapter = loaded.engine.adapter
        self.runner, self.store = Runner(loaded.engine), ResultStore()

    @guarded
    def answer(
        self, video, image, shown, question, keep_ratio, l1, l2, num_frames, layer, scale, key, progress=gr.Progress()
    ):
        """Answer a question about a video or an image, dense and with AIM."""
        question, config = checked_question(question), checked_config(keep_ratio, l1, l2)
        path = checked_media(*((image, video) if shown == "image" else (video, image)))
        dense, aim = self.runner.compare(path, question, config, checked_frames(num_frames), progress)
        if unknown := self.adapter.num_unknown(question):
            gr.Warning(words.UNKNOWN.format(count=unknown), title="New words")
        flops = [(result.cost.vision_flops, result.cost.language_flops) for result in (dense, aim)]
        return (
            dense.answer or words.SILENT,
            aim.answer or words.SILENT,
            comparison(dense, aim, self.runner.timed_prefills),
            groups_view(aim.trace),
            groups_text(aim.trace),
            *layer_views(aim.trace, layer, scale),
            cost_figure(*flops, title="Compute of one prefill, counted"),
            summary(dense, aim),
            self.store.put(aim, replaces=key),
        )

    @guarded
    def redraw(self, key, layer, scale):
        """The layer panels again, from the saved trace; the model does not run."""
        if key is None:
            return [gr.skip()] * NUM_LAYER_PANELS
        result = self.store.get(key)
        if result is None:
            raise gr.Error("This result has made room for newer ones. Press Run again.", title="Run again")
        return layer_views(result.trace, layer, scale)


def layer_views(trace: Trace, layer: float, scale: str) -> tuple:
    """Everything that follows the layer slider, NUM_LAYER_PANELS pictures and texts drawn from a trace."""
    layer = min(max(0, int(layer)), trace.num_layers - 1)
    scale = scale if scale in ("rank", "log") else "rank"
    scored = bool(trace.scored_layers)
    return (
        alive_view(trace, layer),
        alive_text(trace, layer),
        scores_view(trace, layer, scale)[0] if scored else None,
        scores_text(trace, layer),
        retained_figure(trace, layer),
        ranked_figure(trace, layer) if scored else None,
    )
