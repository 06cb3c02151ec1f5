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
from tests.families.table import ASKED, FAMILIES
from visual.captions import alive_text, groups_text, scores_text
from visual.charts import ranked_figure, retained_figure
from visual.frame_compose import dense_tokens, plate_labels, plates
from visual.heatmaps import alive_view, groups_view, scores_view


def asked(model, processor, name: str, medium: str) -> Trace:
    """The trace of a real prompt to a family's small checkpoint."""
    media = samples(FAMILIES[name], medium)
    with aim(model, AimConfig(0.5, 3, 5)) as recorder:
        model(**ask(processor, medium, media), logits_to_keep=1)
    sizes = [media.shape[:3]] if medium == "video" else [(1, *media.shape[1:3])] * len(media)
    views = adapter_for(model, processor).locate(recorder.record.views, sizes)
    return replace(recorder.record, views=views).trace(media, np.arange(len(media), dtype=np.float32))


@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_every_family_can_be_drawn(family_model, name, medium):
    trace = asked(*family_model(name), name, medium)
    views = FAMILIES[name].views[medium]
    assert len(plate_labels(trace)) == len(plates(trace)) <= len(views)
    assert sorted(index for plate in plates(trace) for index in plate.views) == list(range(len(views)))
    assert groups_view(trace).shape[2] == alive_view(trace, 3).shape[2] == 3
    sheet, shown = scores_view(trace, 3)
    assert shown in trace.scored_layers and sheet.dtype == np.uint8
    assert dense_tokens(trace) >= sum(map(len, views))
    assert f"of {sum(map(len, views)):,} visual tokens" in groups_text(trace)
    assert f"{trace.num_merged:,} of {trace.num_merged:,} merged" in alive_text(trace, 0)
    assert scores_text(trace, 3) and retained_figure(trace) and ranked_figure(trace, 3)
