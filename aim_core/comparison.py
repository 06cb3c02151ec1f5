"""Compare: how far apart two models' next-token distributions are, the dense run's beside a reduced one's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two distributions over one vocabulary.

    kl:              KL(dense || aim) in nats, at least 0; infinite where AIM rules out what dense does not.
    total_variation: half the sum of absolute differences, in [0, 1].
    agrees:          whether both have the same most likely token.
    ids:             (m,) int64, every token that is among the most likely of either side, by falling dense probability.
    dense, aim:      (m,) float64, their probabilities on each side.
    """

    kl: float
    total_variation: float
    agrees: bool
    ids: np.ndarray
    dense: np.ndarray
    aim: np.ndarray


def compare(dense: np.ndarray, aim: np.ndarray, num_top: int = 5) -> Comparison:
    """Compare two vectors (vocabulary,) of log-probabilities in nats (`Result.first_token_logprobs`) in float64.

    num_top: how many of each side's most likely tokens are listed; ties go to the lower id.
    Raises ValueError for vectors of different or no length, without any finite number, or fewer than 1 token to list.
    """
    if dense.ndim != 1 or dense.shape != aim.shape or not dense.size:
        raise ValueError(f"give two vectors of one length, got {dense.shape} and {aim.shape}")
    if num_top < 1:
        raise ValueError(f"num_top must be at least 1, got {num_top}")
    log_p, log_q = _normalised(dense), _normalised(aim)
    p, q = np.exp(log_p), np.exp(log_q)
    seen = p > 0
    kl = max(0.0, float((p[seen] * (log_p[seen] - log_q[seen])).sum()))
    best_p, best_q = (np.argsort(-log, kind="stable")[:num_top] for log in (log_p, log_q))
    ids = np.union1d(best_p, best_q)
    ids = ids[np.argsort(-log_p[ids], kind="stable")]
    return Comparison(kl, float(np.abs(p - q).sum()) / 2, bool(best_p[0] == best_q[0]), ids, p[ids], q[ids])


def _normalised(log: np.ndarray) -> np.ndarray:
    """Log-probabilities in float64 whose sum of probabilities is 1; float32 leaves it off by 1e-6."""
    log = log.astype(np.float64)
    highest = log.max()
    if not np.isfinite(highest):
        raise ValueError(f"log-probabilities must be finite somewhere and nowhere NaN, the highest is {highest}")
    return log - highest - np.log(np.exp(log - highest).sum())
