"""Drawing: pictures, charts and sentences of real prompts to every family, whatever the shape of its views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aim_core.adapters.registry import adapter_for
from aim_core.attach import aim
from aim_core.config import AimConfig
from aim_core.trace import Trace
from tests.families.family import ask, samples
from tests.families.table import ASKED_OR_SLOW, FAMILIES
from visual.captions import alive_caption, groups_caption, scores_caption
from visual.charts import retained_figure, sorted_scores_figure
from visual.frame_compose import composed_frames, frame_captions
from visual.heatmaps import alive_overlay, groups_overlay, scores_heatmap


def asked(model, processor, name: str, medium: str) -> Trace:
    """The trace of a real prompt to a family's small checkpoint."""
    media = samples(FAMILIES[name], medium)
    with aim(model, AimConfig(0.5, 3, 5)) as recorder:
        model(**ask(processor, medium, media), logits_to_keep=1)
    sizes = [media.shape[:3]] if medium == "video" else [(1, *media.shape[1:3])] * len(media)
    views = adapter_for(model, processor).locate(recorder.record.views, sizes)
    return replace(recorder.record, views=views).trace(media, np.arange(len(media), dtype=np.float32))


@pytest.mark.parametrize(("name", "medium"), ASKED_OR_SLOW)
def test_every_family_can_be_drawn(family_model, name, medium):
    trace = asked(*family_model(name), name, medium)
    views = FAMILIES[name].views[medium]
    assert len(frame_captions(trace)) == len(composed_frames(trace)) <= len(views)
    assert sorted(index for composed in composed_frames(trace) for index in composed.views) == list(range(len(views)))
    assert groups_overlay(trace).shape[2] == alive_overlay(trace, 3).shape[2] == 3
    sheet, shown = scores_heatmap(trace, 3)
    assert shown in trace.scored_layers and sheet.dtype == np.uint8
    assert trace.dense_tokens >= sum(map(len, views))
    assert f"of {sum(map(len, views)):,} visual tokens" in groups_caption(trace)
    assert f"{trace.num_merged:,} of {trace.num_merged:,} merged" in alive_caption(trace, 0)
    assert scores_caption(trace, 3) and retained_figure(trace) and sorted_scores_figure(trace, 3)
