"""Speedup: dense, merge, prune and both on a CPU, beside the FLOPs' ideal, the masked mode and peak memory."""

from __future__ import annotations

import argparse

from benchmarks.memory_probe import ProbeTask, memory_probe
from benchmarks.prefill import Measurement, ablations, interleaved
from benchmarks.shapes import SHAPES, random_model, random_prompt
from benchmarks.tables import markdown, percent, times

TITLE = "Prefill on a CPU"
IN_MEMORY = ("dense", "merge", "prune", "both")


def measure(options: argparse.Namespace) -> dict:
    """Medians and ratios of each setting taken in turns, then peak memory of each in a process of its own."""
    shape = SHAPES[options.shape]
    layers = options.layers or shape.layers
    adapter = random_model(shape, layers)
    prompt = random_prompt(adapter, options.frames, options.side, options.text)
    settings = ablations(layers)
    interleaved(adapter, prompt, {"both": settings["both"]}, repeats=0, warm=1)  # the shortest warms up for all
    measured = interleaved(adapter, prompt, settings, options.repeats, warm=0)
    dense = measured[0]
    rows = [_row(one, dense, adapter) for one in measured]
    del adapter, prompt
    for row in rows:
        if row["setting"] in options.memory:
            task = ProbeTask(
                shape.name,
                layers,
                row["setting"],
                options.frames,
                options.side,
                options.text,
                repeats=1,
                warm=0,
                threads=options.threads,
            )
            probed = memory_probe(task)
            row |= {"peak_mb": probed["peak_mb"], "rise_mb": probed["peak_mb"] - probed["before_mb"]}
    by_name = {one.name: one.ms for one in measured}
    return {
        "shape": shape.name,
        "layers": layers,
        "text_tokens": options.text,
        "rows": rows,
        **{
            f"dropped_over_{way}": {name: by_name[f"{name}, {way}"] / by_name[name] for name in ("prune", "both")}
            for way in ("masked", "eager")
        },
    }


def _row(one: Measurement, dense: Measurement, adapter) -> dict:
    speedup, ideal = dense.ms / one.ms, dense.flops(adapter) / one.flops(adapter)
    return {
        "setting": one.name,
        "tokens": one.runs[0].tokens[0],
        "ms": one.ms,
        "speedup": speedup,
        "ideal": ideal,
        "of_ideal": speedup / ideal,
        "pagerank_share": one.pagerank_share,
        "merge_share": one.merge_share,
    }


def table(result: dict) -> str:
    head = [
        "",
        "tokens in",
        "prefill ms",
        "speedup",
        "FLOPs' ideal",
        "of ideal",
        "PageRank",
        "merging",
        "peak MB",
        "above the model",
    ]
    rows = [
        [
            row["setting"],
            f"{row['tokens']:,}",
            f"{row['ms']:,.1f}",
            times(row["speedup"]),
            times(row["ideal"]),
            f"{row['of_ideal']:.2f}",
            percent(row["pagerank_share"]),
            percent(row["merge_share"]),
            f"{row['peak_mb']:,.0f}" if "peak_mb" in row else "–",
            f"{row['rise_mb']:,.0f}" if "rise_mb" in row else "–",
        ]
        for row in result["rows"]
    ]
    over, eager = result["dropped_over_masked"], result["dropped_over_eager"]
    notes = (
        f"Dropping is {times(over['both'])} as fast as masking the same tokens with merging, {times(over['prune'])} "
        f"without; against eager masking, the released way, {times(eager['both'])} and {times(eager['prune'])}. "
        "PageRank and merging: share of the prefill they are part of. Ideal: dense FLOPs over its own; masked rows "
        "are computed, so they count."
    )
    return markdown(f"{TITLE}, {result['shape']}'s shape, {result['layers']} layers", head, rows, notes)
