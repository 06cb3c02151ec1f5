"""True shape: checkpoints as large as the smallest released ones, made, loaded and asked about a natural clip.

`python -m benchmarks.true_shape` (or `make true-shape`) makes a random checkpoint of each shape in a temporary folder,
in bfloat16 and with a processor of the true kind, loads it as the page does, in a process of its own, and answers dense
and with AIM. What is answered means nothing; no step of a run depends on the values, so its times and its memory are
those of the released weights. It takes minutes and up to 8 GB, and is no part of the suite.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.memory_probe import resident
from benchmarks.tables import markdown, percent, times

ROOT = Path(__file__).parent.parent
CLIP, QUESTION = ROOT / "assets" / "natural" / "burrow.mp4", "what animal comes out of the burrow?"
SMALLEST = ("llava-hf/llava-onevision-qwen2-0.5b-ov-hf", "HuggingFaceTB/SmolVLM2-256M-Video-Instruct")
HEAD = ["", "dense", "AIM", "ratio"]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.true_shape", description=__doc__)
    parser.add_argument("models", nargs="*", default=list(SMALLEST), help="ids in benchmarks/released/sizes.py")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3, help="prefills of each, taken in turns, whose median counts")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--folder", help="measure the checkpoint in this folder, and print JSON")
    return parser.parse_args(argv)


def make_checkpoint(model_id: str, folder: Path) -> None:
    """Random weights in bfloat16, and a processor whose tokenizer has learned from the repository's documentation."""
    from benchmarks.released.processors import make_processor
    from benchmarks.released.sizes import make_model

    text = [page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))]
    make_processor(model_id, text).save_pretrained(folder)
    make_model(model_id, "cpu").save_pretrained(folder)


def measured(folder: Path, num_frames: int, repeats: int) -> dict:
    """Load a checkpoint as the page does, ask it, and time its prefills side by side."""
    from aim_core.config import AimConfig
    from aim_core.engine import Engine
    from aim_core.footprint import footprint
    from aim_core.media.decode import load_frames
    from aim_core.ops.flops import kv_bytes

    begun, before_mb = time.perf_counter(), resident("VmRSS")
    engine = Engine.from_pretrained(folder)
    load_s, loaded_mb = time.perf_counter() - begun, resident("VmRSS")
    frames, adapter = load_frames(CLIP, num_frames), engine.adapter
    configs = [AimConfig.dense(), adapter.default_config()]
    runs = [engine.run(frames, QUESTION, config=config, max_new_tokens=8) for config in configs]
    timed = engine.time_prefills(frames, QUESTION, configs=configs, repeats=repeats, warm=0, vision=False)
    peak_mb, dtype = resident("VmHWM"), adapter.model.dtype
    need = footprint(folder, adapter, dtype, num_frames, *frames.frames.shape[1:3])
    return {
        "parameters": sum(weight.numel() for weight in adapter.model.parameters()),
        "disk_mb": sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6,
        "dtype": str(dtype).removeprefix("torch."),
        "frames": num_frames,
        "layers": adapter.num_layers,
        "load_s": load_s,
        "loaded_mb": loaded_mb,
        "taken_mb": peak_mb - before_mb,
        "estimate_mb": {name: own / 1e6 for name, own in vars(need).items()},
        "num_text": runs[0].cost.num_text,
        "visual": [run.cost.visual_per_layer[0] for run in runs],
        "language_flops": [run.cost.language_flops for run in runs],
        "vision_flops": runs[0].cost.vision_flops,
        "kv_bytes": [kv_bytes(run.cost.tokens_per_layer, adapter.sizes["kv"], dtype.itemsize) for run in runs],
        "prefill_ms": [list(own.ms) for own in timed],
        "vision_ms": runs[0].timing.vision_ms,
        "decode_ms": [run.timing.decode_ms / max(1, len(run.answer_ids) - 1) for run in runs],
    }


def in_a_process(folder: Path, options: argparse.Namespace) -> dict:
    """What `measured` finds in a fresh process. Raises RuntimeError with what it said if it fails."""
    settings = {"frames": options.frames, "repeats": options.repeats, "threads": options.threads, "folder": folder}
    given = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    done = subprocess.run([sys.executable, "-m", __spec__.name, *given], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{folder} could not be measured:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def table(model_id: str, found: dict) -> str:
    """In Markdown; the ratio of prefills is the median of those taken side by side."""
    prefills = found["prefill_ms"]
    medians, ratios = [statistics.median(own) for own in prefills], [d / a for d, a in zip(*prefills, strict=True)]
    first_words = [found["vision_ms"] + own for own in medians]
    flops, kv = found["language_flops"], found["kv_bytes"]
    whole = [own + found["vision_flops"] for own in flops]
    visual, text = found["visual"], found["num_text"]
    rows = [
        ["tokens entering layer 0", *(f"{own + text:,}" for own in visual), ""],
        ["TFLOPs of the language model", *(f"{own / 1e12:.2f}" for own in flops), times(flops[0] / flops[1])],
        ["with the vision tower", *(f"{own / 1e12:.2f}" for own in whole), times(whole[0] / whole[1])],
        ["prefill, s", *(f"{own / 1000:.2f}" for own in medians), times(statistics.median(ratios))],
        ["from frames to the first word, s", *(f"{own / 1000:.1f}" for own in first_words), _of(first_words)],
        ["each further word, ms", *(f"{own:,.0f}" for own in found["decode_ms"]), _of(found["decode_ms"])],
        ["keys and values, MB", *(f"{own / 1e6:,.1f}" for own in kv), times(kv[0] / kv[1])],
    ]
    shares = [percent(found["vision_flops"] / own) for own in whole]
    estimate = found["estimate_mb"]
    parts = ", ".join(f"{own:,.0f} {name}" for name, own in estimate.items())
    notes = (
        f"{found['parameters'] / 1e6:,.0f} million parameters, {found['disk_mb']:,.0f} MB on disk, loaded in "
        f"{found['load_s']:.1f} s as {found['dtype']}: {found['loaded_mb']:,.0f} MB resident. Both answers took at "
        f"most {found['taken_mb']:,.0f} MB above the process without the model; the page's estimate is "
        f"{sum(estimate.values()):,.0f} MB ({parts}). The vision side ran once for both, "
        f"{found['vision_ms'] / 1000:.1f} s; it is {shares[0]} of all FLOPs dense, {shares[1]} with AIM."
    )
    return markdown(f"{model_id}'s shape, {found['layers']} layers, {found['frames']} frames", HEAD, rows, notes)


def _of(pair: list[float]) -> str:
    return times(pair[0] / pair[1]) if pair[1] else "–"


def main(argv: list[str] | None = None) -> None:
    options = arguments(argv)
    torch.set_num_threads(options.threads)
    if options.folder:
        print(json.dumps(measured(Path(options.folder), options.frames, options.repeats)))
        return
    for model_id in options.models:
        with tempfile.TemporaryDirectory() as folder:
            make_checkpoint(model_id, Path(folder))
            print(table(model_id, in_a_process(Path(folder), options)), "\n", flush=True)


if __name__ == "__main__":
    main()
