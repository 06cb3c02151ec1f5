"""Asked panel: a strip above the answers with what they are about, and whether the inputs still say the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from aim_core.config import AimConfig
from page import scripts
from page.components.base import Panel
from page.layout import Controls, MediaInputs
from page.state.store import StoredRun

NOW = "components/now.js"


@dataclass(frozen=True)
class Asked:
    """What a run was asked. files: one, or several pictures. num_frames: as chosen; num_seen: as the model saw. at:
    seconds since 1970, None for an example. hears: whether its sound was to be heard; has_sound: whether it was."""

    files: tuple[str, ...]
    question: str
    num_frames: int
    num_seen: int
    config: AimConfig
    at: float | None
    hears: bool = True
    has_sound: bool = False

    @classmethod
    def of(cls, run: StoredRun) -> Asked:
        at = None if run.is_example else run.asked_at
        trace = run.aim.trace
        seen = run.num_frames, trace.num_frames
        return cls(run.files, run.question, *seen, run.settings, at, run.hears, trace.audio is not None)


class AskedPanel(Panel):
    """Shows `asked_record`; its script hears from `now.js` what the inputs say."""

    def __init__(self, **kwargs):
        super().__init__("asked", "ASKED", **kwargs)


def tell_inputs(media: MediaInputs, controls: Controls) -> None:
    """Tell the script, without a request, whenever the page's inputs say something else."""
    inputs: list[Any] = [media.video, media.image, media.more, controls.question, *controls.sliders, *controls.sound]
    gr.on([one.change for one in inputs], None, inputs, None, js=scripts.call(NOW, "hear"), api_visibility="private")
    for tab, opened in media.opened.items():
        opened(None, None, None, js=scripts.call(NOW, "hearTab", tab), api_visibility="private")
    pressed = [controls.run.click, controls.question.submit]
    gr.on(pressed, None, None, None, js=scripts.call(NOW, "hearRun"), api_visibility="private")
    controls.stop.click(None, None, None, js=scripts.call(NOW, "hearEnd"), api_visibility="private")


def asked_record(
    asked: Asked, model: str, sliders: tuple[float | bool, ...], is_saved: bool = False, is_others: bool = False
) -> dict:
    """The strip's record.

    model: its name. is_saved: whether it was loaded from a file, whose video is not here, or made by a model that does
    not answer now, which `is_others` says. sliders: keep ratio, l1, l2 and number of frames as the page's sliders show
    them where nothing has changed since; of a model that hears also whether it does, and both shares of audio.
    """
    is_example = asked.at is None
    path, *more = (None,) if is_saved else asked.files
    inputs = {"path": path, "more": more, "question": asked.question, "sliders": list(sliders)}
    return {
        "files": [Path(path).name for path in asked.files],
        "question": asked.question,
        "model": model,
        "keepRatio": asked.config.keep_ratio,
        "l1": asked.config.l1,
        "l2": asked.config.l2,
        "frames": asked.num_seen,
        "audio": [asked.config.audio_keep_ratio, asked.config.audio_floor] if asked.has_sound else None,
        "at": None if is_saved and not is_others else asked.at,
        "note": "example" if is_example else "others" if is_others else "saved" if is_saved else None,
        "inputs": None
        if is_others or (is_example and is_saved)
        else inputs,  # another model's has nothing to do with them
    }
