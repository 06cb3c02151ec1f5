"""Fidelity: how well agreement with the dense model stands in for right answers, where both are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aim_core.ops.rank_correlation import spearman
from aim_lab.code import DENSE
from aim_lab.line import Line
from aim_lab.settings import Setting

FEWEST = 4  # settings that an order can be told of
RESAMPLES = 400
STAND_INS = {
    "agreement": "answers as the dense model's",
    "first_token": "first tokens as the dense model's",
    "kl": "small KL to the dense model",
}


@dataclass(frozen=True)
class Fidelity:
    """Rank correlations over settings, in [-1, 1]: 1 if a stand-in puts the settings in the order of right answers.

    stand_in:  of STAND_INS. low, high: ends of its 95 % interval, whole videos drawn; the settings stay.
    rank:      None where all settings are equally good or stand in equally, so that there is no order.
    lost:      right answers that the best setting by the stand-in has fewer than the best by right answers, as a share.
    """

    stand_in: str
    num_settings: int
    num_questions: int
    num_videos: int
    rank: float | None
    low: float | None
    high: float | None
    lost: float


def fidelity(lines: Sequence[Line]) -> list[Fidelity]:
    """One for each of STAND_INS, on the questions that all settings but the dense ones answered and whose right answer
    is known.

    Raises ValueError for fewer than FEWEST settings, or without such questions.
    """
    of_setting: dict[Setting, dict[tuple[str, str], Line]] = {}
    for line in lines:
        if line.method != DENSE and line.wanted and not line.refused:
            of_setting.setdefault(line.setting, {})[line.video, line.question] = line
    if len(of_setting) < FEWEST:
        raise ValueError(f"an order needs at least {FEWEST} settings with right answers known, got {len(of_setting)}")
    asked = sorted(set.intersection(*(set(own) for own in of_setting.values())))
    if not asked:
        raise ValueError("there is no question that all settings answered and whose right answer is known")
    table = [[own[key] for key in asked] for own in of_setting.values()]
    draws = _draws([video for video, _ in asked])
    right = _means(np.array([[bool(line.right) for line in own] for own in table], dtype=float), draws)
    return [_one(name, _means(_stand_in(name, table), draws), right, [v for v, _ in asked]) for name in STAND_INS]


def _stand_in(name: str, table: Sequence[Sequence[Line]]) -> np.ndarray:
    """(settings, questions), higher is nearer to the dense model."""
    if name == "agreement":
        return np.array([[line.same_answer for line in own] for own in table], dtype=float)
    if name == "first_token":
        return np.array([[line.first_token_agrees for line in own] for own in table], dtype=float)
    kl = np.array([[np.nan if line.kl is None else line.kl for line in own] for own in table])
    return -np.nan_to_num(kl, nan=np.nanmax(kl) if np.isfinite(kl).any() else 0.0)


def _draws(videos: Sequence[str]) -> np.ndarray:
    """(1 + RESAMPLES, questions) how much each question counts: all once, then whole videos as they are drawn."""
    _, of = np.unique(videos, return_inverse=True)
    number = int(of.max()) + 1
    drawn = np.random.default_rng(0).multinomial(number, np.full(number, 1 / number), size=RESAMPLES)
    return np.vstack([np.ones((1, number)), drawn])[:, of].astype(float)


def _means(values: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(1 + RESAMPLES, settings) of values (settings, questions); rounded, so that equal ones stay equal."""
    return np.round(draws @ values.T / draws.sum(1, keepdims=True), 12)


def _one(name: str, stand_in: np.ndarray, right: np.ndarray, videos: Sequence[str]) -> Fidelity:
    ranks = [spearman(one, other) for one, other in zip(stand_in, right, strict=True)]
    found = [rank for rank in ranks[1:] if rank is not None]
    low, high = map(float, np.quantile(found, [0.025, 0.975])) if found and ranks[0] is not None else (None, None)
    lost = right[0].max() - right[0][stand_in[0] == stand_in[0].max()].mean()
    sizes = right.shape[1], len(videos), len(set(videos))
    return Fidelity(name, *sizes, ranks[0], low, high, lost=float(lost))
