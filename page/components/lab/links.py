"""Links: from a setting of a sweep to the page that shows it at work, Explore for AIM and Compare for other methods."""

from __future__ import annotations

from aim_core.budget import Budget
from aim_core.config import AimConfig
from aim_lab.code import DENSE
from aim_lab.line import Line
from aim_lab.settings import Setting
from page.compare_link import LEAST, MOST, compare_query
from page.permalink import permalink_query
from page.state.samples import sample_name
from page.state.sweeps import AskedSweep


def link_of(asked: AskedSweep, setting: Setting, line: Line, dense_flops: float | None) -> list[str]:
    """The page's name, "explore" or "compare", and what its address has behind "#".

    line: what the setting made of one question. dense_flops: of the dense prefill at its number of frames.
    Of a video that is no sample the link has the question and settings.
    """
    samples = _samples(asked, line)
    config = _config(setting, line)
    if config is not None:
        return ["explore", permalink_query(line.question, config, setting.num_frames, samples)]
    share = setting.budget or (line.flops / dense_flops if dense_flops else 1.0)
    budget = Budget(min(MOST, max(LEAST, round(100 * share))) / 100)
    return ["compare", compare_query(line.question, budget, setting.num_frames, [setting.method], samples)]


def _config(setting: Setting, line: Line) -> AimConfig | None:
    """What Explore can be set to; None for another method than AIM."""
    if setting.method == DENSE:
        return AimConfig.dense()
    found = line.found
    return AimConfig(found["keep_ratio"], found["l1"], found["l2"]) if setting.method == "aim" else None


def _samples(asked: AskedSweep, line: Line) -> tuple[str, ...]:
    """The sample that a line is about, by its name and content; nothing for another video."""
    clip = next((own for own in asked.clips if own.digest == line.video), None)
    name = sample_name(str(clip.path), clip.name) if clip else None
    return (name,) if name else ()
