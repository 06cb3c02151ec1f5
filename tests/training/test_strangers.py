"""Strangers' clips: drawn right by code of their own, answers that the pixels give, the same each time."""

import ast
import hashlib
import math
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tests.helpers.viewer import Viewer
from training.questions import TYPES
from training.strangers.clips import PAINTS, Look
from training.strangers.grounds import GROUNDS, PHOTOGRAPHS, shipped
from training.strangers.items import LOOKS, MIXED, PER_CLIP, strangers_set
from training.strangers.random_clips import BLENDED, DISTINCT, make_canvas, make_clip
from training.strangers.shapes import REACH, Figure, picture
from training.world import COLORS, SHAPES

ROOT = Path(__file__).parents[2]
RADIUS, SIDE = 40, 120
STAR = 10 * 0.5 * 1.15 * 0.46 * math.sin(math.pi / 5)
AREAS = {  # in squared radii, by school geometry
    "circle": math.pi, "ring": math.pi * (1 - 0.6**2), "square": (2 * 0.86) ** 2, "star": STAR,
    "triangle": 3 * math.sqrt(3) / 4 * 1.12**2, "cross": 2 * 2 * 0.64 - 0.64**2,
}  # fmt: skip


def coverage(shape: str, turn: float = 0.0, x: float = 60.3, y: float = 58.8, style: str = "flat") -> np.ndarray:
    """(SIDE, SIDE) how much of each pixel a white figure covers."""
    ground = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    return picture(ground, [Figure(shape, (255, 255, 255), x, y, RADIUS, turn, style)])[..., 0] / 255


@pytest.mark.parametrize("turn", [0.0, 0.5, 2.1])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_figure_has_its_area_and_its_middle_however_it_is_turned(shape, turn):
    """The middle of every pixel's area is half a pixel from its corner."""
    share = coverage(shape, turn)
    assert share.sum() == pytest.approx(AREAS[shape] * RADIUS**2, rel=0.015)
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    assert (share * x).sum() / share.sum() == pytest.approx(60.3, abs=0.15)
    assert (share * y).sum() / share.sum() == pytest.approx(58.8, abs=0.15)
    assert 0.01 < ((share > 0) & (share < 1)).mean() < 0.1  # edges are smooth


@pytest.mark.parametrize(
    ("shape", "inside", "outside"),
    [
        ("square", [(0.8, 0.8), (-0.8, 0.8), (0, 0)], [(0.95, 0), (0, -0.95)]),
        ("circle", [(0.65, 0.65), (0, -0.95)], [(0.75, 0.75)]),
        ("ring", [(0.8, 0), (0, -0.8)], [(0, 0), (0.5, 0), (1.05, 0)]),
        ("triangle", [(0, -1.0), (0.8, 0.5), (-0.8, 0.5)], [(0.6, -0.5), (0, 0.65)]),
        ("star", [(0, -1.0), (0.3, 0)], [(0, 0.6), (0.5, -0.65)]),
        ("cross", [(0, -0.9), (0.9, 0), (0, 0)], [(0.5, 0.5), (-0.5, 0.5)]),
    ],
)
def test_pixels_are_where_they_should_be(shape, inside, outside):
    """Upright, and turned a quarter clockwise, which takes (x, y) to (-y, x)."""
    for turn, place in ((0.0, lambda x, y: (x, y)), (math.pi / 2, lambda x, y: (-y, x))):
        share = coverage(shape, turn, 60, 60)
        at = {point: share[tuple(int(60 + RADIUS * v) for v in place(*point)[::-1])] for point in inside + outside}
        assert {point for point, value in at.items() if value == 1} == set(inside)
        assert {point for point, value in at.items() if value == 0} == set(outside)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_figure_reaches_farther_than_said_and_none_is_cut_off_by_its_own_stamp(shape):
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    for turn in np.linspace(0, 1.5, 4):
        far = np.hypot(x - 60.3, y - 58.8)[coverage(shape, turn) > 0.05].max()
        assert RADIUS * 0.9 < far < RADIUS * REACH + 0.75


def test_an_outline_is_darker_and_around_and_a_shadow_falls_down_right():
    ground = np.full((SIDE, SIDE, 3), 200, dtype=np.uint8)
    figure = Figure("circle", (240, 120, 0), 60, 60, 30)
    flat = picture(ground, [figure])
    outlined = picture(ground, [replace(figure, style="outlined")])
    assert outlined[60, 60].tolist() == flat[60, 60].tolist() == [240, 120, 0]
    assert outlined[60, 91].tolist() == [80, 40, 0] and flat[60, 91].tolist() == [200] * 3
    shadowed = picture(ground, [replace(figure, style="shadowed")])
    assert shadowed[83, 83].max() < 150 and shadowed[37, 37].min() > 190
    assert (ground == 200).all()


@pytest.fixture(scope="module")
def items():
    return strangers_set(2)


CODE = np.array([65536, 256, 1])  # a pixel as one number


class PixelViewer(Viewer):
    """Knows nothing but frames of flat upright figures: each patch of one paint is a thing, its outline tells which."""

    def __init__(self, frames: np.ndarray):
        times = (np.arange(len(frames)) + 0.5) / len(frames)
        self.first, self.last, self.seen = times[0], times[-1], {}
        for time, frame in zip(times, frames, strict=True):
            codes = frame @ CODE
            seen = set(np.unique(codes).tolist())
            for color, paint in ((color, paint) for color, paints in PAINTS.items() for paint in paints):
                if (code := int(np.array(paint) @ CODE)) in seen:
                    for shape, x, y in self._patches(codes == code):
                        self.seen.setdefault(f"{color} {shape}", []).append((time, x, y))

    @staticmethod
    def _patches(mask: np.ndarray):
        height, width = mask.shape
        _, labels, stats, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        for label, (_, top, wide, high, area) in enumerate(stats):
            if label == 0 or area < 100:
                continue
            (x, y), full = middles[label], area / (wide * high)
            low = (y - top) / high > 0.56
            empty = labels[round(y), round(x)] != label
            shape = (
                "ring"
                if empty
                else "square"
                if full > 0.9
                else "circle"
                if full > 0.7
                else "triangle"
                if low
                else "cross"
                if full > 0.45
                else "star"
            )
            yield shape, x / width, y / height


@pytest.mark.slow
def test_the_pixels_give_every_answer(items):
    asked = [item for item in items if item.axis in ("ground", "size")]
    viewers = {item.video: PixelViewer(item.frames(8)) for item in asked}
    assert len(asked) == 10 * 2 * PER_CLIP
    for item in asked:
        assert viewers[item.video].answer(item.question.text) == item.question.answer, item


class Seen:
    """A thing of a clip as `Viewer` asks for it."""

    def __init__(self, thing):
        self.thing, self.color, self.shape, self.center = thing, thing.color, thing.shape, thing.center

    def visible(self, time: float) -> bool:
        return self.thing.appears <= time < self.thing.vanishes


def test_eight_frames_are_enough_for_every_answer(items):
    for item in items:
        film = SimpleNamespace(things=[Seen(thing) for thing in item.clip.things])
        assert Viewer(film, (np.arange(8) + 0.5) / 8).answer(item.question.text) == item.question.answer


def test_rows_hold_as_many_questions_each_and_types_and_answers_come_evenly(items):
    rows = Counter((item.axis, item.row) for item in items)
    assert set(rows.values()) == {2 * PER_CLIP} and ("all", MIXED) in rows
    assert len(rows) == sum(map(len, LOOKS.values())) + 1
    kinds = Counter(item.question.type for item in items)
    assert set(kinds) == set(TYPES) and max(kinds.values()) - min(kinds.values()) <= 4
    assert {len(set(kind)) for kind in by_video(items).values()} == {PER_CLIP}
    for kind in ("exist", "compare", "vanishes"):
        own = Counter(item.question.answer for item in items if item.question.type == kind)
        assert max(own.values()) <= 2 * min(own.values()) + 1


def by_video(items) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for item in items:
        found.setdefault(item.video, []).append(item.question.type)
    return found


def test_clips_look_as_their_row_says(items):
    clips = {(item.row, item.video): item.clip for item in items}
    for (row, _), clip in clips.items():
        first, look = clip.ground, clip.look
        assert first.shape == (look.shape[1], look.shape[0], 3)
        if row in ("dim", "black", "white", "grey"):
            low, high = {"dim": (22, 84), "black": (0, 10), "white": (244, 255), "grey": (100, 170)}[row]
            assert low <= first.min() and first.max() <= high and (first == first[0, 0]).all()
        if row in ("gradient", "scenery", "photograph"):
            assert len(np.unique(first.reshape(-1, 3), axis=0)) > 30
        for thing in clip.things:
            assert thing.color in COLORS and thing.shape in SHAPES
            low, high = {"small": (0.05, 0.08), "large": (0.20, 0.25)}.get(row, (0.05, 0.25))
            assert low <= thing.radius <= high
            assert row != "half a radian" or thing.turn == 0.5


def test_every_thing_stands_out_from_its_ground_and_lies_wholly_in_the_frame(items):
    for clip in {item.video: item.clip for item in items}.values():
        for thing in clip.things:
            away = np.linalg.norm(clip.ground.astype(float) - thing.paint, axis=-1)
            assert (away < DISTINCT).mean() < 2 * BLENDED
            for time in (0.0, 0.5, 1.0):
                for at, side in zip(thing.center(time), clip.look.shape, strict=True):
                    reach = REACH * thing.radius * min(clip.look.shape) / side
                    assert reach <= at + 1e-9 and at - 1e-9 <= 1 - reach


def test_things_never_touch():
    for seed in range(30):
        look = Look(size=("small", "normal", "large")[seed % 3], shape=((320, 320), (480, 270))[seed % 2])
        clip = make_clip(make_canvas((1, seed), look), np.random.default_rng(seed))
        side = np.array(look.shape) / min(look.shape)
        for time in np.linspace(0, 1, 50):
            for i, one in enumerate(clip.things):
                for other in clip.things[:i]:
                    gap = math.dist(side * one.center(time), side * other.center(time))
                    assert gap > REACH * (one.radius + other.radius)


@pytest.mark.slow
def test_a_file_is_read_back_by_the_engines_own_reader_nearly_as_drawn(items):
    item = next(item for item in items if item.row == "H.264, low rate")
    drawn = replace(item.clip, look=replace(item.clip.look, crf=None)).frames(80)[5::10]  # frame 5 of every tenth
    read = item.frames(8)
    assert read.shape == drawn.shape and not np.array_equal(read, drawn)
    assert np.abs(read.astype(int) - drawn).mean() < 5


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_ground_is_the_same_for_the_same_seed_and_another_for_another(ground):
    one, again, other = (GROUNDS[ground](np.random.default_rng(seed), 64, 48) for seed in (5, 5, 6))
    assert one.shape == (48, 64, 3) and one.dtype == np.uint8
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_photographs_are_those_that_are_named_free():
    source = (shipped("skimage") / "data" / "_fetchers.py").read_text()
    told = {node.name: ast.get_docstring(node) for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    for name in PHOTOGRAPHS:
        words = " ".join(told[Path(name).stem].lower().split())
        assert "cc0" in words or "public domain" in words


TOLD = """
import hashlib
from training.strangers.items import strangers_set
items = strangers_set(1)
said = repr([(i.video, i.axis, i.row, i.clip.things, i.question) for i in items]).encode()
print(hashlib.sha256(said + items[-1].frames(2).tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_the_set_is_the_same_in_every_process():
    items = strangers_set(1)
    said = repr([(i.video, i.axis, i.row, i.clip.things, i.question) for i in items]).encode()
    own = hashlib.sha256(said + items[-1].frames(2).tobytes()).hexdigest()
    assert run(TOLD, PYTHONHASHSEED="7").strip() == own


def run(code: str, **environment: str) -> str:
    """What a new process prints that runs this in the repository's root."""
    ways = {"cwd": ROOT, "env": os.environ | environment, "capture_output": True, "text": True}
    return subprocess.run([sys.executable, "-c", code], check=True, timeout=240, **ways).stdout


@pytest.mark.slow
def test_strangers_are_drawn_without_the_trainings_drawing():
    """Of training, random clips, clips, shapes and grounds load the names of the world and nothing that draws it."""
    code = (
        "import sys, training.strangers.random_clips as _; print([n for n in sys.modules if n.startswith('training')])"
    )
    own = {"training"} | {
        f"training.strangers{part}" for part in ("", ".random_clips", ".clips", ".shapes", ".grounds")
    }
    assert set(eval(run(code))) == own | {"training.world"}
