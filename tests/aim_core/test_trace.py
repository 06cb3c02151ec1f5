"""Trace: what is read back from a run, on a tiny one that can be followed by hand."""

from dataclasses import replace

import numpy as np
import pytest

from aim_core.layer_trace import LayerTrace
from aim_core.trace import Trace
from aim_core.view import View


def layer(index: int, kept: list[int], importance: list[float]) -> LayerTrace:
    return LayerTrace(index, np.array(kept, dtype=np.int64), np.array(importance, dtype=np.float32))


@pytest.fixture
def trace() -> Trace:
    """Two frames of 2 x 2 patches, two merged tokens each (rows 0-1 and 2-3), and a suffix row 4."""
    return Trace(
        frames=np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3),
        times=np.array([0.0, 0.5], dtype=np.float32),
        grid=(2, 2),
        group=np.array([[0, 0, 1, 1], [1, 0, 0, 0]]),
        layers=(
            layer(0, [0, 1, 2, 3, 4], []),
            layer(1, [0, 1, 2, 3, 4], [0.5, 0.1, 0.2, 0.0, 0.9]),
            layer(2, [0, 2, 4], [0.6, 0.3, 0.8]),
            layer(3, [], []),
        ),
        planned=np.array([5, 5, 3, 0]),
    )


def test_the_counts(trace):
    assert (trace.num_frames, trace.tokens_per_frame, trace.num_merged, trace.num_layers) == (2, 2, 4, 4)
    np.testing.assert_array_equal(trace.retained, [5, 5, 3, 0])
    assert trace.scored_layers == (1, 2)


def test_a_patch_points_at_the_row_of_its_merged_token(trace):
    np.testing.assert_array_equal(trace.rows(), [[0, 0, 1, 1], [3, 2, 2, 2]])


def test_a_patch_lives_as_long_as_its_token(trace):
    assert trace.alive(1).all()
    np.testing.assert_array_equal(trace.alive(2), [[True, True, False, False], [False, True, True, True]])
    assert not trace.alive(3).any()
    np.testing.assert_array_equal(trace.last_layer(), [[2, 2, 1, 1], [1, 2, 2, 2]])


def test_rows_are_counted_with_separators_and_known_by_their_last_layer_and_scores(trace):
    assert trace.num_rows == 5
    assert trace.last_layer_by_row().tolist() == [2, 1, 2, 1, 2]
    expected = np.array([[0.5, 0.1, 0.2, 0.0, 0.9], [0.6, np.nan, 0.3, np.nan, 0.8]], dtype=np.float32)
    np.testing.assert_array_equal(trace.scores_by_row(), expected)
    bare = replace(trace, layers=(layer(0, [0, 2], []), layer(1, [], [])))
    assert bare.num_rows == 4 and bare.last_layer_by_row().tolist() == [0, -1, 0, -1]
    assert bare.scores_by_row().shape == (0, 4)


def test_importance_is_the_score_of_the_token_or_nan(trace):
    np.testing.assert_allclose(trace.scores(1), [[0.5, 0.5, 0.1, 0.1], [0.0, 0.2, 0.2, 0.2]])
    np.testing.assert_allclose(trace.scores(2), [[0.6, 0.6, np.nan, np.nan], [np.nan, 0.3, 0.3, 0.3]])
    for unscored in (0, 3):
        assert np.isnan(trace.scores(unscored)).all()
        assert trace.scores(unscored).shape == trace.group.shape


@pytest.mark.parametrize("outside", [-1, 4])
def test_a_layer_the_model_does_not_have_is_refused(trace, outside):
    for read in (trace.alive, trace.scores):
        with pytest.raises(ValueError, match=f"layer must be in \\[0, 4\\), got {outside}"):
            read(outside)


def test_a_saved_trace_comes_back_whole(trace, tmp_path):
    path = tmp_path / "run.npz"
    trace.save(path)
    back = Trace.load(path)
    for name in ("frames", "times", "group", "planned"):
        before, after = getattr(trace, name), getattr(back, name)
        np.testing.assert_array_equal(after, before)
        assert after.dtype == before.dtype
    assert back.grid == trace.grid
    assert len(back.layers) == len(trace.layers)
    for before, after in zip(trace.layers, back.layers, strict=True):
        assert after.layer == before.layer
        np.testing.assert_array_equal(after.kept, before.kept)
        np.testing.assert_array_equal(after.scores, before.scores)


def test_the_name_of_the_file_is_kept_as_given(trace, tmp_path):
    trace.save(tmp_path / "run.trace")
    assert [path.name for path in tmp_path.iterdir()] == ["run.trace"]


def test_a_file_that_is_not_a_trace_is_refused(tmp_path):
    text, other = tmp_path / "notes.npz", tmp_path / "other.npz"
    text.write_text("not a trace")
    np.savez(other, frames=np.zeros(3))
    for path in (text, other, tmp_path / "absent.npz"):
        with pytest.raises(ValueError, match="is not a saved trace"):
            Trace.load(path)


def test_views_of_different_sizes_survive_a_file(tmp_path):
    views = (View(0, (0,), (2, 2)), View(1, (2, 3), (2, 3), None))
    rows = [np.array([0, 0, 1, 1]), np.array([2, 3, 3, 2, 2, 3])]
    layers = tuple(
        LayerTrace(i, kept, np.zeros(0, np.float32)) for i, kept in enumerate([np.arange(5), np.array([1, 3])])
    )
    frames = np.zeros((4, 6, 8, 3), np.uint8)
    trace = Trace.of_views(frames, np.arange(4, dtype=np.float32), views, rows, layers, np.array([5, 2]))
    assert trace.group.tolist() == [[0, 0, 1, 1, -1, -1], [0, 1, 1, 0, 0, 1]]
    assert (trace.num_frames, trace.num_views, trace.num_merged, trace.grid) == (4, 2, 4, (2, 2))
    assert trace.alive(1).tolist() == [
        [False, False, True, True, False, False],
        [False, True, True, False, False, True],
    ]
    trace.save(tmp_path / "run.npz")
    again = Trace.load(tmp_path / "run.npz")
    assert again.views == views and np.array_equal(again.rows(), trace.rows())
    assert np.array_equal(again.last_layer(), trace.last_layer())


def merged_in_rounds() -> Trace:
    """One view of 4 patches merged in two rounds, one of 6 in three; steps of two heads in layer 1."""
    views = (View(0, (0,), (2, 2)), View(0, (1,), (2, 3)))
    rounds = [
        [np.array([0, 2, 1, 1]), np.array([0, 1, 0])],
        [np.array([0, 2, 1, 1, 3, 2]), np.array([1, 0, 0, 2]), np.array([1, 0, 1])],
    ]
    rows = [np.array([0, 0, 1, 1]), np.array([2, 3, 3, 3, 3, 3])]
    steps = np.arange(2 * 3 * 2, dtype=np.float32).reshape(2, 3, 2)
    layers = (layer(0, [0, 1, 2, 3], []), LayerTrace(1, np.array([1, 2]), np.array([1, 2], np.float32), steps))
    likeness = [np.full(4, 0.5), np.full(6, 0.25)]
    frames = np.zeros((2, 6, 8, 3), np.uint8)
    return Trace.of_views(frames, np.zeros(2, np.float32), views, rows, layers, np.array([4, 2]), rounds, likeness)


def test_rounds_are_followed_patch_by_patch():
    trace = merged_in_rounds()
    assert [new.shape for new in trace.rounds] == [(2, 6), (2, 4), (2, 3)]
    assert trace.round_groups(0).tolist() == [[0, 1, 2, 3, -1, -1], [0, 1, 2, 3, 4, 5]]
    assert trace.round_groups(1).tolist() == [[0, 2, 1, 1, -1, -1], [0, 2, 1, 1, 3, 2]]
    assert trace.round_groups(2).tolist() == [[0, 0, 1, 1, -1, -1], [1, 0, 0, 0, 2, 0]]
    assert trace.round_groups(3).tolist() == [[0, 0, 1, 1, -1, -1], [0, 1, 1, 1, 1, 1]]
    for outside in (-1, 4):
        with pytest.raises(ValueError, match=f"rounds must be in \\[0, 3\\], got {outside}"):
            trace.round_groups(outside)
    assert np.isnan(trace.similarity[0, 4:]).all() and (trace.similarity[0, :4] == 0.5).all()


def test_rounds_similarity_and_steps_survive_a_file(tmp_path, trace):
    before = merged_in_rounds()
    before.save(tmp_path / "run.npz")
    after = Trace.load(tmp_path / "run.npz")
    for one, other in zip(before.rounds, after.rounds, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(before.similarity, after.similarity)
    assert after.layers[0].steps.size == 0
    np.testing.assert_array_equal(after.layers[1].steps, before.layers[1].steps)


def test_old_files_have_no_rounds(tmp_path, trace):
    trace.save(tmp_path / "old.npz")
    old = Trace.load(tmp_path / "old.npz")
    assert old.rounds == () and old.similarity is None and not any(layer.steps.size for layer in old.layers)
    assert old.round_groups(0).tolist() == [[0, 1, 2, 3]] * 2


def test_a_layer_knows_how_far_position_explains_its_scores_and_what_its_tokens_hold():
    kept = np.arange(4)
    steps = np.stack([np.zeros((3, 4)), np.full((3, 4), 0.01)], axis=1)  # (heads, iterations + 1, kept)
    steps[0, 1] = 0.03
    falling = LayerTrace(6, kept, np.array([4.0, 3.0, 2.0, np.nan], dtype=np.float32), steps)
    assert falling.early == pytest.approx(1) and falling.held == pytest.approx((0.12 + 0.04 + 0.04) / 3)
    even = LayerTrace(6, kept, np.ones(4, dtype=np.float32))
    assert even.early is None and even.held is None and LayerTrace(6, kept, np.zeros(0)).early is None
