"""How much faster the prefill gets: dense, merged, pruned and both, taken in turns in one run.

`python -m benchmarks.prefill` (or `make bench`) measures the embedded model and a language model of
Qwen2-0.5B's shape with random weights; random attention costs what trained attention costs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace

import torch
from torch import Tensor
from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration, Qwen2Config, SiglipVisionConfig

from aim_core.adapters.base import Adapter
from aim_core.adapters.llava_onevision import LlavaOnevisionAdapter
from aim_core.config import AimConfig
from aim_core.cost import prefill_flops
from aim_core.engine import Engine
from aim_core.hooks import attached
from aim_core.layout import Layout, Patches
from aim_core.merging import num_kept
from aim_core.methods.aim import as_method
from aim_core.session import Session
from aim_core.trace import View

NUM_TEXT = 100
EMBEDDED = "assets/model"


def qwen2_half_billion() -> LlavaOnevisionForConditionalGeneration:
    """A LLaVA-OneVision of the 0.5B language model's shape (24 layers of 896) and a tower too small to matter."""
    text = Qwen2Config(
        vocab_size=1000, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
        num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    vision = SiglipVisionConfig(
        hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=1, image_size=384, patch_size=14
    )
    config = LlavaOnevisionConfig(vision_config=vision, text_config=text, image_token_index=5, video_token_index=6)
    return LlavaOnevisionForConditionalGeneration(config).eval()


def settings(num_layers: int) -> dict[str, AimConfig]:
    """Dense, each half of the method alone, and both, at the default schedule for this depth."""
    both = AimConfig.for_depth(num_layers)
    never = AimConfig.dense()
    return {
        "dense": never,
        "merge to 25 %": AimConfig(both.keep_ratio, never.l1, never.l2),
        "prune": AimConfig(1.0, both.l1, both.l2),
        "both": both,
    }


def measure(engine: Engine, num_frames: int, per_frame: int, repeats: int) -> list[tuple[str, int, float, float]]:
    """(setting, visual tokens into layer 0, FLOPs, median milliseconds) of each setting, taken in turns."""
    sizes, depth = engine.adapter.sizes, engine.num_layers
    cases = []
    for name, config in settings(depth).items():
        visual = num_frames * num_kept(per_frame, config.keep_ratio) + 1
        plan = config.tokens_entering(visual, depth)
        embeds = torch.randn(1, NUM_TEXT + visual, sizes["hidden"], dtype=engine.adapter.model.dtype) * 0.02
        flops = prefill_flops([count + NUM_TEXT for count in plan], **sizes)
        cases.append((name, config, plan, embeds, flops, []))
    with torch.inference_mode():
        for turn in range(repeats + 1):  # the first turn warms up
            for _, config, plan, embeds, _, times in cases:
                begun = time.perf_counter()
                prefill(engine.adapter, config, embeds, plan[0])
                if turn:
                    times.append((time.perf_counter() - begun) * 1000)
    return [(name, plan[0], flops, statistics.median(times)) for name, _, plan, _, flops, times in cases]


def prefill(adapter: Adapter, config: AimConfig, embeds: Tensor, num_visual: int) -> None:
    """One prefill over embeds (1, N, d) whose visual rows, merged already, start at row 14."""
    session = Session(adapter, as_method(replace(config, keep_ratio=1.0)))
    rows = torch.arange(14, 14 + num_visual)
    session.layouts = [Layout((Patches(View(0, (0,), (1, num_visual)), rows),), rows)]
    with attached(adapter, session):
        adapter.model(inputs_embeds=embeds, use_cache=True, logits_to_keep=1)


def table(title: str, rows: list[tuple[str, int, float, float]]) -> str:
    """Speedups over dense beside the FLOPs' ideal, as Markdown."""
    _, _, dense_flops, dense_ms = rows[0]
    lines = [
        f"**{title}**",
        "",
        "| | visual tokens | prefill ms | speedup | FLOPs' ideal |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, visual, flops, ms in rows:
        lines.append(f"| {name} | {visual:,} | {ms:,.1f} | {dense_ms / ms:.2f}× | {dense_flops / flops:.2f}× |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    embedded = Engine.from_pretrained(EMBEDDED, device="cpu")
    print(table("Embedded model, 8 frames of 64", measure(embedded, 8, 64, options.repeats)), "\n")
    large = Engine(LlavaOnevisionAdapter(qwen2_half_billion(), processor=None))
    print(table("Qwen2-0.5B's shape, 8 frames of 196", measure(large, 8, 196, options.repeats)))
    print(f"\nCPU, {options.threads} threads, float32, torch {torch.__version__}, median of {options.repeats}.")


if __name__ == "__main__":
    main()
