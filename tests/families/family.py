"""What a family's small checkpoint is: how it is made, and what a user of stock transformers asks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, BatchFeature, PreTrainedModel, ProcessorMixin
from transformers.video_utils import VideoMetadata

QUESTION = "what moves?"
FPS = 2.0  # of the sample videos


@dataclass(frozen=True)
class Family:
    """A family of models in miniature.

    model_type: as in config.json.
    make:       () → the stock model with random weights and its stock processor.
    views:      for a sample of each medium, how its visual rows are grouped for merging: lists of their numbers.
    layers:     how many decoder layers the small model has.
    size:       (height, width) of the sample pictures.
    needs:      a package the processor cannot do without, or "".
    since:      the first version of transformers that has the model as the adapter expects it.
    """

    model_type: str
    make: Callable[[], tuple[PreTrainedModel, ProcessorMixin]]
    views: dict[str, list[list[int]]]
    layers: int
    size: tuple[int, int] = (64, 96)
    needs: str = ""
    since: str = "5.20"

    @property
    def media(self) -> tuple[str, ...]:
        """What it can be asked about: "image", "images", "video"."""
        return tuple(self.views)

    def save(self, folder: str | Path) -> None:
        """Write the checkpoint: config, weights and processor."""
        model, processor = self.make()
        model.save_pretrained(folder)
        processor.save_pretrained(folder)


def in_turn(num_views: int, size: int, between: int = 0) -> list[list[int]]:
    """Views of `size` rows one after the other, with some rows between them that are in none."""
    return [[view * (size + between) + row for row in range(size)] for view in range(num_views)]


def with_newlines(start: int, rows: int, columns: int) -> list[int]:
    """A view of rows x columns from `start` on, one newline after each of its rows."""
    return [start + row * (columns + 1) + column for row in range(rows) for column in range(columns)]


def load(folder: str | Path, dtype: torch.dtype = torch.float32) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Model and processor by the Auto classes, as a user loads a released checkpoint."""
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa").eval()
    return model, AutoProcessor.from_pretrained(folder)


def pictures(count: int, size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """(count, height, width, 3) uint8: coloured blocks of 8 pixels, a quarter of them new in each picture."""
    draw = np.random.default_rng(seed)
    height, width = size
    blocks = draw.integers(0, 256, (height // 8, width // 8, 3))
    frames = []
    for _ in range(count):
        fresh = draw.random(blocks.shape[:2]) < 0.25
        blocks = np.where(fresh[..., None], draw.integers(0, 256, blocks.shape), blocks)
        frames.append(blocks.repeat(8, 0).repeat(8, 1))
    return np.stack(frames).astype(np.uint8)


def samples(family: Family, medium: str) -> np.ndarray:
    """The pictures asked about: one image, three images, or five frames of a video."""
    return pictures({"image": 1, "images": 3, "video": 5}[medium], family.size)


def ask(processor: ProcessorMixin, medium: str, media: np.ndarray, question: str = QUESTION) -> BatchFeature:
    """The processor's output for a chat prompt about `media` (frames, height, width, 3), float inputs in float32."""
    kinds = ["video"] if medium == "video" else ["image"] * len(media)
    content = [*({"type": kind} for kind in kinds), {"type": "text", "text": question}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    if medium != "video":
        return processor(text=[text], images=[list(media)], return_tensors="pt")
    about = VideoMetadata(len(media), FPS, duration=len(media) / FPS, frames_indices=list(range(len(media))))
    about = {"video_metadata": [about], "do_sample_frames": False}
    return processor(text=[text], videos=[[media]], **about, return_tensors="pt")
