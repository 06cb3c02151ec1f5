"""Low bits: prefill and decoding of one shape in float32, bfloat16, 8 and 4 bits, dense and with AIM, in turns."""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch import Tensor

from aim_core.adapters.base import Adapter
from aim_core.forward.dialect import cache_of, call
from aim_core.low_bits import FULL, INT4, INT8, low_bit_config, num_bytes
from benchmarks.prefill import ablations, prefill
from benchmarks.shapes import SHAPES, random_model, random_prompt
from benchmarks.tables import markdown, times

TITLE = "Weights in fewer bits on a CPU"
FORMATS = {
    "float32": (torch.float32, FULL),
    "bfloat16": (torch.bfloat16, FULL),
    "8-bit weights in bfloat16": (torch.bfloat16, INT8),
    "4-bit weights in bfloat16": (torch.bfloat16, INT4),
}
RUNS = {"dense": "dense", "both": "AIM"}  # of `prefill.ablations`, and as the table says it
WORDS, BEHIND = 4, 64  # decoded in a turn, and rows of cache behind which they are


def measure(options: argparse.Namespace) -> dict:
    """Milliseconds of each format, one prefill dense, one with AIM and some decoded tokens of it in every turn."""
    shape, layers = SHAPES[options.shape], options.low_bits_layers
    adapters = {name: _packed(random_model(shape, layers, dtype=dtype), own) for name, (dtype, own) in FORMATS.items()}
    settings = ablations(layers)
    size = (options.frames, options.side, options.text)
    found: dict = {name: {what: [] for what in (*RUNS, "word")} for name in FORMATS}
    for turn in range(options.repeats + 1):
        for name, adapter in adapters.items():
            prompt = random_prompt(adapter, *size)
            own = {run: prefill(adapter, prompt, settings[run]) for run in RUNS}
            told = {run: timing.ms for run, timing in own.items()}
            told["word"] = _ms_a_word(adapter, prompt.embeds[:, :BEHIND])
            for what, ms in told.items() if turn else ():
                found[name][what].append(ms)
    return {
        "shape": shape.name,
        "layers": layers,
        "tokens": {run: own[run].tokens[0] for run in RUNS},
        "bytes": {name: sum(map(num_bytes, one.decoder.layers.parameters())) for name, one in adapters.items()},
        "ms": found,
    }


def _packed(adapter: Adapter, weights: str) -> Adapter:
    """The same adapter, its layers' weights packed in place."""
    if weights != FULL:
        from torchao.quantization import quantize_

        quantize_(adapter.decoder.layers, low_bit_config(adapter, weights).get_apply_tensor_subclass())
    return adapter


@torch.inference_mode()
def _ms_a_word(adapter: Adapter, embeds: Tensor) -> float:
    """Of each token decoded behind a cache of these rows."""
    cache = cache_of(call(adapter.model, inputs_embeds=embeds, use_cache=True, logits_to_keep=1))
    begun = time.perf_counter()
    for _ in range(WORDS):
        call(adapter.model, inputs_embeds=embeds[:, :1], past_key_values=cache, use_cache=True)
    return (time.perf_counter() - begun) * 1000 / WORDS


def table(result: dict) -> str:
    tokens = result["tokens"]
    head = ["", "MB of the layers", *(f"{RUNS[run]} prefill of {tokens[run]:,}, ms" for run in RUNS), "each word, ms"]
    rows = [
        [name, f"{result['bytes'][name] / 1e6:,.1f}", *(_cell(ms[what], result["ms"]["float32"][what]) for what in ms)]
        for name, ms in result["ms"].items()
    ]
    notes = "In brackets how many times as fast as float32, the median of those taken in the same turn."
    return markdown(f"{TITLE}, {result['shape']}'s shape, {result['layers']} layers", head, rows, notes)


def _cell(own: list[float], full: list[float]) -> str:
    faster = statistics.median(other / one for one, other in zip(own, full, strict=True))
    return f"{statistics.median(own):,.1f} ({times(faster)})"
