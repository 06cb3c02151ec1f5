"""The question of the engine's tests, what plain transformers is given for it, and its embeddings merged by hand."""

from __future__ import annotations

import numpy as np
import torch

from aim_core import aim
from aim_core.config import AimConfig
from aim_core.engine import Engine
from aim_core.ops.merging import merge_tokens

QUESTION = "where is the red circle?"


def prepared(engine: Engine, frames: np.ndarray, keep_ratio: float):
    """Prompt embeddings (1, N, d) merged by hand, the first visual row and the number of visual rows."""
    model, inputs = engine.adapter.model, plain_inputs(engine, frames)
    with torch.inference_mode():
        features = model.get_video_features(inputs["pixel_values_videos"], return_dict=True).pooler_output[0]
        tokens = features[:-1].unflatten(0, (len(frames), -1))
        visual = torch.cat([merge_tokens(tokens, keep_ratio).tokens.flatten(0, 1), features[-1:]])
        text = model.get_input_embeddings()(inputs["input_ids"])
    places = (inputs["input_ids"][0] == model.config.video_token_id).nonzero()[:, 0]
    start, end = int(places[0]), int(places[-1]) + 1
    return torch.cat([text[:, :start], visual[None], text[:, end:]], dim=1), start, len(visual)


def prefilled(engine: Engine, frames: np.ndarray, config: AimConfig):
    """Logits (vocabulary,) after the prompt, the cache, and the record of what was kept."""
    with torch.inference_mode(), aim(engine.adapter.model, config) as recorder:
        out = engine.adapter.model(**plain_inputs(engine, frames), use_cache=True, logits_to_keep=1)
    return out.logits[0, -1], out.past_key_values, recorder.record


def plain_inputs(engine: Engine, frames: np.ndarray):
    """What a user of plain transformers would pass."""
    processor = engine.adapter.processor
    content = [{"type": "video"}, {"type": "text", "text": QUESTION}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = processor(text=text, videos=[frames], return_tensors="pt")
    return inputs.to(dtype=engine.adapter.model.dtype)
