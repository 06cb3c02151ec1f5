"""Tour: the steps of the story, each a prediction, a run and what it measured."""

from __future__ import annotations

from dataclasses import asdict

from aim_core.config import AimConfig
from page.components.base import Panel
from page.components.tour.steps import SAMPLES, Step
from page.permalink import permalink_query


class Tour(Panel):
    """Shows steps one at a time. value: `measured` of the last run, or {"failed": when}; the script sends {"step"} with
    "go"."""

    def __init__(self, steps: tuple[Step, ...] = (), kind: str = "video", **kwargs):
        """kind: "video" or "image": which of `SAMPLES` the steps ask about."""
        sample, question = SAMPLES[kind]
        told = [asdict(step) | {"link": _link(step, question, sample)} for step in steps]
        fixed = {"steps": told, "question": question}
        super().__init__("tour", "TOUR", events=("go",), fixed=fixed, **kwargs)


def _link(step: Step, question: str, sample: str) -> str:
    """What an address has behind its "#" to show the step's run where every setting can be moved."""
    query = permalink_query(question, AimConfig(step.keep_ratio, step.l1, step.l2), step.frames, [sample])
    return f"{query}&overlay={step.overlay}&layer={step.layer}"
