"""The benchmarks: `python -m benchmarks` (or `make bench`) prints Markdown tables and writes the figures as JSON."""

from __future__ import annotations

import argparse
import datetime
import json
import platform
from pathlib import Path

import torch

from benchmarks import gpu, growth, low_bits, page, speedup
from benchmarks.shapes import SHAPES

PARTS = {"speedup": speedup, "page": page, "growth": growth, "low_bits": low_bits, "gpu": gpu}


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; all of them if left out")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results.json"), help="where the figures go")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=3, help="rounds whose median counts")
    parser.add_argument("--shape", choices=SHAPES, default="Qwen2-0.5B")
    parser.add_argument("--layers", type=int, help="run fewer layers than the shape has")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--side", type=int, default=14, help="tokens along one side of a frame")
    parser.add_argument("--text", type=int, default=100, help="text tokens")
    parser.add_argument("--memory", nargs="*", default=speedup.IN_MEMORY, help="settings whose peak memory is measured")
    parser.add_argument("--starts", type=int, default=3, help="cold starts of the page")
    parser.add_argument("--reruns", type=int, default=7, help="requests after the first")
    parser.add_argument("--growth-layers", type=int, default=6, help="layers in the growth part; 0 for all")
    parser.add_argument("--growth-frames", type=int, nargs="+", default=[8, 16, 32, 64, 128, 192])
    parser.add_argument("--low-bits-layers", type=int, default=4, help="layers in the part about bits")
    parser.add_argument("--gpu-device", default="cuda")
    parser.add_argument("--gpu-shape", choices=SHAPES, default="Qwen2-7B")
    parser.add_argument("--gpu-frames", type=int, default=32)
    parser.add_argument("--gpu-long-frames", type=int, default=192)
    parser.add_argument("--gpu-repeats", type=int, default=10)
    options = parser.parse_args(argv)
    options.parts = options.parts or list(PARTS)
    for name in options.parts:
        if name not in PARTS:
            parser.error(f"there is no part {name}: choose from {', '.join(PARTS)}")
    return options


def chip() -> str:
    """The CPU's name."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main(argv: list[str] | None = None) -> None:
    options = arguments(argv)
    torch.set_num_threads(options.threads)
    report = {
        "date": datetime.date.today().isoformat(),
        "chip": chip(),
        "threads": options.threads,
        "torch": torch.__version__,
        "repeats": options.repeats,
        "parts": {},
    }
    for name in options.parts:
        report["parts"][name] = PARTS[name].measure(options)
        print(PARTS[name].table(report["parts"][name]), "\n", flush=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(
        f"Measured {report['date']}, {report['chip']}, {report['threads']} threads, torch {report['torch']}, "
        f"float32 on the CPU, medians of {report['repeats']} taken in turns, by `python -m benchmarks`."
    )


if __name__ == "__main__":
    main()
