"""Race: settings measured on more and more documents; one that is surely behind the best is dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aim_lab.documents import Clip, Document
from aim_lab.line import Line
from aim_lab.settings import Setting
from aim_lab.summary import Interval, Row, mean, summarise

FIRST = 16  # videos of the first round; each round has twice as many as the one before
Measure = Callable[[Sequence[Setting], Sequence[Document]], list[Line]]
Answers = dict[tuple[str, str], Line]


@dataclass(frozen=True)
class Round:
    """What one round did: on how many questions and videos, how many settings ran, who led, and who was dropped."""

    num_questions: int
    num_videos: int
    num_settings: int
    leader: Setting
    dropped: tuple[Setting, ...]


@dataclass(frozen=True)
class Race:
    """How it went.

    rounds:   in their order.
    rows:     of every setting, on the questions that it was asked, the best first; those dropped last, the last first.
    standing: settings that were never surely behind, the best first; the first is the leader.
    lines:    all that was measured.
    """

    rounds: tuple[Round, ...]
    rows: tuple[Row, ...]
    standing: tuple[Setting, ...]
    lines: tuple[Line, ...]

    @property
    def leader(self) -> Setting:
        return self.standing[0]


def race(settings: Sequence[Setting], documents: Sequence[Document], measure: Measure, by: str) -> Race:
    """Who is best on these documents, with as few runs as that takes.

    After each round a setting is dropped whose paired difference to the leader has its whole 95 % interval, whole
    videos drawn, below 0. With several looks at the same questions these intervals are a little too narrow: measure the
    winner on others.

    documents: in an order of which any first so many videos are a fair draw. by: of `summary.VALUES`.
    Raises ValueError if no setting could be run on all of them, or right answers are wanted and not known.
    """
    alive, rounds, rows = list(settings), list[Round](), dict[Setting, Row]()
    out: list[Setting] = []
    lines: dict[str, Line] = {}
    for part in _parts(documents):
        found = measure(alive, part)
        lines |= {line.key: line for line in found}
        own = _answers(alive, found)
        if not own:
            raise ValueError("no setting could be run on all of these questions")
        rows |= {row.setting: row for row in summarise(line for answers in own.values() for line in answers.values())}
        ranked = sorted(own, key=lambda setting: _rank(rows[setting], by))
        dropped = [one for one in alive if one not in own or _is_behind(own[one], own[ranked[0]], by)]
        if len({own.clip for own in part}) < FIRST:
            dropped = [one for one in alive if one not in own]  # too few videos to be sure
        num_videos = len({document.clip for document in part})
        rounds.append(Round(len(part), num_videos, len(alive), ranked[0], tuple(dropped)))
        alive = [one for one in ranked if one not in dropped]
        out = dropped + out
        if len(alive) == 1:
            break
    order = [rows[one] for one in (*alive, *out) if one in rows]
    return Race(tuple(rounds), tuple(order), tuple(alive), tuple(lines.values()))


def difference(one: Sequence[Line], other: Sequence[Line], by: str, share: float = 1.0) -> Interval:
    """What one setting has more than `share` of the other on the questions that both answered, with its interval.

    Raises ValueError where there are none.
    """
    own, beside = _by_question(one), _by_question(other)
    both = [key for key in own if key in beside]
    if not both:
        raise ValueError("two settings have no question in common")
    gaps = [score(own[key], by) - share * score(beside[key], by) for key in both]
    return mean(gaps, [own[key] for key in both])


def score(line: Line, by: str) -> float:
    """1 or 0: whether the answer is right, or as the dense model's. Raises ValueError if what is right is not known."""
    if by == "agreement":
        return float(line.same_answer)
    if line.right is None:
        raise ValueError(f"{line.name}: {line.question} has no right answer: go by agreement")
    return float(line.right)


def _parts(documents: Sequence[Document]) -> list[list[Document]]:
    """All documents of more and more videos, in their order; the last part has all."""
    of_clip: dict[Clip, list[Document]] = {}
    for document in documents:
        of_clip.setdefault(document.clip, []).append(document)
    clips = list(of_clip)
    sizes: list[int] = []
    while not sizes or sizes[-1] < len(clips):
        sizes.append(min(len(clips), 2 * sizes[-1] if sizes else FIRST))
    return [[document for clip in clips[:size] for document in of_clip[clip]] for size in sizes]


def _answers(settings: Sequence[Setting], lines: Sequence[Line]) -> dict[Setting, Answers]:
    """Those of each setting; one that was refused anything has none."""
    of_setting: dict[Setting, list[Line]] = {setting: [] for setting in settings}
    for line in lines:
        if line.setting in of_setting:
            of_setting[line.setting].append(line)
    return {
        own: _by_question(told) for own, told in of_setting.items() if told and not any(one.refused for one in told)
    }


def _by_question(lines: Sequence[Line]) -> Answers:
    return {(line.video, line.question): line for line in lines if not line.refused}


def _rank(row: Row, by: str) -> tuple[float, float, float]:
    """The best first; of equals the one nearer to the dense model, then the cheaper."""
    return (-row.value(by).value, row.kl, row.flops)


def _is_behind(own: Answers, best: Answers, by: str) -> bool:
    return own is not best and difference(list(own.values()), list(best.values()), by).high < 0
