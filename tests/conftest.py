"""A small random checkpoint of the real classes, saved and loaded the way a user's would be."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import numpy as np
import pytest
import torch

from training.build import make_model, make_processor
from training.world import frame_times, make_scene, render


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """The folder of a LLaVA-OneVision checkpoint with random weights, sharp enough in attention to rank tokens."""
    folder = tmp_path_factory.mktemp("checkpoint")
    model = make_model(seed=0)
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            layer.self_attn.q_proj.weight.mul_(8)
            layer.self_attn.k_proj.weight.mul_(8)
            layer.mlp.down_proj.weight.mul_(8)
    model.save_pretrained(folder)
    make_processor().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def engine(checkpoint):
    """An engine in float64, so that scores are not tied by rounding."""
    from aim_core.engine import Engine

    return Engine.from_pretrained(checkpoint, device="cpu", dtype=torch.float64)


@pytest.fixture(scope="session")
def frames() -> np.ndarray:
    """(4, 96, 128, 3) uint8, a clip that is not square."""
    return render(make_scene(3), frame_times(4), 128)[:, 16:112]
