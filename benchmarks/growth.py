"""Growth: what a prefill with AIM costs for more and more frames, each number of frames in a process of its own."""

from __future__ import annotations

import argparse

from benchmarks.memory_probe import ProbeTask, memory_probe
from benchmarks.shapes import SHAPES
from benchmarks.tables import markdown, percent

TITLE = "How cost grows with frames, 25 % kept"
MANY = 64  # frames from which on one prefill is timed, without a warm-up


def measure(options: argparse.Namespace) -> dict:
    shape = SHAPES[options.shape]
    layers = options.growth_layers or shape.layers
    rows = []
    for num_frames in options.growth_frames:
        once = num_frames >= MANY
        task = ProbeTask(
            shape.name,
            layers,
            "both",
            num_frames,
            options.side,
            options.text,
            repeats=1 if once else options.repeats,
            warm=0 if once else 1,
            threads=options.threads,
        )
        probed = memory_probe(task)
        rows.append(
            {
                "frames": num_frames,
                "tokens": probed["tokens"][0],
                "ms": probed["ms"],
                "ms_per_layer": probed["ms"] / layers,
                "pagerank_share": probed["pagerank_share"],
                "merge_share": probed["merge_share"],
                "peak_mb": probed["peak_mb"],
                "rise_mb": probed["peak_mb"] - probed["before_mb"],
            }
        )
    return {"shape": shape.name, "layers": layers, "full_layers": shape.layers, "rows": rows}


def table(result: dict) -> str:
    head = ["frames", "tokens in", "prefill ms", "ms a layer", "PageRank", "merging", "peak MB", "above the model"]
    rows = [
        [
            str(row["frames"]),
            f"{row['tokens']:,}",
            f"{row['ms']:,.0f}",
            f"{row['ms_per_layer']:,.1f}",
            percent(row["pagerank_share"]),
            percent(row["merge_share"]),
            f"{row['peak_mb']:,.0f}",
            f"{row['rise_mb']:,.0f}",
        ]
        for row in result["rows"]
    ]
    layers, full = result["layers"], result["full_layers"]
    notes = (
        f"All {full} layers." if layers == full else f"Run with {layers} of the shape's {full} layers, not scaled up."
    )
    return markdown(f"{TITLE}, {result['shape']}'s shape, {layers} layers", head, rows, notes)
