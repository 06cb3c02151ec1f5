"""The tour: its settings for models of any depth, what is measured of a run, and what the script makes of it."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import parse_qsl

import numpy as np
import pytest

from aim_core.config import AimConfig
from page import assets
from page.components.tour.component import Tour
from page.components.tour.steps import SAMPLES, largest_group, later_half, measured, steps
from page.i18n import by_language
from page.permalink import read_permalink
from page.state.samples import SAMPLES as FOLDER
from page.state.store import StoredRun
from tests.helpers import modules

WORDS = by_language("TOUR")


@pytest.fixture(scope="module")
def stored(engine, frames):
    question = "is there a star?"
    runs = [
        engine.run(frames, question, config=c, max_new_tokens=2) for c in (AimConfig.dense(), AimConfig(0.25, 6, 9))
    ]
    return StoredRun("clip.mp4", question, len(frames), *runs)


@pytest.fixture(scope="module")
def script(browser):
    """Call a function of the tour's script."""
    page, steps_script = modules.module_page(browser), ("components/tour/steps.js",)
    yield lambda call, *arguments: modules.evaluate(page, steps_script, f"{call}(...argument)", list(arguments))
    page.close()


@pytest.mark.parametrize("depth", [1, 2, 12, 24, 28, 80])
def test_every_step_is_possible_at_any_depth(depth):
    for step in steps(depth):
        assert AimConfig(step.keep_ratio, step.l1, step.l2)
        assert step.l1 <= depth and step.l2 <= depth + 1 and 0 <= step.layer < depth  # as far as the sliders go


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_step_is_told_and_has_a_sentence_for_each_outcome(language):
    told = WORDS[language]["steps"]
    for step, texts in zip(steps(12), told, strict=True):
        assert len(texts["choices"]) == len(texts["means"]) == len(step.bounds) + 1


def test_the_samples_are_there():
    assert all((FOLDER / name).exists() for name, _ in SAMPLES.values())


def test_a_run_is_measured_by_its_own_record(stored):
    record = measured(stored)
    dense, aim = stored.dense, stored.aim
    assert record["visual"] == dense.cost.visual_per_layer[0] and record["merged"] == aim.cost.visual_per_layer[0]
    assert record["per_text"] == record["visual"] / dense.cost.num_text
    assert record["share"] == aim.cost.language_flops / dense.cost.language_flops
    assert record["layer"] == aim.trace.scored_layers[0] and record["changed"] == (dense.answer != aim.answer)
    assert record["settings"] == {"keep_ratio": 0.25, "l1": 6, "l2": 9, "frames": len(stored.dense.trace.frames)}


def test_halves_and_groups_are_counted_patch_by_patch(stored):
    trace = stored.aim.trace
    biggest = max(group.count(number) for group in trace.group.tolist() for number in set(group))
    assert largest_group(trace) == biggest
    first = trace.layers[trace.scored_layers[0]]
    later = [score for row, score in zip(first.kept, first.scores, strict=True) if row >= trace.num_merged / 2]
    assert later_half(trace) == pytest.approx(np.sum(later, dtype=np.float64) / first.scores.sum(dtype=np.float64))
    assert later_half(stored.dense.trace) is None and largest_group(stored.dense.trace) == 1


@pytest.mark.browser
def test_a_measurement_falls_into_one_choice(script, stored):
    step = asdict(steps(12)[1])
    for largest, choice in ((1, 0), (4, 0), (5, 1), (16, 1), (17, 2), (900, 2)):
        assert script("cameOut", step, measured(stored) | {"largest": largest}) == choice
    pagerank = asdict(steps(12)[2])
    assert script("cameOut", pagerank, measured(stored) | {"later_half": None}) is None


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("index", range(5))
def test_what_is_told_follows_the_measurement(script, stored, language, index):
    words, step = WORDS[language], asdict(steps(12)[index])
    texts = words["steps"][index]
    for changed in (0.0, 1.0):
        record = measured(stored) | {"changed": changed, "dense": "left", "aim": "left" if not changed else ""}
        came = script("cameOut", step, record)
        right = script("revealed", step, texts, words, came, record)
        other = script("revealed", step, texts, words, (came + 1) % len(texts["choices"]), record)
        assert right[0] == words["right"] and texts["choices"][came] in other[0]
        assert right[1:] == other[1:] and right[2] == texts["means"][came]
        assert not any("{" in line or "undefined" in line for line in right + other)
        if step["tells_answer"]:
            assert ("left" in right[3]) and (words["silent"] in right[3]) == bool(changed)


@pytest.mark.browser
def test_only_the_run_that_was_asked_for_is_told(script, stored):
    step = asdict(steps(12)[3]) | {"frames": stored.num_frames}
    assert script("isRunOf", step, measured(stored))
    assert not script("isRunOf", step | {"l2": 10}, measured(stored))


def test_templates_are_fixed():
    for name in ("tour.html", "tour.css"):
        text = assets.text(f"components/tour/{name}")
        assert "${" not in text and "{{" not in text and "`" not in text


def test_each_step_links_to_its_run_where_all_can_be_moved():
    shown = Tour(steps(12), render=False).fixed["steps"]
    for step, told in zip(steps(12), shown, strict=True):
        link = dict(parse_qsl(told["link"]))
        found = read_permalink(link, 12, AimConfig.for_depth(12))
        assert found.settings == (SAMPLES["video"][1], step.keep_ratio, step.l1, step.l2, step.frames) and not found.bad
        assert found.samples == (SAMPLES["video"][0],) and link["overlay"] == step.overlay
        assert link["layer"] == str(step.layer)


def test_gradio_can_make_it_again():
    tour = Tour(steps(12), elem_id="tour", render=False)
    assert Tour(**tour.constructor_args | {"render": False}).fixed["steps"] == tour.fixed["steps"]
    assert tour.preprocess({"when": 1}) is None
