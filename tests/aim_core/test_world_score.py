"""World score: a clip's statistics against a loop, whose file is used, and tokens of views as the decoder gets them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from aim_core.config import AimConfig
from aim_core.media.frames import Frames
from aim_core.weights import weights_hash
from aim_core.world_score import FILE, WorldScore, read_world_score, view_statistics


@pytest.fixture
def views():
    draw = np.random.default_rng(0)
    return [draw.normal(size=(tokens, 3)).astype(np.float32) for tokens in (5, 9)]


def slow_statistics(views) -> list[float]:
    """One number after the other."""
    found = []
    for kind in ("mean", "deviation", "maximum", "minimum"):
        for column in range(views[0].shape[1]):
            own = []
            for view in views:
                values = sorted(float(token[column]) for token in view)
                mean = sum(values) / len(values)
                spread = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
                own.append({"mean": mean, "deviation": spread, "maximum": values[-1], "minimum": values[0]}[kind])
            found.append(sum(own) / len(own))
    return found


def test_statistics_are_those_of_every_view_and_then_their_mean(views):
    assert view_statistics(views) == pytest.approx(slow_statistics(views), rel=1e-9)
    assert view_statistics(views * 3) == pytest.approx(view_statistics(views))  # more frames of the same change nothing


def test_above_the_limit_a_clip_is_of_another_world(views):
    weights = np.arange(12.0)
    score = float(np.dot(slow_statistics(views), weights)) + 2
    for limit in (score - 1e-6, score + 1e-6):
        check = WorldScore(weights, 2.0, limit).check(views)
        assert check.score == pytest.approx(score) and check.outside == (limit < score)


def test_a_file_counts_for_the_weights_it_was_fitted_to_alone(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert read_world_score(tmp_path) is None
    record = {"sha256": weights_hash(tmp_path), "limit": 0.5, "offset": 1.0, "weights": [1.0, 2.0]}
    (tmp_path / FILE).write_text(json.dumps(record))
    score = read_world_score(tmp_path)
    assert (score.limit, score.offset, score.weights.tolist()) == (0.5, 1.0, [1.0, 2.0])
    (tmp_path / "model.safetensors").write_bytes(b"others")
    with pytest.raises(ValueError, match=r"fitted to other weights.*python -m training\.world_score"):
        read_world_score(tmp_path)


def test_the_tokens_of_a_view_are_what_the_decoder_gets_of_it(engine, frames):
    """Against the tower's own output, whose last row is the newline."""
    clip = Frames(frames, np.arange(len(frames), dtype=np.float32), 4.0, "video")
    engine.run(clip, "what?", config=AimConfig(0.25, 4, 9), max_new_tokens=1)  # merging changes nothing
    views = engine.view_tokens(clip, "what?")
    inputs = engine.adapter.inputs(frames, clip.times, "what?")
    rows = engine.adapter.encode(inputs)["video"].pooler_output[0].detach().numpy()
    assert len(rows) == 4 * 64 + 1
    np.testing.assert_allclose(np.concatenate(views), rows[:-1], rtol=1e-5, atol=1e-6)
