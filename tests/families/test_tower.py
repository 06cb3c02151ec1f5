"""Attention of the vision tower, as a merger gets it, against whole softmax matrices of the stock tower, pooled by
hand in every family."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

from aim_core.adapters.base import Tower
from aim_core.adapters.registry import adapter_for
from aim_core.attach import aim
from aim_core.forward.hooks import patched
from aim_core.forward.session import EncodedPrompt, Session
from aim_core.methods.before_decoder import before_decoder
from aim_core.methods.fastv import NoMerge
from aim_core.ops.reduced import keep_patches
from aim_core.ops.tower_attention import TowerAttention, attention_received
from tests.families.asking import asked, schedule
from tests.families.reference import encoded
from tests.families.table import ASKED, ASKED_ONCE

CLIP, CLASS_TOKEN = ("llava", "llava_next_video"), ("llava", "llava_next_video", "internvl")


@dataclass(frozen=True)
class Listening:
    """Keeps every second patch, and what it was called with."""

    heard: list[TowerAttention] = field(default_factory=list)
    needs_tower: bool = True

    def __call__(self, tokens: Tensor, metric: Tensor | None = None, tower: TowerAttention | None = None):
        assert tower is not None and tower.received.shape == tower.keys.shape[:2] == tokens.shape[:2]
        self.heard.append(tower)
        kept = torch.zeros(tokens.shape[:2], dtype=torch.bool)
        kept[:, ::2] = True
        return keep_patches(tokens, kept)

    def reduces(self) -> bool:
        return True


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


def by_windows(patches: np.ndarray) -> np.ndarray:
    """The same in Qwen2.5, where 4 x 6 tokens stand in the tower in windows of 4 x 4 and 4 x 2."""
    tokens, place = by_merged_cells(patches), {}
    for columns in (range(4), range(4, 6)):
        for row in range(4):
            for column in columns:
                place[row, column] = len(place)
    return np.array([tokens[place[row, column]] for row in range(4) for column in range(6)])


def expected_views(name: str, medium: str, pictures: list[np.ndarray]) -> list[np.ndarray]:
    """For every view (n, 1 + m) in raster order."""
    if name == "llava_onevision" and medium == "video":
        return [halved(own) for own in pictures]
    if name == "llava_onevision" and medium == "image":  # 2 x 3 crops, without padding
        return [pictures[0], stitched(pictures[1:], 3, 10, range(15))]
    if name == "llava_next_video" and medium == "image":  # 1 x 2 crops, two columns of padding at each side
        return [pictures[0], stitched(pictures[1:], 2, 8, range(2, 14))]
    if name == "llava_next_video" or name in ("internvl", "smolvlm"):
        return [squares(own) for own in pictures]
    if name.startswith("qwen"):
        return [(by_windows if name == "qwen2_5_vl" else by_merged_cells)(own) for own in pictures]
    return pictures


@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_a_merger_gets_what_the_tower_says_of_each_visual_token(family_model, name, medium):
    model, inputs = asked(family_model, name, medium)
    pictures = [of_patches(name, *both) for both in whole_matrices(model, name, inputs)]
    merger = Listening()
    with torch.inference_mode(), aim(model, before_decoder("listening", merger)):
        model(**inputs)
    received = [own for tower in merger.heard for own in tower.received]
    keys = [own for tower in merger.heard for own in tower.keys]
    expected = expected_views(name, medium, pictures)
    assert len(received) == len(keys) == len(expected)
    for found, key, own in zip(received, keys, expected, strict=True):
        assert own[:, 0].std() > 0.05 * own[:, 0].mean()  # uneven enough to tell places apart
        np.testing.assert_allclose(found, own[:, 0], atol=1e-6)
        np.testing.assert_allclose(key, own[:, 1:], atol=1e-5)


@pytest.mark.parametrize(("name", "medium"), ASKED_ONCE)
def test_nothing_is_computed_for_a_method_that_does_not_ask(family_model, name, medium, monkeypatch):
    model, inputs = asked(family_model, name, medium)
    monkeypatch.setattr(Tower, "read", None)
    tower, layers = tower_of(model)
    seen = []
    hook = layers[-1].register_forward_pre_hook(lambda *_: seen.append(tower.config._attn_implementation))
    with hook, torch.inference_mode(), aim(model, schedule(name, 0.5)):
        model(**inputs)
    assert set(seen) == {"sdpa"}


@pytest.mark.parametrize(("name", "medium"), ASKED_ONCE)
def test_the_tower_says_the_same_and_is_given_back(family_model, name, medium):
    model, inputs = asked(family_model, name, medium, torch.float32)
    with torch.inference_mode():
        plain = encoded(model, inputs).pooler_output
        with aim(model, before_decoder("listening", Listening())):
            while_heard = encoded(model, inputs).pooler_output
    assert all(map(torch.equal, plain, while_heard))
    assert tower_of(model)[0].config._attn_implementation == "sdpa"


def test_a_tower_with_other_attention_or_other_layers_is_refused(family_model):
    model, inputs = asked(family_model, "llava", "image")
    method, tower = before_decoder("listening", Listening()), tower_of(model)[0]
    tower.set_attn_implementation("eager")
    try:
        with pytest.raises(ValueError, match="must be sdpa, got eager"), aim(model, method):
            pass
    finally:
        tower.set_attn_implementation("sdpa")
    with aim(model, method), pytest.raises(ValueError, match="leave out vision_feature_layer=-1"):
        model.get_image_features(inputs["pixel_values"], vision_feature_layer=-1)
    model.config.vision_feature_layer = [-2, -1]
    try:
        with pytest.raises(ValueError, match=r"one layer of the vision tower, got vision_feature_layer \[-2, -1\]"):
            adapter_for(model).tower()
    finally:
        model.config.vision_feature_layer = -2


@pytest.mark.parametrize("kind", [None, "bool", "added"])
def test_attention_received_is_the_column_mean_of_softmax_in_blocks(kind):
    draw = np.random.default_rng(0)
    query, key = draw.normal(size=(2, 3, 300, 4)), draw.normal(size=(2, 3, 300, 4))  # blocks of 256 rows
    allowed = draw.random((2, 1, 1, 300)) < 0.7
    mask = {None: None, "bool": torch.from_numpy(allowed), "added": torch.from_numpy(np.where(allowed, 0.0, -np.inf))}
    expected = np.zeros((2, 300))
    for picture in range(2):
        for head in range(3):
            for row in range(300):
                powers = np.exp(key[picture, head] @ query[picture, head, row] * 0.7)
                powers = powers if kind is None else powers * allowed[picture, 0, 0]
                expected[picture] += powers / powers.sum() / 900
    found = attention_received(torch.from_numpy(query), torch.from_numpy(key), 0.7, mask[kind])
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_prompt_whose_tower_was_not_heard_is_refused(family_model):
    model, inputs = asked(family_model, "qwen2_vl", "video")
    adapter, method = adapter_for(model), before_decoder("listening", Listening())
    plain, asking = Session(adapter, before_decoder("all", NoMerge())), Session(adapter, method)
    with torch.inference_mode(), patched(adapter, plain):
        features, calls = adapter.encode(dict(inputs)), plain.take_calls()
    rest = {name: value for name, value in inputs.items() if not name.startswith("pixel_")}
    with torch.inference_mode(), patched(adapter, asking):
        asking.use_prompt(EncodedPrompt(rest, features, calls))
        with pytest.raises(ValueError, match="needs the vision tower's attention"):
            model(**rest, mm_encoder_outputs=features)
