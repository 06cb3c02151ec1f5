"""A viewer who reads a question's words and watches the film, but knows no rule of the shape world."""

from __future__ import annotations

import re

import numpy as np

from training.world import COLORS, SHAPES, Scene

THING = rf"(?:{'|'.join(COLORS)}) (?:{'|'.join(SHAPES)})"
PATTERNS = {  # how each question is read; the first that fits counts
    r"(?:what|which) color (?:is|does) the (\w+)": "color",
    r"(?:what|which) shape (?:is|does) the (\w+) object": "shape",
    r"how many objects": "count",
    r"how many (.+?) (?:are there|does the video show)": "count_kind",
    rf"(?:is there|does the video show) a ({THING})\?": "exist",
    rf"(?:where|in which corner) is the ({THING})\?": "position",
    rf"(?:which way|how) does the ({THING}) move": "motion",
    rf"(?:where|in which corner) does the ({THING}) start": "begins",
    rf"(?:where|in which corner) does the ({THING}) end": "ends",
    rf"(?:when|at which time) does the ({THING}) appear": "appears",
    rf"(?:does|is) the ({THING}) (?:vanish|gone at the end)": "vanishes",
    rf"(?:which appears|what comes) first, the ({THING}) or the ({THING})": "order",
    r"(?:are there|does the video show) more (.+) than (.+)\?": "compare",
}


class Viewer:
    """Watches a scene at some moments and remembers, for each name, where it was seen and when."""

    def __init__(self, scene: Scene, times: np.ndarray):
        self.first, self.last = times[0], times[-1]
        self.seen: dict[str, list[tuple[float, float, float]]] = {}
        for time in times:
            for thing in scene.things:
                if thing.visible(time):
                    self.seen.setdefault(f"{thing.color} {thing.shape}", []).append((time, *thing.center(time)))

    def answer(self, text: str) -> str:
        for pattern, kind in PATTERNS.items():
            words = re.match(pattern, text)
            if words:
                return getattr(self, kind)(*words.groups())
        raise AssertionError(f"cannot read {text!r}")

    def color(self, shape):
        (name,) = [name for name in self.seen if name.endswith(f" {shape}")]
        return name.split()[0]

    def shape(self, color):
        (name,) = [name for name in self.seen if name.startswith(f"{color} ")]
        return name.split()[1]

    def count(self):
        return str(len(self.seen))

    def count_kind(self, kind):
        return str(self._number(kind))

    def exist(self, name):
        return "yes" if name in self.seen else "no"

    def position(self, name):
        assert self.motion(name) == "still"
        return self.begins(name)

    def motion(self, name):
        (_, x0, y0), (_, x1, y1) = self.seen[name][0], self.seen[name][-1]
        if abs(x1 - x0) + abs(y1 - y0) < 0.02:
            return "still"
        if abs(x1 - x0) > abs(y1 - y0):
            return "right" if x1 > x0 else "left"
        return "down" if y1 > y0 else "up"

    def begins(self, name):
        return self._corner(*self.seen[name][0][1:])

    def ends(self, name):
        return self._corner(*self.seen[name][-1][1:])

    def appears(self, name):
        time = self.seen[name][0][0]
        return "start" if time == self.first else "middle" if time < 0.635 else "end"

    def vanishes(self, name):
        return "no" if self.seen[name][-1][0] == self.last else "yes"

    def order(self, one, other):
        assert self.seen[one][0][0] != self.seen[other][0][0]
        return min(one, other, key=lambda name: self.seen[name][0][0]).split()[0]

    def compare(self, kind, other):
        assert self._number(kind) != self._number(other)
        return "yes" if self._number(kind) > self._number(other) else "no"

    def _number(self, kind):
        words = kind.split()
        if words[-1] == "objects":
            return sum(name.startswith(f"{words[0]} ") for name in self.seen)
        shape = {"crosses": "cross"}.get(kind, kind.removesuffix("s"))
        assert shape in SHAPES
        return sum(name.endswith(f" {shape}") for name in self.seen)

    @staticmethod
    def _corner(x, y):
        return ("top" if y < 0.5 else "bottom") + ("-left" if x < 0.5 else "-right")
