"""The explorer's record, and its script run in Chromium: both say of a trace what the Python side says."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aim_core.config import AimConfig
from aim_core.layer_trace import LayerTrace
from aim_core.trace import Trace
from aim_core.view import View
from page import assets
from page.components.explorer import iterations
from page.components.explorer.by_hand import by_hand_record
from page.components.explorer.component import Explored, TokenExplorer
from page.components.explorer.packing import packed_log
from page.components.explorer.record import explorer_record
from page.components.explorer.view_names import view_names
from page.state.frame_files import write_frames
from tests.helpers import modules
from tests.helpers.drawn_trace import make_dropped_trace, make_folded_trace, make_result, make_trace
from visual.heatmaps import alive_drawer, groups_drawer, nearest_scored, scaled_scores, scores_drawer
from visual.palette import browser_palette
from visual.patch_grid import patch_rectangle
from visual.view_pictures import view_pictures

PURE = tuple(
    f"components/explorer/{name}.js"
    for name in ("run", "overrides", "selection", "layout", "blocks", "paint", "token_history", "patch_info")
)


@pytest.fixture(scope="module")
def trace():
    return make_trace(num_frames=3)


@pytest.fixture(scope="module")
def evaluate(browser):
    """Evaluate an expression in which `run` is a trace as the page's script unpacked it."""
    page = modules.module_page(browser)

    def evaluate(trace, expression: str, argument=None, overrides=None):
        body = f"(([record, argument]) => {{ const run = new Run(record); return {expression}; }})(argument)"
        return modules.evaluate(page, PURE, body, [explorer_record(trace, overrides), argument])

    yield evaluate
    page.close()


@pytest.fixture(scope="module")
def script(evaluate, trace):
    return partial(evaluate, trace)


def unpack(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def test_the_record_holds_the_trace(trace):
    record = explorer_record(trace)
    assert np.array_equal(unpack(record["row"], "<i4").reshape(trace.group.shape), trace.rows())
    assert np.array_equal(unpack(record["group"], "<i4").reshape(trace.group.shape), trace.group)
    last = unpack(record["last"], "<i2").astype(int)
    assert np.array_equal(last[trace.rows()], trace.last_layer())
    assert (unpack(record["into"], "<i4") == -1).all()
    scores = unpack(record["scores"], "<f4").reshape(len(trace.scored_layers), -1)
    for row, layer in zip(scores, trace.scored_layers, strict=True):
        np.testing.assert_array_equal(row[trace.rows()], trace.scores(layer))
    assert record["retained"] == trace.retained.tolist() and {tuple(view["grid"]) for view in record["views"]} == {
        trace.grid
    }


def test_suffix_rows_are_in_the_record_too(trace):
    record = explorer_record(trace)
    rows = trace.num_merged + 1
    assert len(unpack(record["last"], "<i2")) == rows
    assert len(unpack(record["scores"], "<f4")) == len(trace.scored_layers) * rows


def test_patches_have_the_mean_colour_of_their_pixels(trace):
    """Against the mean of the pixels of each patch, one after the other."""
    mean = unpack(explorer_record(trace)["mean"], "u1").reshape(*trace.group.shape, 3)
    for view, (own, picture) in enumerate(zip(mean, view_pictures(trace), strict=True)):
        for patch, colour in enumerate(own):
            top, bottom, left, right = patch_rectangle(patch, trace.all_views[view].grid, picture.shape[:2])
            pixels = picture[top:bottom, left:right].reshape(-1, 3)
            np.testing.assert_allclose(colour, pixels.mean(axis=0), atol=0.51)


@pytest.fixture(scope="module")
def mixed():
    """Two frames share the first view, the two halves of a picture follow with grids of their own, then its whole."""
    base = make_trace(num_frames=3)
    halves = [View(0, (2,), (3, 2), (0, 0, 0.5, 1)), View(0, (2,), (2, 2), (0.5, 0, 1, 1))]
    views = (View(0, (0, 1), (3, 4)), *halves, View(0, (2,), (1, 2)))
    rows = [
        np.arange(12) + 2,
        np.arange(6) // 2 + 20,
        np.arange(4) + 23,
        np.array([30, 30]),
    ]  # 0, 1 and more: separators
    none = np.zeros(0, np.float32)
    layers = (LayerTrace(0, np.arange(31), none), LayerTrace(1, np.arange(5, 24), none))
    return Trace.of_views(base.frames, base.times, views, rows, layers, np.array([31, 19]))


def test_every_view_is_in_the_record_with_a_grid_of_its_own(mixed):
    record = explorer_record(mixed)
    separator = unpack(record["separator"], "u1")
    assert np.flatnonzero(separator).tolist() == [0, 1, *range(14, 20), 27, 28, 29]
    assert [view["grid"] for view in record["views"]] == [[3, 4], [3, 2], [2, 2], [1, 2]]
    assert [view["size"] for view in record["views"]] == [[50, 70], [50, 35], [50, 35], [50, 70]]
    assert [view["time"] for view in record["views"]] == ["0.0 s", "1.0 s", "1.0 s", "1.0 s"]


def test_views_are_named_by_what_they_show(mixed):
    first, left, right, whole = view_names(mixed.views)
    assert first == {"kind": "frames", "first": 1, "last": 2}
    assert left == {"kind": "crop", "number": 1, "row": "1", "column": "1"} and right["column"] == "2"
    assert whole == {"kind": "whole", "rows": 1, "columns": 2}


def test_views_of_several_pictures_say_which(mixed):
    crops = [replace(view, medium=1, frames=(0,)) for view in mixed.views[1:]]
    assert view_names([View(0, (0,), (2, 2)), *crops]) == [
        {"kind": "picture", "picture": 1},
        {"kind": "cropOf", "picture": 2, "number": 1, "row": "1", "column": "1"},
        {"kind": "cropOf", "picture": 2, "number": 2, "row": "1", "column": "2"},
        {"kind": "wholeOf", "picture": 2, "rows": 1, "columns": 2},
    ]


def test_a_crop_that_spans_rows_says_so():
    boxes = [(0, 0, 0.5, 1), (0.5, 0, 1, 0.5), (0.5, 0.5, 1, 1)]
    names = view_names([View(0, (0,), (2, 2), box) for box in boxes])
    assert [name["row"] for name in names] == ["1–2", "1", "2"] and [name["column"] for name in names] == [
        "1",
        "2",
        "2",
    ]


def test_pictures_are_written_once(frames, tmp_path):
    upright, turned = frames[0], frames[0][::-1]
    paths = [Path(file.path) for file in write_frames([upright, turned, upright], str(tmp_path))]
    assert paths[0] == paths[2] != paths[1]
    assert np.array_equal(np.asarray(Image.open(paths[1])), turned)
    before = paths[0].stat().st_ino
    assert write_frames([upright], str(tmp_path))[0].path == str(paths[0]) and paths[0].stat().st_ino == before


def test_a_picture_in_the_place_of_another_gets_its_own_name(tmp_path):
    def name(colour: int) -> str:
        return write_frames([np.full((4, 4, 3), colour, np.uint8)], str(tmp_path))[0].path

    assert len({name(colour) for colour in range(40)}) == 40  # their memory is used again, one after the other


def test_the_component_takes_a_result_and_serves_its_frames(trace):
    explorer, result = TokenExplorer(elem_id="explorer"), make_result(trace)
    data = explorer.postprocess(Explored(result, refused="no"))
    assert len(data.pictures) == trace.num_frames and data.record["numLayers"] == trace.num_layers
    first = Path(data.pictures[0].path)
    first.unlink()  # the cache is emptied by and by
    assert Path(explorer.postprocess(Explored(result)).pictures[0].path).exists()
    assert data.refused["sentence"] == "no" and explorer.postprocess(Explored(result)).refused is None
    assert explorer.postprocess(None) is None and explorer.preprocess(data) is None


def test_templates_hold_no_place_for_what_visitors_type():
    for name in ("components/explorer/explorer.html", "components/explorer/explorer.css"):
        text = assets.text(name)
        assert "${" not in text and "{{" not in text and "`" not in text


@pytest.mark.browser
def test_the_script_finds_groups_and_their_sizes(script, trace):
    tokens = script("[...Array(run.numViews).keys()].map(f => [...Array(run.wide).keys()].map(p => run.token(f, p)))")
    assert np.array_equal(tokens, trace.rows())
    assert script("[...run.sizes]") == [*np.bincount(trace.rows().ravel()), 0]
    assert script("run.members(2, run.token(2, 9))") == [8, 9, 10]


@pytest.mark.browser
def test_the_script_knows_who_is_alive(script, trace):
    for layer in range(trace.num_layers):
        alive = script("[...run.row].map(token => run.isAlive(token, argument))", layer)
        assert np.array_equal(np.reshape(alive, trace.group.shape), trace.alive(layer))
        frames = script("[...Array(run.numViews).keys()].map(f => run.aliveInView(f, argument))", layer)
        kept = trace.layers[layer].kept
        assert frames == [int(((kept // trace.tokens_per_frame) == f).sum()) for f in range(trace.num_frames)]


@pytest.mark.browser
@pytest.mark.parametrize("scale", ["rank", "log"])
def test_the_script_scales_scores_as_the_figures_do(script, trace, scale):
    for layer in trace.scored_layers:
        values, low, high = scaled_scores(trace, layer, scale)
        expected = (values - low) / (high - low)
        drawn = script(
            "[...run.row].map(token => run.scoreScale(argument[0]).unitScore(token, argument[1], new Set()))"
            ".map(v => Number.isNaN(v) ? null : v)",
            [layer, scale],
        )
        drawn = np.array([np.nan if value is None else value for value in drawn]).reshape(trace.group.shape)
        np.testing.assert_allclose(drawn, expected, atol=1e-5)


@pytest.mark.browser
def test_within_its_frame_a_token_stands_by_its_rank_among_the_tokens_of_the_frame(script, trace):
    layer = trace.scored_layers[-1]
    scores, rows = trace.scores_by_row()[-1], trace.rows()
    for view, tokens in enumerate(map(np.unique, rows)):
        there = {int(token): scores[token] for token in tokens if not np.isnan(scores[token])}
        drawn = script(
            "[...argument[2]].map(token => run.scoreScale(argument[0])"
            ".unitScore(token, 'frame', run.tokensOf[argument[1]]))",
            [layer, view, [*there]],
        )
        ahead = [sum(one > own for one in there.values()) for own in there.values()]  # no two are the same here
        expected = [1 - place / (len(there) - 1) if len(there) > 1 else 0.5 for place in ahead]
        np.testing.assert_allclose(drawn, expected, atol=1e-6)
        assert len(there) < 2 or {min(drawn), max(drawn)} == {0, 1}  # the whole range in every frame


@pytest.mark.browser
def test_the_script_takes_the_nearest_measured_layer_and_none_after_the_last(script, trace):
    measured = script("[...Array(run.layers).keys()].map(layer => run.measured(layer))")
    last = trace.scored_layers[-1]
    assert measured[: last + 1] == [nearest_scored(trace, layer) for layer in range(last + 1)]
    assert measured[last + 1 :] == [None] * (trace.num_layers - 1 - last) != []


@pytest.mark.browser
def test_frames_share_all_importance_but_the_suffix_rows(script, trace):
    scores = trace.layers[1].scores.astype(float)
    per_frame = scores[: trace.num_merged].reshape(trace.num_frames, -1).sum(axis=1) / scores.sum()
    np.testing.assert_allclose(script("[...run.viewShares(1)]"), per_frame, rtol=1e-5)


@pytest.mark.browser
def test_ranks_count_from_the_top(script, trace):
    rows = trace.num_merged + 1
    assert script("run.scoreScale(1).rank(0)") == {"place": rows, "of": rows}  # the score of row i is i + 1
    assert script("run.scoreScale(1).rank(run.last.length - 1)") == {"place": 1, "of": rows}
    assert script("run.scoreScale(2).rank(1)") is None  # pruned before layer 2


@pytest.mark.browser
def test_patches_lie_where_the_figures_draw_them(script):
    boxes = script("[...Array(run.wide).keys()].map(p => patchBox(run.views[0], {x: 0, y: 0, w: 71, h: 53}, p))")
    for patch, box in enumerate(boxes):
        top, bottom, left, right = patch_rectangle(patch, (3, 4), (53, 71))
        assert (box["y"], box["y"] + box["h"], box["x"], box["x"] + box["w"]) == (top, bottom, left, right)


@pytest.mark.browser
@pytest.mark.parametrize(("width", "least"), [(350, 64), (1030, 120), (2100, 120)])
@pytest.mark.parametrize("count", [1, 8, 31, 32])
@pytest.mark.parametrize("proportion", [0.5625, 1, 1.7778])
def test_frames_have_their_least_width_in_the_height_that_is_asked_for(script, width, least, count, proportion):
    tall, boxes = script(
        "(([w, n, p, least]) => { const h = heightFor(w, Array(n).fill(p), 10, 20, least);"
        " return [h, viewBoxes(w, h, Array(n).fill(p), 10, 20)]; })(argument)",
        [width, count, proportion, least],
    )
    assert len(boxes) == count and min(box["w"] for box in boxes) >= least - 4  # boxes are of whole pixels, twice
    columns = (width - 10) // (least + 10)
    assert tall == -(-count // columns) * (-(-least // proportion) + 30) + 10


@pytest.mark.browser
@pytest.mark.parametrize("count", [1, 2, 8, 32])
def test_frames_fit_their_room_and_do_not_overlap(script, count):
    boxes = script("viewBoxes(900, 500, Array(argument).fill(1.5), 8, 20)", count)
    assert len(boxes) == count
    cells = {(box["x"], box["y"]) for box in boxes}
    assert len(cells) == count
    for box in boxes:
        assert box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["w"] <= 900 and box["y"] + box["h"] + 20 <= 500
        inside = [b for b in boxes if abs(b["x"] - box["x"]) < box["w"] and abs(b["y"] - box["y"]) < box["h"]]
        assert inside == [box]


@pytest.mark.browser
def test_a_life_is_told_in_order(script):
    words = """new Proxy({names: {frame: '{first}'}}, {get: (known, name) => known[name] ||
        name + ' {place} {of} {stay} {layer} {others} {layers}'})"""
    told = script(f"historyEvents(run, {words}, {{view: 0, patch: 2}})")  # token 1 is 18th of 19, then goes
    assert told[0].startswith("bornAs") and told[1].startswith("mergedWith") and "1" in told[1]
    assert told[2].startswith("prunedBelow 18 19 10 1")
    assert script(f"historyEvents(run, {words}, {{view: 2, patch: 11}})")[1].startswith("notMerged")


@pytest.mark.browser
def test_a_folded_token_is_told_to_go_on_in_another(evaluate):
    """Patches 2 and 3 of frame 1 are token 1, folded into token 4, whose patches are 8 to 10; patch 11 is token 5."""
    own = partial(evaluate, make_folded_trace())
    words = """new Proxy({names: {frame: '{first}'}}, {get: (known, name) =>
        known[name] || name + ' {layer} {group}'})"""
    state = "{layer: 2, overlay: 'alive', scorer: 'pagerank', head: -1, iteration: 0}"
    assert own(f"historyEvents(run, {words}, {{view: 0, patch: 2}})")[2] == "folded 2 1.5"
    assert own(f"patchInfoOf(run, {words}, {{view: 0, patch: 2}}, {state}).fate") == "foldedFate 2 1.5"
    assert own(f"historyEvents(run, {words}, {{view: 0, patch: 11}})")[2] == "folded 2 –"
    assert own("[4, 7].map((token) => run.isFolded(token))") == [False, False]  # one stays, one was dropped
    painted = own("""[0, 1].map((view) => {
        const calls = [], ctx = new Proxy({}, { get: (_, name) => () => calls.push(name), set: () => true });
        paintAlive(ctx, run, {}, {}, view, { x: 0, y: 0, w: 80, h: 60 }, 2);
        return calls.filter((name) => name === "fillRect" || name === "strokeRect");
    })""")
    assert painted == [["strokeRect"] * 5, ["fillRect"] * 5]  # rings on patches 2, 3, 6, 7 and 11; dots in frame 2


@pytest.mark.browser
def test_frames_of_other_proportions_keep_them(evaluate, mixed):
    boxes = evaluate(mixed, "viewBoxes(900, 500, run.views.map(view => view.width / view.height), 8, 20)")
    assert len({(box["x"], box["y"] + box["h"]) for box in boxes}) == 4
    for box, view in zip(boxes, explorer_record(mixed)["views"], strict=True):
        assert box["w"] / box["h"] == pytest.approx(view["size"][1] / view["size"][0], abs=0.02)


@pytest.mark.browser
def test_crops_of_a_picture_are_drawn_together_in_their_places(evaluate, mixed):
    blocks = evaluate(mixed, "blocksOf(run.views, [0, 1, 2, 3], (view) => view.width / view.height)")
    assert [block["views"] for block in blocks] == [[0], [1, 2], [3]] and blocks[1]["across"] == 2
    alone = explorer_record(mixed)["views"][1]["size"]
    assert blocks[1]["proportion"] == pytest.approx(2 * alone[1] / alone[0], abs=0.02)
    box = {"x": 10, "y": 20, "w": 100, "h": 50}
    (one, left), (other, right) = evaluate(mixed, "boxesIn(run.views, ...argument, 2)", [blocks[1], box])
    assert (one, other) == (1, 2) and left == box | {"w": 48} and right == box | {"x": 60, "w": 50}


@pytest.mark.browser
def test_patches_of_every_grid_are_found_under_the_pointer(evaluate, mixed):
    box = "{x: 10, y: 20, w: 70, h: 50}"
    for view, grid in enumerate([(3, 4), (3, 2), (2, 2), (1, 2)]):
        for patch in range(grid[0] * grid[1]):
            middle = f"middle(run.views[{view}], {box}, [{patch}])"
            assert evaluate(mixed, f"patchAt(run, [[{view}, {box}]], ...{middle})") == {"view": view, "patch": patch}
    assert evaluate(mixed, f"patchAt(run, [[0, {box}]], 5, 30)") is None
    assert evaluate(mixed, "run.members(3, run.token(3, 0))") == [0, 1]


@pytest.mark.browser
def test_the_pointer_reads_the_patch_that_is_drawn_there(script):
    read, drawn = script("""(() => {
        const box = { x: 10, y: 20, w: 71, h: 53 };
        const read = [], drawn = [];
        for (let x = 9.5; x < 82; x++) for (let y = 19.5; y < 74; y++) {
            read.push(patchAt(run, [[0, box]], x, y)?.patch ?? -1);
            drawn.push([...Array(12).keys()].findIndex((patch) => {
                const own = patchBox(run.views[0], box, patch);
                return x >= own.x && x < own.x + own.w && y >= own.y && y < own.y + own.h;
            }));
        }
        return [read, drawn];
    })()""")
    assert read == drawn and {*read} == {-1, *range(12)}


@pytest.fixture(scope="module")
def result(engine, frames):
    return engine.run(frames, "is there a star?", config=AimConfig(0.25, 3, 7), max_new_tokens=1, details=True)


@pytest.mark.browser
def test_the_script_follows_the_rounds_of_merging(evaluate, result):
    trace = result.trace
    for rounds in range(len(trace.rounds) + 1):
        assert (
            evaluate(trace, "[...run.merging.numbers[argument]]", rounds) == trace.round_groups(rounds).ravel().tolist()
        )
        tokens = sum(len(np.unique(row)) for row in trace.round_groups(rounds))
        assert evaluate(trace, "run.merging.counts[argument]", rounds) == tokens


@pytest.mark.browser
def test_every_token_that_a_round_took_away_has_one_link(evaluate, result):
    trace = result.trace
    for rounds in (1, 2):
        before, after = trace.round_groups(rounds - 1), trace.round_groups(rounds)
        for frame in range(trace.num_views):
            links = evaluate(trace, "run.merging.links(...argument)", [frame, rounds])
            assert len(links) == len(np.unique(before[frame])) - len(np.unique(after[frame]))
            for link in links:
                assert len(set(before[frame][link["from"]])) == 1 == len(set(before[frame][link["to"]]))
                assert len(set(after[frame][link["from"] + link["to"]])) == 1
    assert evaluate(trace, "run.merging.links(0, 0)") == []


@pytest.mark.browser
def test_pagerank_ends_in_the_scores_for_all_heads_and_starts_even(evaluate, result):
    trace = result.trace
    scored = trace.layers[trace.scored_layers[0]]
    assert scored.steps.shape[:2] == (2, 6)
    at = lambda head, step: np.array(  # noqa: E731
        evaluate(
            trace,
            "[...run.recordedScores.scoresAt(...argument)].filter(score => !Number.isNaN(score))",
            [scored.layer, head, step],
        )
    )
    np.testing.assert_allclose(at(-1, 5), scored.scores, rtol=1e-3)
    for step in range(6):
        np.testing.assert_allclose(at(1, step), scored.steps[1, step], rtol=1e-3, atol=1e-30)
    assert np.ptp(at(0, 0)) == 0
    end = evaluate(trace, "[...run.scoreScale(argument).scores]", scored.layer)
    np.testing.assert_array_equal(np.array(end, dtype=np.float32)[scored.kept], scored.scores)


def test_heads_that_are_too_many_travel_as_their_mean(result, monkeypatch):
    monkeypatch.setattr(iterations, "MOST", 100)
    record = iterations.steps_record(result.trace)
    layer = result.trace.scored_layers[0]
    assert record["heads"] == 1 and record["iterations"] == 5
    small = record["layers"][str(layer)]
    levels = unpack(small["data"], "<u2").reshape(6, -1)[-1].astype(float)
    scores = 2 ** (small["low"] + (levels - 1) / 65534 * (small["high"] - small["low"]))
    np.testing.assert_allclose(scores, result.trace.layers[layer].scores, rtol=1e-3)


def test_small_numbers_and_none_survive_packing():
    scores = np.array([0, 1e-37, 3e-12, 0.25, 1], dtype=np.float32)
    small = packed_log(scores)
    levels = unpack(small["data"], "<u2").astype(float)
    back = np.where(levels > 0, 2 ** (small["low"] + (levels - 1) / 65534 * (small["high"] - small["low"])), 0)
    np.testing.assert_allclose(back, scores, rtol=1e-3)
    assert not unpack(packed_log(np.zeros(3, np.float32))["data"], "<u2").any()


@pytest.mark.browser
def test_marks_that_a_merge_brings_together_are_seen(evaluate, trace):
    marks = '[{view: 0, patch: 0, kind: "protect"}, {view: 0, patch: 1, kind: "remove"}]'
    assert evaluate(trace, f"[...overriddenTokens(run, {marks})]") == [[0, "both"]]
    assert evaluate(trace, f'overridesWith(run, {marks}, [{{view: 0, patch: 1}}], "protect")') == []
    turned = evaluate(trace, f'overridesWith(run, {marks}.slice(1), [{{view: 0, patch: 0}}], "protect")')
    assert turned == [{"view": 0, "patch": 0, "kind": "protect"}]


def slow_selection(trace: Trace, covered: list[int], cols: list[int], start: int, end: int) -> list[list[int]]:
    """[view, patch] of the first patch inside of each group with half of its patches of a covered view inside; `cols`
    and the corners are those of the first of them."""
    top, bottom = sorted(patch // cols[covered[0]] for patch in (start, end))
    left, right = sorted(patch % cols[covered[0]] for patch in (start, end))
    found, rows = {}, trace.rows()
    for view in covered:
        for token in sorted({*rows[view].tolist()} - {-1}):
            own = [patch for patch in np.flatnonzero(rows[view] == token).tolist() if trace.group[view, patch] >= 0]
            inside = [p for p in own if top <= p // cols[view] <= bottom and left <= p % cols[view] <= right]
            if inside and len(inside) >= len(own) / 2 and token not in found:
                found[token] = [view, inside[0]]
    return sorted(found.values())


@pytest.mark.browser
@pytest.mark.parametrize("through", [False, True])
@pytest.mark.parametrize("kind", ["plain", "mixed", "dropped"])
def test_an_area_holds_the_groups_with_half_of_their_patches_inside(evaluate, trace, mixed, kind, through):
    """All rectangles of each view, against a slow count."""
    one = {"plain": trace, "mixed": mixed, "dropped": make_dropped_trace()}[kind]
    grids = [view.grid for view in one.all_views]
    peers = range(one.num_views) if through and kind != "mixed" else ()  # of the mixed views no two are alike
    asked = [
        (view, start, end)
        for view, (rows, cols) in enumerate(grids)
        for start in range(rows * cols)
        for end in range(rows * cols)
    ]
    spots = f"selectedSpots(run, {{view, from, to}}, {str(through).lower()}).map(spot => [spot.view, spot.patch])"
    found = evaluate(one, f"argument.map(([view, from, to]) => {spots})", asked)
    cols = [grid[1] for grid in grids]
    for (view, start, end), own in zip(asked, found, strict=True):
        covered = list(peers) or [view]
        assert sorted(own) == slow_selection(one, covered, cols, start, end), (view, start, end)


@pytest.mark.browser
def test_of_crops_an_area_goes_through_those_of_the_same_place(evaluate, mixed):
    views = """[0, 1, 2, 1].map((number) => ({ rows: 2, cols: 2, height: 4, width: 4,
        name: number ? { kind: "crop", number } : { kind: "whole" } }))"""
    same = f"[0, 1, 2, 3].map(view => sameViews({{ views: {views} }}, view))"
    assert evaluate(mixed, same) == [[0], [1, 3], [2], [1, 3]]


@pytest.mark.browser
def test_an_area_is_marked_unless_all_of_it_is(evaluate, trace):
    """Patches 0, 2 and 4 are of three groups; 1 is of the group of 0."""
    spots = "[0, 2, 4].map(patch => ({view: 0, patch}))"
    change = f"overridesWith(run, argument, {spots}, 'remove').map(mark => [mark.patch, mark.kind])"
    mark = lambda patch, kind="remove": {"view": 0, "patch": patch, "kind": kind}  # noqa: E731
    removed = [[patch, "remove"] for patch in (0, 2, 4)]
    assert evaluate(trace, change, []) == removed
    assert evaluate(trace, change, [mark(1), mark(6), mark(2, "protect")]) == [[6, "remove"], *removed]
    assert evaluate(trace, change, [mark(1), mark(2), mark(4), mark(6)]) == [[6, "remove"]]


@pytest.mark.browser
def test_a_dropped_patch_cannot_be_marked(evaluate):
    marks = "overridesWith(run, argument, [{view: 0, patch: 2}], 'protect')"
    assert evaluate(make_dropped_trace(), marks, []) == []


def test_what_marks_did_is_told_of_both_answers(trace):
    aim = make_result(trace)
    hand = replace(aim, answer="no ", cost=replace(aim.cost, visual_per_layer=(4, 2)))
    told = by_hand_record({"dense": aim, "aim": aim, "hand": hand})
    assert told == {"aim": "yes", "hand": "no ", "same": False, "entered": 4, "enteredAlone": trace.retained[0]}
    assert by_hand_record({"aim": aim, "hand": aim})["same"] and by_hand_record({"dense": aim, "aim": aim}) is None


@pytest.mark.browser
def test_marks_follow_their_pictures(evaluate, trace):
    marks = '[{view: 1, patch: 3, kind: "remove"}]'
    carried = f"carriedOverrides({marks}, ['a', 'b'], argument, run).map(mark => mark.view)"
    assert [evaluate(trace, carried, after) for after in (["a", "b"], ["b", "x"], ["x", "y"])] == [[1], [0], []]


@pytest.fixture(scope="module")
def compared(engine, frames):
    """A run that was scored by the other scorers too."""
    return engine.run(frames, "why?", config=AimConfig(0.25, 2, 9), max_new_tokens=1, other_scores=True).trace


@pytest.mark.browser
@pytest.mark.parametrize(("scorer", "name"), [("received", "received"), ("lastToken", "last_token")])
def test_the_script_scores_by_other_scorers_too(evaluate, compared, scorer, name):
    choice = f"-1, Infinity, '{scorer}'"
    for layer in compared.scored_layers:
        own = compared.layers[layer]
        scores = getattr(own, name)
        told = evaluate(compared, f"[...run.scoreScale({layer}, {choice}).scores]")
        np.testing.assert_array_equal(np.array(told, dtype=np.float32)[own.kept], scores)
        rank = evaluate(compared, f"run.scoreScale({layer}, {choice}).rank({int(own.kept[scores.argmax()])})")
        assert rank == {"place": 1, "of": len(scores)}
        assert evaluate(compared, f"run.earlyOf({layer}, '{scorer}')") == pytest.approx(own.early_of(scores))
        shares = np.array(evaluate(compared, f"[...run.viewShares({layer}, {choice})]"))
        of_views = [scores[np.isin(own.kept, rows)].sum() / scores.sum() for rows in compared.rows()]
        np.testing.assert_allclose(shares, of_views, rtol=1e-4)
    assert evaluate(compared, "run.scores.size") == 3


@pytest.mark.browser
def test_a_run_without_other_scores_is_scored_by_pagerank(script, trace):
    assert explorer_record(trace)["others"] == {} and script("run.scores.size") == 1
    assert script("run.knownScorer('received')") == "pagerank"
    same = "[...run.scoreScale(1, -1, Infinity, argument).scores].map(score => score || 0)"
    assert script(same, "lastToken") == script(same, "pagerank")


@pytest.mark.browser
def test_dropped_patches_are_no_group_and_a_group_across_frames_is_in_both(evaluate):
    trace = make_dropped_trace()
    told = partial(evaluate, trace)
    dropped = told("[0, 1].map(view => [...Array(12).keys()].map(patch => run.isDropped(view, patch)))")
    assert np.array_equal(dropped, trace.dropped)
    assert told("run.tokens") == [4, 2] and told("[...run.sizes]") == [3, 1, 1, 1, 2, 0] + [0] * 16
    for layer in range(4):
        alive = told("[...run.row].map(token => run.isAlive(token, argument))", layer)
        assert np.array_equal(np.reshape(alive, (2, 12)), trace.alive(layer))
        counts = [len(np.unique(trace.rows()[view][trace.alive(layer)[view]])) for view in (0, 1)]
        assert told("[0, 1].map(view => run.aliveInView(view, argument))", layer) == counts
    np.testing.assert_allclose(told("[...run.viewShares(1)]"), [12 / 21, 11 / 21], rtol=1e-5)
    assert told("[run.members(0, run.token(1, 0)), run.members(1, run.token(0, 0))]") == [[0, 1], [0]]
    assert told("run.members(0, run.token(0, 2))") == [2] and told("run.members(1, run.token(0, 2))") == []


@pytest.mark.browser
def test_a_dropped_patch_is_told_as_dropped(evaluate):
    words = """new Proxy({names: {frame: '{first}'}}, {get: (known, name) => known[name] || name})"""
    trace = make_dropped_trace()
    assert evaluate(trace, f"historyEvents(run, {words}, {{view: 0, patch: 2}})") == ["bornAs", "dropped"]
    assert evaluate(trace, f"historyEvents(run, {words}, {{view: 0, patch: 5}})")[1] == "notMerged"
    state = "{layer: 1, overlay: 'alive', scorer: 'pagerank', head: -1, iteration: 9}"
    info = evaluate(trace, f"patchInfoOf(run, {words}, {{view: 1, patch: 11}}, {state})")
    assert [info[name] for name in ("group", "size", "similarity", "rank", "score", "fate")] == [
        "–",
        "0",
        "–",
        "–",
        "–",
        "droppedFate",
    ]


@pytest.mark.browser
@pytest.mark.parametrize("make", [make_trace, make_dropped_trace])
@pytest.mark.parametrize(("overlay", "layer"), [("groups", 0), ("alive", 0), ("alive", 2), ("scores", 1)])
def test_the_explorer_paints_the_colours_of_the_figures(evaluate, make, overlay, layer):
    """Every pixel that is no line or beside one, against `visual.overlay`."""
    trace = make(size=(120, 160))  # patches of 40 x 40 pixels
    choice = {"overlay": overlay, "layer": layer, "scale": "rank", "round": 9, "wipe": 0, "head": -1, "iteration": 9}
    png = io.BytesIO()
    Image.fromarray(trace.frames[0]).save(png, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    painted = evaluate(
        trace,
        """(async ({ url, palette, choice }) => {
        const image = Object.assign(new Image(), { src: url });
        await image.decode();
        const ctx = blank(160, 120).getContext("2d");
        new Painter(run, [prepared(image, palette)], palette).view(ctx, 0, { x: 0, y: 0, w: 160, h: 120 }, choice);
        return [...ctx.getImageData(0, 0, 160, 120).data];
    })(argument)""",
        {"url": url, "palette": browser_palette(), "choice": choice},
    )
    drawers = {
        "groups": groups_drawer,
        "alive": lambda trace: alive_drawer(trace, layer),
        "scores": lambda trace: scores_drawer(trace, layer, "rank"),
    }
    drawn = drawers[overlay](trace)(trace.frames[0], 0).astype(int)
    painted = np.array(painted).reshape(120, 160, 4)[..., :3]
    inside = [at for at in range(160) if 6 <= at % 40 < 34]
    rows = [at for at in inside if at < 120]
    assert np.abs(painted - drawn)[np.ix_(rows, inside)].max() <= 3
    if not trace.alive(layer).all() or overlay != "alive":
        assert np.abs(drawn - trace.frames[0])[np.ix_(rows, inside)].max() > 20  # the overlay shows
