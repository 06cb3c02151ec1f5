"""First-token panel: the probabilities that each run gave to the first token of its answer, side by side."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from aim_core.comparison import compare
from aim_core.result import Result
from aim_core.world_score import WorldCheck
from page.components.base import Panel
from page.token_text import NUM_LIKELY, token_text
from visual.palette import browser_palette

SHOWN = 0.0005  # what the table writes as less than 0.1 %


class FirstTokenPanel(Panel):
    """Shows `first_token_record`."""

    def __init__(self, **kwargs):
        super().__init__("first_token", "FIRST_TOKEN", fixed={"palette": browser_palette()}, **kwargs)


def first_token_record(runs: dict[str, Result], tokenizer: Any, world: WorldCheck | None = None) -> dict:
    """Probabilities of the first answer token, for the likeliest of every run, and how far the runs are apart.

    runs: "dense", "aim" and, where there are overrides, "hand". world: whether the clip is of the model's world.
    Returns sides, the names of the runs; rows, by falling largest probability of all runs, each a token's text and its
    probability in each run; few, how many of the likeliest are left out of rows, since no run gives them SHOWN; kl, in
    nats, of each run from the one before it (None where it is infinite); firsts, the text of each run's likeliest
    token; same, whether it is one token; outside, whether the clip is not of the model's world.
    """
    logs = np.stack([result.first_token_logprobs for result in runs.values()])  # (runs, vocabulary)
    steps = [compare(*pair, num_top=NUM_LIKELY) for pair in pairwise(logs)]
    largest, first = np.exp(logs.max(axis=0)), {int(log.argmax()) for log in logs}
    likely = sorted({int(token) for step in steps for token in step.ids}, key=lambda token: (-largest[token], token))
    few = [token for token in likely if largest[token] < SHOWN and token not in first]
    shown = likely if len(few) < 2 else [token for token in likely if token not in few]
    return {
        "sides": list(runs),
        "rows": [[token_text(tokenizer, token), *np.exp(logs[:, token]).tolist()] for token in shown],
        "few": len(likely) - len(shown),
        "kl": [step.kl if math.isfinite(step.kl) else None for step in steps],
        "firsts": [token_text(tokenizer, int(log.argmax())) for log in logs],
        "same": all(step.agrees for step in steps),
        "outside": world is not None and world.outside,
    }
