"""Lab plan: from what a visitor put into the page to a sweep, each problem as one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

from aim_core.methods.registry import METHODS
from aim_lab.documents import Document
from aim_lab.estimate import Estimate
from aim_lab.measure import Model, Recipe
from aim_lab.settings import BUDGET, Setting, grid
from aim_lab.sweep import Plan
from page.checks import MAX_FRAMES, checked_question, refusal
from page.components.questions.component import AskedRow
from page.i18n import strings
from page.media_errors import media_error
from page.server.settings import SweepSettings
from page.state.model_facts import ModelFacts
from page.state.samples import sample_path
from page.state.startup import EMBEDDED_MODEL, Loaded
from page.state.sweeps import AskedSweep, HeldClip

BY = (BUDGET, "keep_ratio")  # what is the same for all methods
SHARES = (2, 5, 10, 15, 25, 50, 75, 100)  # per cent
FRAMES = (1, 2, 4, 8, 16, MAX_FRAMES)
USUAL_METHODS, USUAL_SHARES, USUAL_FRAMES = ["aim", "fastv", "random"], [5, 10, 25, 50], [8]
NEW_TOKENS = 32  # of each answer, as the command line has it
LONGEST_GRIDS = 2000  # characters
MOST_COMBINATIONS = 2000  # that are tried; a few characters can ask for millions


@dataclass(frozen=True)
class LabForm:
    """What the page's inputs say of the grid. shares: per cent; more: further grids, as on the command line."""

    methods: list[str]
    by: str
    shares: list[int]
    frames: list[int]
    more: str = ""

    @classmethod
    def checked(cls, methods: Any, by: Any, shares: Any, frames: Any, more: Any) -> LabForm:
        """Raises a refusal."""
        if by not in BY or not isinstance(more, str | None) or len(more or "") > LONGEST_GRIDS:
            raise _bad(strings().BAD_GRIDS.format(most=f"{LONGEST_GRIDS:,}"))
        chosen = [name for name in METHODS if name in _listed(methods)]
        own = cls(chosen, by, _of(SHARES, shares), _of(FRAMES, frames), (more or "").strip())
        if not own.frames:
            raise refusal(strings().NO_FRAMES, "settings")
        if not (own.methods and own.shares) and not own.more:
            raise refusal(strings().NO_GRID, "settings")
        return own

    @property
    def grids(self) -> list[str]:
        """As the command line takes them."""
        values = ",".join(f"{share / 100:g}" for share in self.shares)
        own = [f"{name} {self.by}={values}" for name in self.methods] if self.shares else []
        return own + [line.strip() for line in self.more.splitlines() if line.strip()]

    def settings(self) -> tuple[list[Setting], list[str]]:
        """All combinations, and a sentence for each that does not fit. Raises a refusal of too many and of none."""
        if (count := sum(map(combinations, self.grids)) * len(self.frames)) > MOST_COMBINATIONS:
            raise refusal(strings().MANY_SETTINGS.format(count=f"{count:,}", most=f"{MOST_COMBINATIONS:,}"), "settings")
        found: dict[Setting, None] = {}
        left_out: list[str] = []
        for text in self.grids:
            try:
                settings, sentences = grid([text], self.frames)
            except ValueError as error:
                settings, sentences = [], [str(error)]
            found |= dict.fromkeys(settings)
            left_out += sentences
        if not found:
            raise _bad(left_out[0])
        return list(found), left_out


def combinations(text: str) -> int:
    """How many a grid has, as on the command line, without making them."""
    return prod(1 + word.count(",") for word in text.split())


def asked_sweep(
    loaded: Loaded, files: Sequence[str], rows: Sequence[AskedRow], form: LabForm, most: SweepSettings
) -> tuple[AskedSweep, list[str]]:
    """A sweep of the model that answers, and what was left out of the grid. Raises a refusal."""
    settings, left_out = form.settings()
    named = _named(files)
    clips: dict[str, HeldClip] = {}
    documents = []
    for place, row in enumerate(_written(rows), 1):
        if row.video not in clips:
            clips[row.video] = _clip(row.video, named, place)
        documents.append(Document(clips[row.video], checked_question(row.question), row.answer))
    if (count := len({clip.digest for clip in clips.values()})) > most.videos:
        raise refusal(strings().MANY_VIDEOS.format(count=count, most=most.videos), "settings")
    facts = ModelFacts.of(loaded)
    path = str(EMBEDDED_MODEL) if loaded.is_embedded else loaded.path
    recipe = Recipe.of(Model(path), loaded.engine, reference=max(form.frames), max_new_tokens=NEW_TOKENS)
    asked = AskedSweep(Plan(tuple(documents), tuple(settings), recipe), facts.name, asdict(form))
    questions = len({(own.clip.content(), own.question) for own in documents})
    if (cells := len(asked.plan.cells) * questions) > most.cells:
        raise refusal(
            strings().MANY_CELLS.format(
                count=f"{cells:,}", most=f"{most.cells:,}", settings=len(asked.plan.cells), questions=questions
            ),
            "settings",
        )
    return asked, left_out


def beyond(cost: Estimate, most: SweepSettings) -> str:
    """Why what is left of a sweep is more than this server's owner lets one take; "" where it is not."""
    if cost.flops > most.tflops * 1e12:
        return strings().MANY_FLOPS.format(count=f"{cost.flops / 1e12:,.0f}", most=f"{most.tflops:,}")
    if (cost.seconds or 0) > 60 * most.minutes:
        return strings().MANY_MINUTES.format(count=f"{(cost.seconds or 0) / 60:,.0f}", most=f"{most.minutes:,}")
    return ""


def names_of(files: Sequence[str] | None) -> list[str]:
    """As the table of questions calls uploads."""
    return [Path(file).name for file in files or ()]


def _named(files: Sequence[str]) -> dict[str, str]:
    names = names_of(files)
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise refusal(strings().TWICE.format(name=twice), "media")
    return dict(zip(names, files, strict=True))


def _written(rows: Sequence[AskedRow]) -> list[AskedRow]:
    if not rows:
        raise refusal(strings().NO_ROWS, "question")
    for place, row in enumerate(rows, 1):
        if not row.question:
            raise refusal(strings().ROW_WITHOUT_QUESTION.format(place=place, name=row.video), "question")
    return list(rows)


def _clip(name: str, files: dict[str, str], place: int) -> HeldClip:
    path = files.get(name) or sample_path(name)
    if path is None:
        raise refusal(strings().ROW_WITHOUT_VIDEO.format(place=place, name=name), "media")
    return HeldClip.of(Path(path), name)


def _of(known: Sequence[int], given: Any) -> list[int]:
    return [one for one in known if one in _listed(given)]


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _bad(reason: str):
    return refusal(strings().BAD_SETTINGS.format(reason=media_error(reason)), "settings")
