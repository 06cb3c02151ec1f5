"""GPU: Qwen2-7B's shape in bfloat16, 6,372 tokens dense against AIM, and 192 frames without running out."""

from __future__ import annotations

import argparse

import torch

from benchmarks.prefill import ablations, interleaved
from benchmarks.shapes import SHAPES, random_model, random_prompt
from benchmarks.tables import markdown, percent, times

TITLE = "Prefill on a GPU"
NOT_RUN = f"**{TITLE}**\n\nnot run: no GPU"


def measure(options: argparse.Namespace) -> dict | None:
    """None without the device; times by CUDA events, in turns."""
    if options.gpu_device == "cuda" and not torch.cuda.is_available():
        return None
    shape = SHAPES[options.gpu_shape]
    layers = options.layers or shape.layers
    adapter = random_model(shape, layers, options.gpu_device, torch.bfloat16)
    prompt = random_prompt(adapter, options.gpu_frames, options.side, options.text - 1)  # its newline row is one more
    settings = {name: config for name, config in ablations(layers).items() if name in ("dense", "both")}
    dense, both = interleaved(adapter, prompt, settings, options.gpu_repeats, warm=2)
    speedup, ideal = dense.ms / both.ms, dense.flops(adapter) / both.flops(adapter)
    return {
        "chip": torch.cuda.get_device_name() if options.gpu_device == "cuda" else "CPU",
        "shape": shape.name,
        "layers": layers,
        "tokens": dense.runs[0].tokens[0],
        "dense_ms": dense.ms,
        "aim_ms": both.ms,
        "speedup": speedup,
        "ideal": ideal,
        "of_ideal": speedup / ideal,
        "pagerank_share": both.pagerank_share,
        "merge_share": both.merge_share,
        "long": _long(adapter, options),
    }


def _long(adapter, options: argparse.Namespace) -> dict:
    """AIM on many frames: ms, and the most memory it took in MB; or that it ran out."""
    on_gpu = options.gpu_device == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    try:
        prompt = random_prompt(adapter, options.gpu_long_frames, options.side, options.text - 1)
        (aim,) = interleaved(adapter, prompt, {"both": ablations(adapter.num_layers)["both"]}, repeats=1)
    except torch.OutOfMemoryError:
        return {"frames": options.gpu_long_frames, "ran_out": True}
    peak = torch.cuda.max_memory_allocated() / 2**20 if on_gpu else None
    return {"frames": options.gpu_long_frames, "ran_out": False, "ms": aim.ms, "peak_mb": peak}


def table(result: dict | None) -> str:
    if result is None:
        return NOT_RUN
    long = result["long"]
    peak = f", at most {long['peak_mb']:,.0f} MB" if long.get("peak_mb") else ""
    rows = [
        ["tokens", f"{result['tokens']:,}"],
        ["dense", f"{result['dense_ms']:,.1f} ms"],
        ["AIM", f"{result['aim_ms']:,.1f} ms"],
        ["speedup (FLOPs' ideal)", f"{times(result['speedup'])} ({times(result['ideal'])})"],
        ["of ideal", f"{result['of_ideal']:.2f}"],
        ["PageRank, merging", f"{percent(result['pagerank_share'])}, {percent(result['merge_share'])}"],
        [f"AIM, {long['frames']} frames", "ran out of memory" if long["ran_out"] else f"{long['ms']:,.1f} ms{peak}"],
    ]
    title = f"{TITLE}, {result['shape']}'s shape, {result['layers']} layers, bfloat16, {result['chip']}"
    return markdown(title, ["", "measured"], rows)
