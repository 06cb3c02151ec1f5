"""LLaVA-OneVision: frames to visual tokens, a question to a prompt with room for them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from transformers import LlavaOnevisionForConditionalGeneration, LlavaOnevisionProcessor

from aim_core.cost import vision_flops


class LlavaOnevisionAdapter:
    """Wraps a stock `LlavaOnevisionForConditionalGeneration`; changes nothing on it.

    Every medium goes the way of a video: a picture is a video of one frame. After the frames' tokens
    comes one suffix row, the model's newline embedding; as in the released method it may be pruned.
    """

    num_suffix = 1

    def __init__(self, model: LlavaOnevisionForConditionalGeneration, processor: LlavaOnevisionProcessor):
        self.model, self.processor = model, processor
        vision, text = model.config.vision_config, model.config.text_config
        side = math.ceil(vision.image_size // vision.patch_size / 2)  # the model halves the tower's grid for videos
        self.grid = (side, side)
        self.num_layers = text.num_hidden_layers
        head_dim = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
        self.sizes = {
            "hidden": text.hidden_size,
            "kv": text.num_key_value_heads * head_dim,
            "intermediate": text.intermediate_size,
        }

    @property
    def decoder(self) -> nn.Module:
        """The language model's stack of decoder layers, with `.layers` and `.config`."""
        return self.model.model.language_model

    @torch.no_grad()
    def encode(self, frames: np.ndarray) -> tuple[Tensor, Tensor]:
        """frames (F, H, W, 3) uint8 → visual tokens (F, n, d) in raster order, and suffix rows (1, d)."""
        pixels = self.processor.video_processor([frames], return_tensors="pt")["pixel_values_videos"]
        pixels = pixels.to(self.model.device, self.model.dtype)
        features = self.model.get_video_features(pixels, return_dict=True).pooler_output[0]  # (F * n + 1, d)
        return features[: -self.num_suffix].unflatten(0, (len(frames), -1)), features[-self.num_suffix :]

    def prompt(self, question: str, num_visual: int) -> tuple[Tensor, int]:
        """Token ids (1, N) of a chat with `num_visual` placeholders, and the index of the first one."""
        processor = self.processor
        content = [{"type": "video"}, {"type": "text", "text": self._plain(question)}]
        text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        text = text.replace(processor.video_token, processor.video_token * num_visual, 1)
        ids = processor.tokenizer(text, return_tensors="pt")["input_ids"].to(self.model.device)
        places = (ids[0] == self.model.config.video_token_id).nonzero()[:, 0]
        if len(places) != num_visual:
            raise ValueError(f"the prompt has {len(places)} places for {num_visual} visual tokens")
        return ids, int(places[0])

    def num_unknown(self, question: str) -> int:
        """Words of the question that the tokenizer has no token for; 0 for a tokenizer that splits any text."""
        tokenizer = self.processor.tokenizer
        ids = tokenizer(self._plain(question), add_special_tokens=False)["input_ids"]
        return 0 if tokenizer.unk_token_id is None else ids.count(tokenizer.unk_token_id)

    def embed(self, ids: Tensor) -> Tensor:
        """Text embeddings (1, N, d) of token ids (1, N)."""
        return self.model.get_input_embeddings()(ids)

    def vision_flops(self, num_frames: int) -> int:
        """Operations of the vision tower; no setting reduces them."""
        vision = self.model.config.vision_config
        patches = (vision.image_size // vision.patch_size) ** 2
        patch_dim = vision.num_channels * vision.patch_size**2
        return vision_flops(
            num_frames, patches, vision.hidden_size, vision.intermediate_size, vision.num_hidden_layers, patch_dim
        )

    def _plain(self, question: str) -> str:
        """The question without control tokens, so that typed text can neither add a video nor end the turn."""
        for token in sorted(self.processor.tokenizer.get_added_vocab(), key=len, reverse=True):
            question = question.replace(token, " ")
        return question.strip()
