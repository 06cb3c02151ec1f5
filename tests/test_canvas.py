"""The explorer's record, and its script run in Chromium: both say of a trace what the Python side says."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

from aim_core.trace import LayerTrace, Trace, View
from page import assets
from page.canvas.component import SCRIPTS, TokenExplorer
from page.canvas.records import explorer_record, last_layers, pictures, score_table
from tests.drawn_trace import make_trace
from visual.patches import patch_rectangle
from visual.views import nearest_scored, scaled_scores

PURE = [f"canvas/{name}.js" for name in ("run", "layout", "life", "reading")]


@pytest.fixture(scope="module")
def trace():
    return make_trace(num_frames=3)


@pytest.fixture(scope="module")
def script(browser, trace):
    """Evaluate an expression in which `run` is the trace as the page's script unpacked it."""
    page = browser.new_page()
    code = assets.text("script/common.js", *PURE)

    def evaluate(expression: str, argument=None):
        body = f"([record, argument]) => {{ {code}; const run = new Run(record); return {expression}; }}"
        return page.evaluate(body, [explorer_record(trace), argument])

    yield evaluate
    page.close()


def unpack(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def test_the_record_holds_the_trace(trace):
    record = explorer_record(trace)
    assert np.array_equal(unpack(record["row"], "<i4").reshape(trace.group.shape), trace.rows())
    assert np.array_equal(unpack(record["group"], "<i4").reshape(trace.group.shape), trace.group)
    last = unpack(record["last"], "<i2").astype(int)
    assert np.array_equal(last[trace.rows()], trace.last_layer())
    scores = unpack(record["scores"], "<f4").reshape(len(trace.scored_layers), -1)
    for row, layer in zip(scores, trace.scored_layers, strict=True):
        np.testing.assert_array_equal(row[trace.rows()], trace.importance(layer))
    assert record["retained"] == trace.retained.tolist() and record["grid"] == list(trace.grid)


def test_suffix_rows_are_in_the_record_too(trace):
    assert len(last_layers(trace)) == trace.num_merged + 1 == score_table(trace).shape[1]


def test_touching_groups_differ_in_colour(trace):
    record = explorer_record(trace)
    colour = unpack(record["colour"], "u1")[trace.rows()]
    assert (colour[:, 1] != colour[:, 2]).all() and colour.max() < len(record["colours"])


def test_views_are_shown_wherever_their_rows_lie():
    """Two frames share the first view, a picture's crop is the second, a view of another grid is left out."""
    base = make_trace(num_frames=3)
    views = (View(0, (0, 1), (3, 4)), View(0, (2,), (3, 4), (0.5, 0, 1, 1)), View(0, (2,), (2, 2)))
    rows = [np.arange(12) + 2, np.arange(12) // 2 + 20, np.arange(4) + 30]  # rows 0, 1 and 14 to 19 are separators
    none = np.zeros(0, np.float32)
    layers = (LayerTrace(0, np.arange(34), none), LayerTrace(1, np.arange(5, 25), none))
    trace = Trace.of_views(base.frames, base.times, views, rows, layers, np.array([34, 20]))
    record = explorer_record(trace)
    home = unpack(record["view"], "<i2")
    assert (
        home[2:14].tolist() == [0] * 12 and home[20:26].tolist() == [1] * 6 and (home[[0, 1, 14, 19, 30]] == -1).all()
    )
    assert record["times"] == [0.0, 1.0] and [part.shape[1] for part in pictures(trace)] == [70, 35]


def test_the_component_takes_a_trace_and_serves_its_frames(trace):
    explorer = TokenExplorer(elem_id="explorer")
    data = explorer.postprocess(trace)
    assert len(data.frames) == trace.num_frames and data.record["numLayers"] == trace.num_layers
    first = Path(data.frames[0].path)
    first.unlink()  # the cache is emptied by and by
    assert Path(explorer.postprocess(trace).frames[0].path).exists()
    assert explorer.postprocess(None) is None and explorer.preprocess(data) is None


def test_templates_hold_no_place_for_what_visitors_type():
    for name in ("canvas/explorer.html", "canvas/explorer.css"):
        text = assets.text(name)
        assert "${" not in text and "{{" not in text and "`" not in text
    scripts = assets.text("script/common.js", *(f"canvas/{name}.js" for name in SCRIPTS))
    assert "innerHTML" not in scripts and "insertAdjacentHTML" not in scripts


@pytest.mark.browser
def test_the_script_finds_groups_and_their_sizes(script, trace):
    tokens = script("[...Array(run.frames).keys()].map(f => [...Array(run.patches).keys()].map(p => run.token(f, p)))")
    assert np.array_equal(tokens, trace.rows())
    assert script("[...run.sizes]") == [*np.bincount(trace.rows().ravel()), 0]
    assert script("run.members(2, run.token(2, 9))") == [8, 9, 10]


@pytest.mark.browser
def test_the_script_knows_who_is_alive(script, trace):
    for layer in range(trace.num_layers):
        alive = script("[...run.group.keys()].map(i => run.isAlive(run.token(Math.floor(i / run.patches), "
                       "i % run.patches), argument))", layer)  # fmt: skip
        assert np.array_equal(np.reshape(alive, trace.group.shape), trace.alive(layer))
        frames = script("[...Array(run.frames).keys()].map(f => run.frameAlive(f, argument))", layer)
        kept = trace.layers[layer].kept
        assert frames == [int(((kept // trace.tokens_per_frame) == f).sum()) for f in range(trace.num_frames)]


@pytest.mark.browser
@pytest.mark.parametrize("scale", ["rank", "log"])
def test_the_script_scales_scores_as_the_figures_do(script, trace, scale):
    for layer in trace.scored_layers:
        values, low, high = scaled_scores(trace, layer, scale)
        expected = (values - low) / (high - low)
        drawn = script(
            "[...run.group.keys()].map(i => run.height01(run.token(Math.floor(i / run.patches), i % run.patches), "
            "argument[0], argument[1])).map(v => Number.isNaN(v) ? null : v)",
            [layer, scale],
        )
        drawn = np.array([np.nan if value is None else value for value in drawn]).reshape(trace.group.shape)
        np.testing.assert_allclose(drawn, expected, atol=1e-5)


@pytest.mark.browser
def test_the_script_takes_the_nearest_measured_layer(script, trace):
    measured = script("[...Array(run.layers).keys()].map(layer => run.measured(layer))")
    assert measured == [nearest_scored(trace, layer) for layer in range(trace.num_layers)]


@pytest.mark.browser
def test_frames_share_all_importance_but_the_suffix_rows(script, trace):
    scores = trace.layers[1].importance.astype(float)
    per_frame = scores[: trace.num_merged].reshape(trace.num_frames, -1).sum(axis=1) / scores.sum()
    np.testing.assert_allclose(script("[...run.frameShares(1)]"), per_frame, rtol=1e-5)


@pytest.mark.browser
def test_ranks_count_from_the_top(script, trace):
    rows = trace.num_merged + 1
    assert script("run.rank(0, 1)") == {"place": rows, "of": rows}  # the score of row i is i + 1
    assert script("run.rank(run.last.length - 1, 1)") == {"place": 1, "of": rows}
    assert script("run.rank(1, 2)") is None  # pruned before layer 2


@pytest.mark.browser
def test_patches_lie_where_the_figures_draw_them(script):
    boxes = script("[...Array(run.patches).keys()].map(p => patchBox(run, {x: 0, y: 0, w: 71, h: 53}, p))")
    for patch, box in enumerate(boxes):
        top, bottom, left, right = patch_rectangle(patch, (3, 4), (53, 71))
        assert (box["y"], box["y"] + box["h"], box["x"], box["x"] + box["w"]) == (top, bottom, left, right)


@pytest.mark.browser
@pytest.mark.parametrize("count", [1, 2, 8, 32])
def test_frames_fit_their_room_and_do_not_overlap(script, count):
    boxes = script("frameBoxes(900, 500, argument, 1.5, 8, 20)", count)
    assert len(boxes) == count
    cells = {(box["x"], box["y"]) for box in boxes}
    assert len(cells) == count
    for box in boxes:
        assert box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["w"] <= 900 and box["y"] + box["h"] + 20 <= 500
        inside = [b for b in boxes if abs(b["x"] - box["x"]) < box["w"] and abs(b["y"] - box["y"]) < box["h"]]
        assert inside == [box]


@pytest.mark.browser
def test_a_life_is_told_in_order(script):
    words = "new Proxy({}, {get: (_, name) => name + ' {place} {of} {stay} {layer} {others} {layers}'})"
    told = script(f"lifeEvents(run, {words}, {{frame: 0, patch: 2}})")  # token 1 scores 2 of 19 in layer 1, then goes
    assert told[0].startswith("bornAs") and told[1].startswith("mergedWith") and "1" in told[1]
    assert told[2].startswith("prunedBelow 18 19 10 1")
    assert script(f"lifeEvents(run, {words}, {{frame: 2, patch: 11}})")[1].startswith("notMerged")
