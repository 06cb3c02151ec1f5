"""Clock: one way to write a time, so that canvas, figures and film agree."""

from __future__ import annotations

import numpy as np
import pytest

from visual.clock import clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.25, "0.3 s"),
        (np.float32(1.25), "1.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1:00"),
        (65.5, "1:06"),
        (1771.8, "29:32"),
        (3723, "1:02:03"),
    ],
)
def test_a_time_is_rounded_half_up_and_has_minutes_where_it_needs_them(seconds, text):
    assert clock(seconds) == text
