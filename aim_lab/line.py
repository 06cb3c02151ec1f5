"""Line: what one setting made of one question, as it stands in the file of a sweep."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from aim_lab.documents import is_right
from aim_lab.log import LineLog
from aim_lab.settings import Setting

_CONTENT = (  # what a line is an answer to; the rest is what was found
    "weights",
    "dtype",
    "device",
    "code",
    "method",
    "settings",
    "num_frames",
    "reference",
    "max_new_tokens",
    "video",
    "question",
)


@dataclass(frozen=True)
class Line:
    """One setting, video and question.

    weights:   hash of the model's; code: of what the method runs, see `code.code_hash`; device: of the run.
    dtype:     of the run, and the bits of the weights where they are few, as in "bfloat16 int8".
    method, settings, num_frames: as in `Setting`.
    reference: frames of the dense run that agreement and KL are told against.
    video:     hash of what it shows; name: what it is called; wanted: the right answer, "" if it is not known.
    found:     all settings that were run: what BUDGET or the model's depth made of those given.
    same_answer, first_token_agrees: whether the dense run says just that, and begins with the same token.
    kl:        of the dense and its distribution of the first answer token, in nats; None if infinite.
    flops, kv_bytes: of the language model's prefill; vision_flops: of what comes before, which no method reduces.
    entering, mean: visual tokens that entered layer 0, and their mean over layers.
    prefill_ms: each in milliseconds, merging included; of one run without turns, or of those taken in turns.
    seconds:   that the whole run took, reading the video and timing left out.
    refused:   why it was not run, in a sentence; then all that was found is empty.
    """

    weights: str
    dtype: str
    device: str
    code: str
    method: str
    settings: dict[str, Any]
    num_frames: int
    reference: int
    max_new_tokens: int
    video: str
    question: str
    name: str = ""
    wanted: str = ""
    found: dict[str, Any] = field(default_factory=dict)
    answer: str = ""
    same_answer: bool = False
    first_token_agrees: bool = False
    kl: float | None = None
    flops: int = 0
    vision_flops: int = 0
    kv_bytes: int = 0
    entering: int = 0
    mean: float = 0.0
    prefill_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    refused: str = ""

    @cached_property
    def key(self) -> str:
        """A hash of what it is an answer to; a file has one line of each."""
        told = {name: getattr(self, name) for name in _CONTENT}
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]

    @cached_property
    def setting(self) -> Setting:
        return Setting.of(self.method, self.num_frames, **self.settings)

    @property
    def right(self) -> bool | None:
        """Whether the answer is one of those wanted; None where that is not known."""
        return is_right(self.answer, self.wanted) if self.wanted else None

    def row(self) -> dict[str, Any]:
        """As a row of a table: settings and lists as JSON, with its key and whether it is right."""
        told = {name: _cell(value) for name, value in asdict(self).items()}
        return {"key": self.key} | told | {"right": self.right}


class Log(LineLog[Line]):
    """The lines of a sweep's file; what is added is on the disk at once."""

    def __init__(self, path: Path):
        super().__init__(path, _read)


def _read(told: dict[str, Any]) -> Line:
    known = {own.name for own in fields(Line)}
    return Line(**{name: value for name, value in told.items() if name in known})


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
