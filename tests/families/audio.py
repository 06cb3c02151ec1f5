"""Asking Qwen2.5-Omni's small checkpoint about a video and a sound, beside it or as its own."""

from __future__ import annotations

import numpy as np
import torch
from transformers import BatchFeature, ProcessorMixin
from transformers.video_utils import VideoMetadata

from tests.families.family import FPS, QUESTION, samples
from tests.families.qwen2_5_omni import FAMILY, RATE

HEARD = ("beside", "inside")
SECONDS = 2.6  # a chunk of 50 tokens, and one of 15
CHUNKS = [list(range(50)), list(range(50, 65))]


def sound(seconds: float = SECONDS) -> np.ndarray:
    """(samples,) float32 at 16 kHz: a tone that changes ten times a second, and some noise."""
    draw, length = np.random.default_rng(0), round(seconds * RATE)
    pitch = draw.uniform(100, 3000, length // 1600 + 1).repeat(1600)[:length]
    wave = 0.4 * np.sin(np.cumsum(2 * np.pi * pitch / RATE)) + 0.05 * draw.normal(size=length)
    return wave.astype(np.float32)


def ask_with_sound(processor: ProcessorMixin, heard: str, seconds: float = SECONDS) -> BatchFeature:
    """The processor's output for the sample video with a sound, five frames in 2.5 seconds."""
    frames = samples(FAMILY, "video")
    about = VideoMetadata(len(frames), FPS, duration=len(frames) / FPS, frames_indices=list(range(len(frames))))
    parts = [{"type": "video"}, {"type": "text", "text": QUESTION}]
    more = {"load_audio_from_video": True, "audio_from_video_indices": [0]}
    if heard == "beside":
        parts, more = [{"type": "video"}, {"type": "audio"}, *parts[1:]], {}
    text = processor.apply_chat_template([{"role": "user", "content": parts}], add_generation_prompt=True)
    inputs = processor(
        text=[text],
        videos=[[frames]],
        video_metadata=[about],
        do_sample_frames=False,
        audio=[sound(seconds)],
        return_tensors="pt",
        **more,
    )
    if heard == "inside":
        inputs["use_audio_in_video"] = torch.tensor(True)
    return inputs
