"""AimConfig: what it refuses, and what its schedule lets into each layer."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aim_core.config import AimConfig


@pytest.mark.parametrize(
    ("settings_given", "in_message"),
    [
        ({"keep_ratio": 0}, "keep_ratio must be in (0, 1], got 0"),
        ({"keep_ratio": 1.01}, "got 1.01"),
        ({"keep_ratio": math.nan}, "got nan"),
        ({"keep_ratio": True}, "got True"),
        ({"keep_ratio": "0.25"}, "keep_ratio must be a number, got '0.25'"),
        ({"keep_ratio": None}, "got None"),
        ({"l1": -1}, "0 <= l1 < l2, got l1=-1 and l2=22"),
        ({"l1": 22}, "got l1=22 and l2=22"),
        ({"l1": 14.0}, "l1 must be a whole number, got 14.0"),
        ({"l1": False}, "got False"),
        ({"l2": math.nan}, "l2 must be a whole number"),
        ({"temperature": 0}, "temperature must be positive and finite, got 0"),
        ({"temperature": math.inf}, "got inf"),
        ({"temperature": math.nan}, "got nan"),
        ({"iterations": 0}, "iterations must be at least 1, got 0"),
        ({"iterations": 2.5}, "got 2.5"),
        ({"teleport": 1}, "teleport must be in [0, 1), got 1"),
        ({"teleport": -0.1}, "got -0.1"),
        ({"teleport": math.nan}, "got nan"),
        ({"audio_keep_ratio": 0}, "audio_keep_ratio must be in (0, 1], got 0"),
        ({"audio_floor": 1.1}, "audio_floor must be in [0, 1], got 1.1"),
        ({"audio_floor": None}, "audio_floor must be a number, got None"),
        ({"positions": "random"}, "positions must be one of sequential, original, got 'random'"),
        (
            {"scores": "attention"},
            "scores must be one of pagerank, pagerank_causal, pagerank_over_uniform, got 'attention'",
        ),
        ({"mode": None}, "mode must be one of dropped, masked, got None"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(settings_given, in_message):
    with pytest.raises(ValueError) as error:
        AimConfig(**settings_given)
    assert in_message in str(error.value)


def test_the_edges_of_every_range_are_allowed():
    AimConfig(keep_ratio=1, l1=0, l2=1, temperature=1e-6, iterations=1, teleport=0)


def test_the_paper_schedule_falls_linearly_between_its_layers():
    config = AimConfig()
    ratios = [config.schedule.layer_ratio(layer) for layer in range(28)]
    assert ratios[:15] == [1.0] * 15
    assert ratios[14:23] == [1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0]
    assert ratios[22:] == [0.0] * 6


def test_an_audio_schedule_falls_to_its_floor():
    counts = AimConfig(l1=2, l2=6, audio_floor=0.3).audio_schedule.tokens_entering(9, 8)
    assert counts == [9, 9, 9, 6, 4, 3, 3, 3]  # 2.25 is 2, below the floor of 2.7, which is 3


schedules = st.tuples(st.integers(0, 40), st.integers(1, 40)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@settings(max_examples=40, deadline=None)
@given(schedules, st.integers(0, 7000), st.integers(1, 48))
def test_tokens_entering_is_the_exact_floor_of_the_share(schedule, num_visual, num_layers):
    l1, l2 = schedule
    config = AimConfig(l1=l1, l2=l2)
    counts = config.schedule.tokens_entering(num_visual, num_layers)
    shares = [min(1, max(0, Fraction(l2 - layer, l2 - l1))) for layer in range(num_layers)]
    assert counts == [math.floor(share * num_visual) for share in shares]
    assert [config.schedule.layer_ratio(layer) for layer in range(num_layers)] == [float(share) for share in shares]
    assert config.schedule.prunes(num_layers) == any(share < 1 for share in shares)


def test_counts_do_not_lose_a_token_to_floating_point():
    # 0.29 * 100 is 28.999999999999996
    assert AimConfig(l1=0, l2=100).schedule.tokens_entering(100, 100)[71] == 29


@pytest.mark.parametrize("num_layers", [1, 28, 96])
def test_dense_changes_nothing(num_layers):
    dense = AimConfig.dense()
    assert dense.keep_ratio == 1
    assert dense.schedule.tokens_entering(50, num_layers) == [50] * num_layers
    assert not dense.schedule.prunes(num_layers)


def test_the_default_schedule_scales_with_depth():
    assert AimConfig.for_depth(28) == AimConfig()
    scaled = AimConfig.for_depth(24, keep_ratio=0.5)
    assert (scaled.keep_ratio, scaled.l1, scaled.l2) == (0.5, 12, 19)


@pytest.mark.parametrize("num_layers", range(1, 100))
def test_every_depth_has_a_schedule_that_fits(num_layers):
    config = AimConfig.for_depth(num_layers)
    assert 0 <= config.l1 < config.l2 <= num_layers + 1
    assert config.schedule.tokens_entering(8, num_layers)[0] == 8


@pytest.mark.parametrize("num_layers", [0, -3, 2.0, True, None])
def test_an_impossible_depth_is_refused(num_layers):
    with pytest.raises(ValueError, match="num_layers must be"):
        AimConfig.for_depth(num_layers)
    with pytest.raises(ValueError, match="num_layers must be"):
        AimConfig().schedule.tokens_entering(4, num_layers)


def test_a_negative_token_count_is_refused():
    with pytest.raises(ValueError, match="num_visual must be at least 0, got -1"):
        AimConfig().schedule.tokens_entering(-1, 28)
