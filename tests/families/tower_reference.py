"""What the stock tower says of each visual token: whole softmax matrices, pooled by hand in every family."""

from __future__ import annotations

import math

import numpy as np
import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

from tests.families.reference import encoded

CLIP, CLASS_TOKEN = ("llava", "llava_next_video"), ("llava", "llava_next_video", "internvl")


def tower_views(model, name: str, medium: str, inputs) -> list[np.ndarray]:
    """For every view (n, 1 + m) in raster order: the attention that each visual token received, and its key."""
    pictures = [of_patches(name, *both) for both in whole_matrices(model, name, inputs)]
    return pooled(name, medium, pictures)


def tower_of(model):
    """The stock tower, and its attention modules in order."""
    inner = model.model
    tower = next(getattr(inner, name) for name in ("vision_tower", "vision_model", "visual") if hasattr(inner, name))
    return tower, [module for module in tower.modules() if type(module).__name__.endswith("Attention")]


def whole_matrices(model, name: str, inputs) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each picture or plane the whole softmax matrix (heads, n, n) and the keys (heads, n, m) of the layer."""
    tower, layers = tower_of(model)
    wanted, found = layers[-2] if name in CLIP else layers[-1], []

    def attention(module, query, key, value, attention_mask, **kwargs):
        weights = (query @ key.mT * kwargs["scaling"]).softmax(-1)
        if module is wanted:
            found.extend(zip(weights.numpy(), key.numpy(), strict=True))
        return (weights @ value).transpose(1, 2), None

    AttentionInterface.register("whole", attention)
    AttentionMaskInterface.register("whole", ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    tower.set_attn_implementation("whole")
    try:
        with torch.inference_mode():
            encoded(model, inputs)
    finally:
        tower.set_attn_implementation("sdpa")
    return found


def of_patches(name: str, weights: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """(n, 1 + m), one row for each patch of a picture: attention received, and its key."""
    heads, n, _ = weights.shape
    rows = []
    for patch in range(1 if name in CLASS_TOKEN else 0, n):
        if name in CLIP:
            received = sum(weights[head, 0, patch] for head in range(heads)) / heads
        else:
            received = sum(weights[head, row, patch] for head in range(heads) for row in range(n)) / heads / n
        rows.append([received, *(sum(keys[head, patch] for head in range(heads)) / heads)])
    return np.array(rows)


def squares(patches: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 patches of a square picture."""
    side = math.isqrt(len(patches))
    grid = patches.reshape(side, side, -1)
    cells = [(row, column) for row in range(0, side, 2) for column in range(0, side, 2)]
    return np.array([(grid[r, c] + grid[r, c + 1] + grid[r + 1, c] + grid[r + 1, c + 1]) / 4 for r, c in cells])


def halved(patches: np.ndarray) -> np.ndarray:
    """5 x 5 patches at the 3 x 3 places of bilinear interpolation."""
    grid, places = patches.reshape(5, 5, -1), [(i + 0.5) * 5 / 3 - 0.5 for i in range(3)]
    found = []
    for y in places:
        for x in places:
            top, left = int(y), int(x)
            below, right = min(4, top + 1), min(4, left + 1)
            upper = grid[top, left] * (1 - (x - left)) + grid[top, right] * (x - left)
            lower = grid[below, left] * (1 - (x - left)) + grid[below, right] * (x - left)
            found.append(upper * (1 - (y - top)) + lower * (y - top))
    return np.array(found)


def stitched(crops: list[np.ndarray], across: int, rows: int, columns: range) -> np.ndarray:
    """Cells of a canvas of crops, `across` in a line, in raster order."""
    side = math.isqrt(len(crops[0]))
    cells = [(row, column) for row in range(rows) for column in columns]
    return np.array([crops[r // side * across + c // side][r % side * side + c % side] for r, c in cells])


def by_merged_cells(patches: np.ndarray, rows: int = 4, columns: int = 6) -> np.ndarray:
    """A plane of Qwen: four patches in a row make a token."""
    return np.array([patches[4 * i : 4 * i + 4].mean(axis=0) for i in range(rows * columns)])


def by_windows(patches: np.ndarray, rows: int = 4, columns: int = 6) -> np.ndarray:
    """The same in Qwen2.5, where tokens stand in the tower in windows of 4 x 4 and what is left at the edges."""
    tokens, place = by_merged_cells(patches, rows, columns), {}
    for top in range(0, rows, 4):
        for left in range(0, columns, 4):
            for row in range(top, min(rows, top + 4)):
                for column in range(left, min(columns, left + 4)):
                    place[row, column] = len(place)
    return np.array([tokens[place[row, column]] for row in range(rows) for column in range(columns)])


def pooled(name: str, medium: str, pictures: list[np.ndarray]) -> list[np.ndarray]:
    """For every view (n, 1 + m) in raster order."""
    if name == "llava_onevision" and medium == "video":
        return [halved(own) for own in pictures]
    if name == "llava_onevision" and medium == "image":  # 2 x 3 crops, without padding
        return [pictures[0], stitched(pictures[1:], 3, 10, range(15))]
    if name == "llava_next_video" and medium == "image":  # 1 x 2 crops, two columns of padding at each side
        return [pictures[0], stitched(pictures[1:], 2, 8, range(2, 14))]
    if name == "llava_next_video" or name in ("internvl", "smolvlm"):
        return [squares(own) for own in pictures]
    if name == "qwen2_5_omni_thinker":
        return [by_windows(own, 5, 7) for own in pictures]
    if name.startswith("qwen"):
        return [(by_windows if name == "qwen2_5_vl" else by_merged_cells)(own) for own in pictures]
    return pictures
