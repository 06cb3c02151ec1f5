"""Knobs: what `--model_args` of the lmms-eval model may say, checked before a model is loaded."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real
from typing import Any

from aim_core.budget import MEASURES, Budget
from aim_core.media.decode import MAX_FRAMES, SIDES
from aim_core.methods.knobs import Settings
from aim_core.methods.registry import METHODS, make_method

DENSE = "dense"
IMAGES = ("one", "frames")
UNREADABLE = ("stop", "wrong")


@dataclass(frozen=True)
class Knobs:
    """Everything that decides about an answer, but for the model's weights, the machine and the task.

    pretrained: the checkpoint, a Hub id or a folder.
    method:     a name of the registry, or "dense" for the model as it is.
    budget:     share of the dense cost that each document may have, in (0, 1]: the method's knob is moved until it
                costs that. Without it the method has its settings as released, AIM its schedule scaled to the depth.
    of:         what the budget is of, see `Budget`.
    frames:     sampled from a video, evenly in time.
    max_side:   most pixels of a frame's longer side when it is decoded.
    images:     "one" refuses a document of several images, "frames" takes them as frames of a video.
    unreadable: "stop" ends at a file that cannot be used, "wrong" goes on with an empty answer for it.
    settings:   of the method, by keyword of `make_method`; not beside a budget.
    Raises ValueError with a sentence that names the knob.
    """

    pretrained: str
    method: str = "aim"
    budget: float | None = None
    of: str = "flops"
    frames: int = 32
    max_side: int = 768
    images: str = "one"
    unreadable: str = "stop"
    settings: Settings = field(default_factory=dict)

    def __post_init__(self):
        if not str(self.pretrained).strip():
            raise ValueError("no model was named: give pretrained=, a Hub id or a folder")
        _one_of("method", self.method, (DENSE, *METHODS))
        _one_of("of", self.of, tuple(MEASURES))
        _one_of("images", self.images, IMAGES)
        _one_of("unreadable", self.unreadable, UNREADABLE)
        _whole("frames", self.frames, 1, MAX_FRAMES)
        _whole("max_side", self.max_side, *SIDES)
        self._check_settings()
        self._check_budget()

    @classmethod
    def of_arguments(cls, arguments: dict[str, Any]) -> Knobs:
        """From all of `--model_args`: what is no knob of this class is a setting of the method."""
        own = {name: value for name, value in arguments.items() if name in _NAMES}
        return cls(**{"pretrained": "", **own}, settings={k: v for k, v in arguments.items() if k not in own})

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for a fingerprint and for readers of a log; where the checkpoint lies is not in it."""
        return {name: value for name, value in asdict(self).items() if name not in ("pretrained", "unreadable")}

    def _check_settings(self) -> None:
        known = {} if self.method == DENSE else METHODS[self.method].settings
        if unknown := sorted(set(self.settings) - set(known)):
            own = f", and of {self.method} {', '.join(known)}" if known else ""
            raise ValueError(f"there is no knob {unknown[0]!r}: choose among {', '.join((*_NAMES, *OF_THE_RUN))}{own}")
        for name, value in self.settings.items():
            if isinstance(known[name], Real) and (isinstance(value, bool) or not isinstance(value, Real)):
                raise ValueError(f"{name} must be a number, got {value!r}")
        if len({"l1", "l2"} & self.settings.keys()) == 1:
            raise ValueError("l1 and l2 go together: give both, or none for those scaled to the model's depth")
        if self.method != DENSE and self.budget is None:
            make_method(self.method, **self.settings)

    def _check_budget(self) -> None:
        if self.budget is None:
            return
        if isinstance(self.budget, bool) or not isinstance(self.budget, Real):
            raise ValueError(f"budget must be a share of the dense cost in (0, 1], got {self.budget!r}")
        Budget(self.budget, self.of)
        if self.method == DENSE:
            raise ValueError("the dense model has no budget: leave it out, or name a method")
        if self.settings:
            raise ValueError(f"a budget decides about {min(self.settings)}: give one of the two")


OF_THE_RUN = ("device", "dtype", "weights", "answers", "batch_size")
_NAMES = tuple(own.name for own in fields(Knobs) if own.name != "settings")


def _one_of(name: str, value: object, words: tuple[str, ...]) -> None:
    if value not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, got {value!r}")


def _whole(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, got {value!r}")
