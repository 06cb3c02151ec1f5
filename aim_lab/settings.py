"""Settings: what is tried, as plain values: a method, its settings, and how many frames it sees; grids of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from aim_core.config import AimConfig
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method
from aim_core.methods.knobs import ModelShape, ShareKnob
from aim_core.methods.registry import METHODS, make_method
from aim_lab.code import DENSE

# In place of a method's settings, a cost that its knob is moved to, for each question:
BUDGET = "budget"  # a share of the dense FLOPs
AS_DENSE = "as_dense"  # the FLOPs of the dense model at so many frames


@dataclass(frozen=True)
class Setting:
    """A method of the registry, or DENSE, with some of its settings and a number of frames.

    pairs: settings by keyword of `make_method`, sorted; or BUDGET or AS_DENSE alone.
    Raises ValueError for what there is not, or a number that does not fit.
    """

    method: str
    pairs: tuple[tuple[str, Any], ...] = ()
    num_frames: int = 8

    def __post_init__(self):
        if self.num_frames < 1:
            raise ValueError(f"a setting needs at least 1 frame, got {self.num_frames}")
        if self.method == DENSE and self.pairs:
            raise ValueError(f"{DENSE} is the model as it is: it has no settings, got {self.pairs[0][0]}")
        if self.budget is not None and (len(self.pairs) > 1 or not 0 < self.budget <= 1):
            raise ValueError(f"{BUDGET} stands alone and is a share in (0, 1], got {dict(self.pairs)}")
        if self.as_dense is not None and (len(self.pairs) > 1 or type(self.as_dense) is not int or self.as_dense < 1):
            raise ValueError(f"{AS_DENSE} stands alone and is a number of frames, got {dict(self.pairs)}")
        if self.method != DENSE:
            make_method(self.method, **({} if self.is_open else dict(self.pairs)))

    @classmethod
    def of(cls, method: str, num_frames: int = 8, **settings) -> Setting:
        return cls(method, tuple(sorted(settings.items())), num_frames)

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.pairs)

    @property
    def budget(self) -> float | None:
        """The share of the dense FLOPs that its knob is moved to, for each question; None if it is set by hand."""
        return self.settings.get(BUDGET)

    @property
    def as_dense(self) -> int | None:
        """The number of frames at which the dense model costs what its knob is moved to, for each question."""
        return self.settings.get(AS_DENSE)

    @property
    def is_open(self) -> bool:
        """Whether a cost stands for its settings, so that they hang on the question."""
        return self.budget is not None or self.as_dense is not None

    def build(self) -> Method:
        """The method with just these settings. Raises ValueError for an open one."""
        if self.is_open:
            raise ValueError(f"what {self} is depends on the question: solve its cost first")
        return as_method(AimConfig.dense()) if self.method == DENSE else make_method(self.method, **self.settings)

    def complete(self, shape: ModelShape) -> dict[str, Any]:
        """Its settings with those that are scaled to the model's depth, unless they are given."""
        knob = METHODS[self.method].knob
        scaled = knob.others(shape) if isinstance(knob, ShareKnob) else {}
        return scaled | self.settings

    def __str__(self) -> str:
        told = [f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in self.pairs]
        return ", ".join([self.method, *told, f"{self.num_frames} frames"])


def grid(texts: Iterable[str], frames: Sequence[int]) -> tuple[list[Setting], list[str]]:
    """All combinations of each text such as "aim keep_ratio=0.25,0.5 l1=5,6 l2=9" with each number of frames.

    Returns them, and a sentence for each combination that does not fit, such as l1 above l2.
    Raises ValueError for a text that cannot be read, or of which no combination fits.
    """
    found: dict[Setting, None] = {}
    left_out: list[str] = []
    for text in texts:
        method, names, values = _read(text)
        wrong, before = [], len(found)
        for chosen, num_frames in product(product(*values), frames):
            try:
                found[Setting.of(method, num_frames, **dict(zip(names, chosen, strict=True)))] = None
            except (ValueError, TypeError) as error:
                wrong.append(f"{text!r}: {error}")
        if len(found) == before and wrong:
            raise ValueError(wrong[0])
        left_out += dict.fromkeys(wrong)
    return list(found), left_out


def _read(text: str) -> tuple[str, list[str], list[list[Any]]]:
    words = text.split()
    if not words or (words[0] != DENSE and words[0] not in METHODS):
        raise ValueError(f"{text!r} begins with no method: choose {DENSE} or one of {', '.join(METHODS)}")
    names, values = [], []
    for word in words[1:]:
        name, equals, listed = word.partition("=")
        if not equals or not listed:
            raise ValueError(f"{word!r} of {text!r} is no setting: write name=value or name=value,value")
        names.append(name)
        values.append([_value(one) for one in listed.split(",")])
    return words[0], names, values


def _value(text: str) -> Any:
    """A number or true and false as JSON has them, anything else as a word."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | str) else text
