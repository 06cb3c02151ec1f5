"""Counts: tokens, FLOPs and KV bytes of each layer, as CSV."""

from __future__ import annotations

import csv
import io

from aim_core.ops.flops import kv_bytes, prefill_flops
from page.state.model_facts import ModelFacts
from page.state.store import StoredRun

COLUMNS = (
    "layer",
    "planned_visual",
    "actual_visual",
    "dense_visual",
    "text",
    "aim_flops",
    "dense_flops",
    "aim_kv_bytes",
    "dense_kv_bytes",
)
HEARD = ("actual_audio", "dense_audio")


def counts_csv(stored: StoredRun, model: ModelFacts) -> str:
    """One line a layer: visual tokens as planned, as run and dense, text tokens, FLOPs of the prefill, KV bytes.

    FLOPs by `aim_core.ops.flops.FORMULA`; a key and a value of every token are kept in every layer. With a sound, audio
    tokens as run and dense come last.
    """
    dense, aim = stored.dense.cost, stored.shown.cost
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    heard = [cost.audio_per_layer for cost in (aim, dense) if cost.audio_per_layer]
    table.writerow(COLUMNS + HEARD if heard else COLUMNS)
    for layer, planned in enumerate(stored.shown.trace.planned.tolist()):
        tokens = [cost.tokens_per_layer[layer] for cost in (aim, dense)]
        visual = [cost.visual_per_layer[layer] for cost in (aim, dense)]
        flops = [prefill_flops([count], **model.sizes) for count in tokens]
        kv = [kv_bytes([count], model.sizes["kv"], model.number_bytes) for count in tokens]
        audio = [counts[layer] for counts in heard]
        table.writerow([layer, planned, *visual, aim.num_text, *flops, *kv, *audio])
    return file.getvalue()
