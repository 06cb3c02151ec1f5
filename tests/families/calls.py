"""Calls of a model's vision side: those that its own code makes, and what an adapter reads out of them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from aim_core.config import AimConfig
from aim_core.forward.hooks import patched
from aim_core.forward.session import Session
from aim_core.methods.aim import as_method
from tests.families.family import QUESTION


def made(adapter, frames: np.ndarray, around: AbstractContextManager | None = None):
    """The calls that the model's own code makes for these frames. around: entered for what the model does alone."""
    session = Session(adapter, as_method(AimConfig.dense()))
    inputs = adapter.inputs(frames, np.arange(len(frames), dtype=np.float32), QUESTION)
    with patched(adapter, session), torch.inference_mode(), around or nullcontext():
        adapter.encode(inputs)
    return session.take_calls()


def rows_of(media) -> list:
    return [(medium.num_rows, [(part.view, part.rows.tolist()) for part in medium.views]) for medium in media]
