"""Records: what endpoints give back, as plain dicts of numbers, texts and lists."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from aim_core.comparison import compare
from aim_core.config import AimConfig
from aim_core.ops.flops import FORMULA
from aim_core.result import Result
from aim_core.speedup import speedup
from page.components.estimate.counted import Counted
from page.state.model_facts import ModelFacts
from page.state.store import StoredRun
from page.token_text import NUM_LIKELY, token_text


def answer_record(stored: StoredRun, model: ModelFacts, tokenizer: Any, with_rows: bool) -> dict[str, Any]:
    """One question with both of its answers. with_rows: also the rows that AIM kept in each layer."""
    dense, aim = stored.dense, stored.aim
    apart = compare(dense.first_token_logprobs, aim.first_token_logprobs, NUM_LIKELY)
    likely = sorted(zip(apart.ids, apart.dense, apart.aim, strict=True), key=lambda row: -max(row[1:]))
    kept = {"kept_rows": [layer.kept.tolist() for layer in aim.trace.layers]} if with_rows else {}
    return {
        "model": _model(model, aim.trace.num_layers),
        "settings": {"question": stored.question, "num_frames": aim.trace.num_frames} | _settings(stored.settings),
        "answers": {"dense": dense.answer, "aim": aim.answer},
        "first_tokens": [
            {"token": token_text(tokenizer, int(token)), "dense": float(p), "aim": float(q)} for token, p, q in likely
        ],
        "kl_nats": apart.kl if math.isfinite(apart.kl) else None,
        "counts": {name: _counts(run) for name, run in stored.runs.items()} | {"formula": FORMULA},
        "timing": _timing(dense, aim) if stored.timed_prefills else None,
        "world": asdict(stored.world) | {"outside": stored.world.outside} if stored.world else None,
    } | kept


def estimate_record(
    model: ModelFacts, config: AimConfig, asked: dict, dense: Counted, aim: Counted, prompt: dict
) -> dict[str, Any]:
    """What settings will cost. asked: about which frames; prompt: what they put into a prompt, as it was counted."""
    return {
        "model": _model(model, len(aim.visual_per_layer)),
        "settings": asked | _settings(config),
        "counts": {"dense": asdict(dense), "aim": asdict(aim), "formula": FORMULA},
        "text_tokens": prompt["text"],
        "vision_flops": prompt["vision"],
        "share_of_dense": aim.language_flops / dense.language_flops,
    }


def _model(model: ModelFacts, num_layers: int) -> dict[str, Any]:
    return {"name": model.name, "layers": num_layers}


def _settings(config: AimConfig) -> dict[str, float]:
    return {"keep_ratio": config.keep_ratio, "l1": config.l1, "l2": config.l2}


def _counts(run: Result) -> dict[str, Any]:
    """Tokens and operations of one run; those of the vision encoder are the same in both."""
    heard = {"audio_per_layer": list(run.cost.audio_per_layer)} if run.cost.audio_per_layer else {}
    return {
        "visual_per_layer": list(run.cost.visual_per_layer),
        "text_tokens": run.cost.num_text,
        "language_flops": run.cost.language_flops,
        "vision_flops": run.cost.vision_flops,
    } | heard


def _timing(dense: Result, aim: Result) -> dict[str, Any]:
    """Milliseconds from the frames to the first word, and how many times faster AIM was; None: too busy to tell."""
    both = [run.timing.first_words_ms for run in (dense, aim)]
    told = speedup(*both)
    return {
        "first_word_ms": dict(zip(("dense", "aim"), map(_spread, both), strict=True)),
        "speedup": asdict(told) if told else None,
    }


def _spread(times: Sequence[float]) -> dict[str, Any]:
    median, low, high = (float(np.round(ms, 3)) for ms in (statistics.median(times), min(times), max(times)))
    return {"median": median, "fastest": low, "slowest": high, "turns": len(times)}
