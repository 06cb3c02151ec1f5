"""The benchmark runs and reports what it measured; how fast it is stays out of the tests."""

from __future__ import annotations

from benchmarks.prefill import measure, settings, table


def test_the_benchmark_measures_every_setting(engine):
    rows = measure(engine, num_frames=2, per_frame=16, repeats=1)
    assert [row[0] for row in rows] == list(settings(engine.num_layers))
    assert [row[1] for row in rows] == [33, 9, 33, 9] and all(row[3] > 0 for row in rows)
    assert rows[3][2] < rows[1][2] < rows[0][2] and rows[3][2] < rows[2][2]
    text = table("here", rows)
    assert text.count("\n") == 7 and "1.00× | 1.00×" in text
