"""Sample media: within the world's rules, with answers that a viewer confirms, and files that show the scenes."""

import json
import math
from dataclasses import replace
from pathlib import Path

import av
import gradio as gr
import numpy as np
import pytest

from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.media.decode import load_frames
from aim_core.weights import weights_hash
from page.build import build_page
from page.exports.opening import QUESTION, SAMPLE, opening_run, recorded
from page.permalink import LEAST_RATIO
from page.state.samples import NATURAL, SAMPLES, is_right, known_answer, listed, sample_path, samples_for
from page.state.startup import EMBEDDED_MODEL, load
from tests.helpers.laid_out import exports_of
from tests.helpers.viewer import Viewer
from tests.helpers.waiting import in_thread
from training.drawing import render
from training.flips import flips
from training.samples import FRAME_RATE, SECONDS, SIZE, answers, move, rows, samples, write_clip
from training.world import APPEARS, MAX_OBJECTS, VANISHES, frame_times, held_out

SHIPPED = Path(__file__).parents[2] / "assets" / "samples"
by_file = pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.file)


@by_file
def test_the_model_knows_what_is_shown(sample):
    """Places, sizes, times and combinations are such as `make_scene` draws for training."""
    things = sample.scene.things
    assert len({thing.name for thing in things}) == len(things) <= MAX_OBJECTS
    for index, thing in enumerate(things):
        assert not held_out(thing.color, thing.shape, thing.action)
        assert 0.10 <= thing.radius <= 0.14
        assert all(0.1399 <= abs(0.5 - share) <= 0.3501 for share in (*thing.begin, *thing.finish))
        assert APPEARS[thing.phase][0] <= thing.appears <= APPEARS[thing.phase][1]
        assert thing.stays or VANISHES[0] <= thing.vanishes <= VANISHES[1]
        for other in things[:index]:
            apart = min(math.dist(thing.center(time), other.center(time)) for time in np.linspace(0, 1, 101))
            assert apart > 1.05 * (thing.radius + other.radius)
    ground = np.array([sample.scene.tint, sample.scene.accent])
    assert ground.min() >= 5 and ground.max() <= 105 and np.abs(ground[0] - ground[1]).max() <= 22


@by_file
def test_a_viewer_confirms_the_answers(sample):
    known = answers(sample.scene)
    viewer = Viewer(sample.scene, frame_times(8))
    assert 2 <= len(sample.questions) <= 3
    for question in sample.questions:
        assert viewer.answer(question) == known[question]
        assert sample.file.endswith(".mp4") or "video" not in question


@pytest.mark.slow
@by_file
def test_shipped_files_show_the_scenes_and_are_small(sample):
    path = SHIPPED / sample.file
    assert path.stat().st_size < 150_000
    num_frames = 4 if path.suffix == ".mp4" else 1
    frames = load_frames(path, num_frames)
    assert frames.duration == pytest.approx(SECONDS if path.suffix == ".mp4" else 0)
    wanted = render(sample.scene, frame_times(num_frames), SIZE)
    assert np.abs(frames.frames.astype(int) - wanted).mean() < 4


@pytest.mark.slow
def test_the_shipped_list_is_the_one_of_the_scenes():
    assert json.loads((SHIPPED / "samples.json").read_text()) == rows()


def test_the_page_knows_the_answers_of_its_samples_and_of_nothing_else(tmp_path):
    for row in rows():
        path = str(SHIPPED / row["file"])
        assert known_answer(path, f" {row['question'].capitalize()}") == row["answer"]
    assert known_answer(path, "how many rings are there?") is None
    (other := tmp_path / "busy.mp4").write_bytes(b"another video of this name")
    assert known_answer(str(other), "how many objects are there?") is None


def test_a_real_model_is_offered_natural_samples():
    """On the pages that explore and compare; a model of the drawn world, embedded or not, is offered drawn ones."""
    embedded = load("")
    real = replace(embedded, is_embedded=False, world=None)
    assert samples_for(embedded) == samples_for(replace(embedded, is_embedded=False)) == SAMPLES
    assert samples_for(real) == NATURAL
    offered = [block.raw_samples for block in build_page(real).blocks.values() if isinstance(block, gr.Dataset)]
    files = {Path(file) for rows in offered for file, _ in rows}
    assert len(offered) == 4 and files == {NATURAL / row["file"] for row in listed(NATURAL)}
    assert all(sample_path(file.name) == file for file in files)


def test_only_what_has_one_right_answer_is_judged():
    assert known_answer(str(NATURAL / "stretching.mp4"), "How many rabbits are there?") == "1"
    assert known_answer(str(NATURAL / "chelsea.png"), "what animal is this, and what colour are its eyes?") is None


def test_natural_samples_are_small_and_credited():
    rows = listed(NATURAL)
    credits = (NATURAL / "CREDITS.md").read_text(encoding="utf-8")
    assert not {row["file"] for row in rows} & {row["file"] for row in listed()}
    for name in {row["file"] for row in rows}:
        assert 2 <= len([row for row in rows if row["file"] == name]) <= 3 and f"| `{name}` |" in credits
        path = NATURAL / name
        frames = load_frames(path, 8 if path.suffix == ".mp4" else 1)
        assert path.stat().st_size < 1_000_000 and frames.frames.std() > 20
        assert (frames.duration > 2) == (path.suffix == ".mp4")
    for path in NATURAL.glob("*.mp4"):
        with av.open(str(path)) as file:
            (stream,) = file.streams
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


@pytest.mark.parametrize(
    ("answer", "known", "right"),
    [
        ("4", "4", True),
        (" Four.", "4", True),
        ("3", "4", False),
        ("", "4", False),
        ("top right", "top-right", True),
        ("start start", "start", None),
        ("it moves down", "down", None),
    ],
)
def test_an_answer_in_more_words_is_not_judged(answer, known, right):
    assert is_right(answer, known) is right


@pytest.fixture(scope="module")
def report():
    return json.loads((SHIPPED / "flips.json").read_text())


def test_the_flips_are_of_the_shipped_weights_and_samples(report):
    """`make samples` measures them anew."""
    assert report["sha256"] == weights_hash(SHIPPED.parent / "model")
    keys = ("file", "question", "answer")
    assert [[one[key] for key in keys] for one in report["questions"]] == [[row[key] for key in keys] for row in rows()]


def test_three_samples_flip_and_one_at_the_defaults(report):
    found = flips(report)
    assert len({question["file"] for question, _ in found}) >= 3
    at_defaults = [question for question, first in found if first == 0]
    assert [one for one in at_defaults if one["dense"] == one["answer"]]


@pytest.mark.slow
def test_the_model_answers_as_the_flips_say(report):
    """One that flips at the defaults, and the first of three other samples, asked again."""
    found = flips(report)
    own = {question["file"]: (question, first) for question, first in reversed(found)}
    chosen = [next(pair for pair in found if pair[1] == 0), *own.values()][:4]
    engine = Engine.from_pretrained(SHIPPED.parent / "model", device="cpu")
    for question, first in chosen:
        frames = load_frames(SHIPPED / question["file"], report["num_frames"])
        ask = lambda config: engine.run(frames, question["question"], config=config).answer  # noqa: B023, E731
        assert ask(AimConfig.dense()) == question["dense"] != question["aim"][first]
        assert ask(AimConfig(*report["settings"][first])) == question["aim"][first]


def test_a_clip_is_h264_that_every_browser_plays(tmp_path, monkeypatch):
    monkeypatch.setattr("training.samples.SECONDS", 1)
    write_clip(tmp_path / "clip.mp4", samples()[0].scene)
    with av.open(str(tmp_path / "clip.mp4")) as file:
        (stream,) = file.streams
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.frames) == (SIZE, SIZE, FRAME_RATE)


def test_a_motion_that_contradicts_its_path_is_refused():
    with pytest.raises(ValueError, match=r"left cannot go from 0\.2 to 0\.8"):
        move("red circle", "left", 0.2, 0.8, 0.3)


def test_the_opening_example_is_what_the_shipped_model_answers():
    """`make samples` records it anew."""
    shown, now = opening_run(), recorded(Engine.from_pretrained(EMBEDDED_MODEL, device="cpu"))
    assert (shown.path, shown.question, shown.known) == (SAMPLE, QUESTION, now.known) and now.known
    for name, run in now.runs.items():
        assert shown.runs[name].answer == run.answer == now.known
        assert shown.runs[name].cost == run.cost
        assert np.allclose(shown.runs[name].first_token_logprobs, run.first_token_logprobs, atol=1e-2)
    assert np.array_equal(shown.aim.trace.group, now.aim.trace.group)
    assert shown.settings == now.aim.config


def test_the_opening_example_breaks_with_the_fewest_tokens():
    measured = json.loads((SHIPPED / "flips.json").read_text(encoding="utf-8"))
    (asked,) = [one for one in measured["questions"] if (one["file"], one["question"]) == (SAMPLE, QUESTION)]
    usual = AimConfig.for_depth(12)
    fewest = measured["settings"].index([LEAST_RATIO, usual.l1, usual.l2])
    assert asked["aim"][0] == asked["answer"] != asked["aim"][fewest]


def test_the_opening_example_is_decoded_once_for_all_visitors(monkeypatch):
    exports, decoded = exports_of(load("")), []
    frames = exports.handlers.runner.frames
    monkeypatch.setattr(exports.handlers.runner, "frames", lambda *asked: decoded.append(asked) or frames(*asked))
    opened = [in_thread(exports.restore, "") for _ in range(3)]
    seen = [one.result(timeout=60)[exports.results.explorer].result.pictures for one in opened]
    assert len(decoded) == 1 and all(pictures is seen[0] for pictures in seen)
