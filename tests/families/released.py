"""The released checkpoints' shapes in numbers written out, and the counts that follow from them by hand."""

from __future__ import annotations

from dataclasses import dataclass

FRAMES, HEIGHT, WIDTH = 8, 360, 640  # what is asked about


@dataclass(frozen=True)
class Shape:
    """What is known of a checkpoint.

    parameters: of the whole model, tied weights once.
    grid:       (rows, columns) of visual tokens of a view, for frames or a picture of 360 x 640.
    views:      of eight frames; of the picture where it reads no video.
    newlines:   visual rows beside them.
    picture:    views of a picture, each (rows, columns).
    depth, l1, l2, width, kv, m: layers of the language model, the schedule for them, its widths (kv: of all key heads).
    q:          width of all query heads, where it is not the model's.
    """

    parameters: int
    grid: tuple[int, int]
    views: int
    depth: int
    l1: int
    l2: int
    width: int
    kv: int
    m: int
    newlines: int = 0
    picture: tuple[tuple[int, int], ...] = ()
    q: int = 0


def _qwen2_half(parameters, grid, views, **more) -> Shape:
    return Shape(parameters, grid, views, 24, 12, 19, 896, 128, 4864, **more)


def _qwen2_1_5(parameters, grid, views, **more) -> Shape:
    return Shape(parameters, grid, views, 28, 14, 22, 1536, 256, 8960, **more)


def _qwen2_7(parameters, grid, views, **more) -> Shape:
    return Shape(parameters, grid, views, 28, 14, 22, 3584, 512, 18944, **more)


IN_TWO_TILES = ((16, 16),) * 3  # and the whole picture
IN_TWELVE = 13
SHAPES = {
    "llava-hf/llava-onevision-qwen2-0.5b-ov-hf": _qwen2_half(
        893_675_552, (14, 14), 8, newlines=1, picture=((27, 27), (27, 48))
    ),
    "llava-hf/llava-onevision-qwen2-7b-ov-hf": _qwen2_7(
        8_030_807_584, (14, 14), 8, newlines=1, picture=((27, 27), (27, 48))
    ),
    "llava-hf/llava-1.5-7b-hf": Shape(7_063_427_072, (24, 24), 1, 32, 13, 21, 4096, 4096, 11008, picture=((24, 24),)),
    "llava-hf/LLaVA-NeXT-Video-7B-hf": Shape(
        7_063_431_168, (12, 12), 8, 32, 16, 25, 4096, 4096, 11008, picture=((24, 24), (28, 48))
    ),
    "Qwen/Qwen2-VL-2B-Instruct": _qwen2_1_5(2_208_985_600, (13, 23), 4, picture=((13, 23),)),
    "Qwen/Qwen2-VL-7B-Instruct": _qwen2_7(8_291_375_616, (13, 23), 4, picture=((13, 23),)),
    "Qwen/Qwen2.5-VL-3B-Instruct": Shape(3_754_622_976, (13, 23), 4, 36, 18, 28, 2048, 256, 11008, picture=((13, 23),)),
    "Qwen/Qwen2.5-VL-7B-Instruct": _qwen2_7(8_292_166_656, (13, 23), 4, picture=((13, 23),)),
    "Qwen/Qwen3-VL-2B-Instruct": Shape(2_127_532_032, (11, 20), 4, 28, 14, 22, 2048, 1024, 6144, picture=((11, 20),)),
    "Qwen/Qwen3-VL-4B-Instruct": Shape(
        4_437_815_808, (11, 20), 4, 36, 18, 28, 2560, 1024, 9728, picture=((11, 20),), q=4096
    ),
    "Qwen/Qwen3-VL-8B-Instruct": Shape(8_767_123_696, (11, 20), 4, 36, 18, 28, 4096, 1024, 12288, picture=((11, 20),)),
    "OpenGVLab/InternVL3-1B-hf": _qwen2_half(938_193_024, (16, 16), 8, picture=IN_TWO_TILES),
    "OpenGVLab/InternVL3-2B-hf": _qwen2_1_5(2_088_957_440, (16, 16), 8, picture=IN_TWO_TILES),
    "OpenGVLab/InternVL3-8B-hf": _qwen2_7(7_944_373_760, (16, 16), 8, picture=IN_TWO_TILES),
    "HuggingFaceTB/SmolVLM2-256M-Video-Instruct": Shape(
        256_484_928, (8, 8), 8, 30, 15, 24, 576, 192, 1536, picture=((8, 8),) * IN_TWELVE
    ),
    "HuggingFaceTB/SmolVLM2-500M-Video-Instruct": Shape(
        507_482_304, (8, 8), 8, 32, 16, 25, 960, 320, 2560, picture=((8, 8),) * IN_TWELVE
    ),
    "HuggingFaceTB/SmolVLM2-2.2B-Instruct": Shape(
        2_246_784_880, (9, 9), 8, 24, 12, 19, 2048, 2048, 8192, picture=((9, 9),) * IN_TWELVE
    ),
}

PLACES = {  # by the name that the published tokenizers give them
    "llava_onevision": {"image": ("<image>", 151646), "video": ("<video>", 151647)},
    "llava": {"image": ("<image>", 32000), "video": (None, None)},
    "llava_next_video": {"image": ("<image>", 32001), "video": ("<video>", 32000)},
    "qwen2_vl": {"image": ("<|image_pad|>", 151655), "video": ("<|video_pad|>", 151656)},
    "qwen2_5_vl": {"image": ("<|image_pad|>", 151655), "video": ("<|video_pad|>", 151656)},
    "qwen3_vl": {"image": ("<|image_pad|>", 151655), "video": ("<|video_pad|>", 151656)},
    "internvl": {"image": ("<IMG_CONTEXT>", 151667), "video": (None, None)},
    "smolvlm": {"image": ("<image>", 49190), "video": (None, None)},
}
PROMPTS = {
    "llava_onevision": "<|im_start|>user\n<video>\nwhat moves?<|im_end|>\n<|im_start|>assistant\n",
    "llava": "USER: <image>\nwhat moves? ASSISTANT:",
    "llava_next_video": "USER: <video>\nwhat moves? ASSISTANT:",
    "qwen2_vl": (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        "<|vision_start|><|video_pad|><|vision_end|>what moves?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "qwen3_vl": (
        "<|im_start|>user\n<|vision_start|><|video_pad|><|vision_end|>what moves?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "internvl": "<|im_start|>user\n<video>\nwhat moves?<|im_end|>\n<|im_start|>assistant\n",
    "smolvlm": "<|im_start|>User: <video>what moves?<end_of_utterance>\nAssistant:",
}
PROMPTS["qwen2_5_vl"] = PROMPTS["qwen2_vl"]


def kept_of(model_id: str) -> list[int]:
    """Visual tokens that enter each layer under the default schedule, by hand: a share of every view, rounded up, and
    the newlines; all of them up to l1, then ever fewer, none from l2 on."""
    shape = SHAPES[model_id]
    patches = shape.grid[0] * shape.grid[1]
    left = 252 if model_id == "llava-hf/llava-1.5-7b-hf" else -(-patches // 4)  # 43.75 % of 576; a quarter
    whole, steps = shape.views * left + shape.newlines, shape.l2 - shape.l1
    return [whole * min(steps, max(0, shape.l2 - layer)) // steps for layer in range(shape.depth)]


def language_parameters(model_id: str, config) -> int:
    """Of the language model without its head, by hand."""
    shape, family = SHAPES[model_id], config.model_type
    d, kv, q = shape.width, shape.kv, shape.q or shape.width
    biases = (q + 2 * kv) if "qwen2" in family else 0
    norms = 2 * d + (2 * 128 if "qwen3" in family else 0)
    layer = d * q + 2 * d * kv + q * d + biases + 3 * d * shape.m + norms
    return config.vocab_size * d + shape.depth * layer + d


def parameters(model_id: str, config) -> int:
    """Of the whole model, tied weights once."""
    vision, out, vocabulary = config.vision_config, SHAPES[model_id].width, config.text_config.vocab_size
    head = 0 if config.tie_word_embeddings else vocabulary * out
    side = {"llava_onevision": _siglip, "smolvlm": _smol, "internvl": _internvit}.get(config.model_type)
    side = side or (_clip if config.model_type.startswith("llava") else _qwen_vision)
    return language_parameters(model_id, config.text_config) + head + side(config, vision, out)


def _layer(d: int, m: int, matrices: int = 2, norms: int = 4) -> int:
    """Four projections, an MLP, all with biases, and norms."""
    return 4 * (d * d + d) + matrices * d * m + (matrices - 1) * m + d + norms * d


def _two_layers(d: int, out: int) -> int:
    return d * out + out + out * out + out


def _siglip(_config, vision, out: int) -> int:
    """Patches with a bias, 27 x 27 places, a norm at the end; a projector, a newline."""
    d, m = 1152, 4304
    return 3 * 14**2 * d + d + 729 * d + vision.num_hidden_layers * _layer(d, m) + 2 * d + _two_layers(d, out) + out


def _clip(config, _vision, out: int) -> int:
    """Patches without a bias, a class token, norms before and after; a projector; LLaVA-NeXT has a newline."""
    d, m = 1024, 4096
    tower = 3 * 14**2 * d + d + (576 + 1) * d + 2 * d + 24 * _layer(d, m) + 2 * d
    return tower + _two_layers(d, out) + out * (config.model_type == "llava_next_video")


def _internvit(_config, _vision, out: int) -> int:
    """A class token, two scales a layer; a norm and a projector of four patches."""
    d, m = 1024, 4096
    tower = 3 * 14**2 * d + d + d + (1024 + 1) * d + 24 * _layer(d, m, norms=6)
    return tower + 2 * 4 * d + 4 * d * out + out + out * out + out


def _smol(config, vision, out: int) -> int:
    """As SigLIP; one matrix for a square of patches."""
    d, n = vision.hidden_size, (vision.image_size // vision.patch_size) ** 2
    layers = vision.num_hidden_layers * _layer(d, vision.intermediate_size)
    return 3 * vision.patch_size**2 * d + d + n * d + layers + 2 * d + config.scale_factor**2 * d * out


def _qwen_vision(config, vision, out: int) -> int:
    """Patches of two frames; a merger of four patches, Qwen3-VL's with three more and places for 48 x 48 patches."""
    d = 1280 if config.model_type != "qwen3_vl" else vision.hidden_size
    merger = (4 * d) ** 2 + 4 * d + 4 * d * out + out
    if config.model_type == "qwen2_vl":
        return 3 * 2 * 14**2 * d + 32 * _layer(d, 4 * d) + 2 * d + merger
    if config.model_type == "qwen2_5_vl":
        return 3 * 2 * 14**2 * d + 32 * _layer(d, 3420, 3, norms=2) + d + merger
    tower = 3 * 2 * 16**2 * d + d + 48 * 48 * d + vision.depth * _layer(d, vision.intermediate_size)
    return tower + 2 * d + merger + 3 * (2 * 4 * d + merger)


def flops_of_a_layer(shape: Shape, n: int) -> int:
    """Four projections, a gated MLP, scores and their use; a multiplication and its addition are two."""
    d, q = shape.width, shape.q or shape.width
    return 2 * n * (d * q + d * shape.kv + d * shape.kv + q * d) + 3 * (2 * n * d * shape.m) + 2 * (2 * n * n * q)


def vision_by_hand(config) -> int:
    """Of eight frames of 360 x 640, or of one picture for LLaVA-1.5."""
    vision, family = config.vision_config, config.model_type
    if family.startswith("qwen"):
        return qwen_vision_by_hand(config)
    images = 1 if family == "llava" else FRAMES
    tower = {"llava_onevision": 27, "llava": 24, "llava_next_video": 24, "internvl": 32}
    side = tower[family] if family in tower else vision.image_size // vision.patch_size
    class_token = family in ("llava", "llava_next_video", "internvl")
    patch = 16 if vision.image_size == 512 else 14
    layers = [vision.num_hidden_layers, vision.hidden_size, vision.intermediate_size]
    pixels = side**2 * 3 * patch**2 * vision.hidden_size * 2
    inside = images * (plain_tower(side**2 + class_token, *layers) + pixels)
    d, out = vision.hidden_size, config.text_config.hidden_size
    rows, matrices = {
        "llava_onevision": (side**2, d * out + out * out),
        "llava": (side**2, d * out + out * out),
        "llava_next_video": (side**2 // 4, d * out + out * out),
        "internvl": (side**2 // 4, 4 * d * out + out * out),
        "smolvlm": (64 if side == 32 else 81, d * (16 if side == 32 else 9) * out),
    }[family]
    return inside + images * 2 * rows * matrices


def plain_tower(n: int, layers: int, d: int, m: int, mlp_matrices: int = 2) -> int:
    return layers * (2 * n * (4 * d * d + mlp_matrices * d * m) + 4 * n * n * d)


def qwen_vision_by_hand(config) -> int:
    """Four planes of 26 x 46 patches (Qwen3-VL: 22 x 40), four patches a token."""
    vision, out = config.vision_config, config.text_config.hidden_size
    if config.model_type == "qwen3_vl":
        n, d, m, patch, mergers = 22 * 40, vision.hidden_size, vision.intermediate_size, 16, 4
        inside = plain_tower(n, vision.depth, d, m)
    else:
        n, d, patch, mergers = 26 * 46, 1280, 14, 1
        if config.model_type == "qwen2_vl":
            inside = plain_tower(n, 32, d, 4 * d)
        else:  # four layers see a plane, 28 see windows of 8 x 8 patches: 3 x 5 whole ones, the rest cut
            seen = [h * w for h in (8, 8, 8, 2) for w in (8, 8, 8, 8, 8, 6)]
            inside = plain_tower(n, 4, d, 3420, 3) + sum(plain_tower(own, 28, d, 3420, 3) for own in seen)
    pixels = 2 * n * 3 * 2 * patch**2 * d
    merged = mergers * 2 * (n // 4) * (4 * d * 4 * d + 4 * d * out)
    return 4 * (inside + pixels + merged)


def positions_by_hand(model_id: str, is_visual: list[bool], grid: tuple[int, int]) -> list[tuple[int, int, int]]:
    """(time, row, column) of every row of the full prompt: text counts on in all three, planes of a video start where
    the text before them ended. Qwen2.5-VL counts 2 a second, and a plane lasts one; Qwen3-VL writes times as text."""
    rows, columns = grid
    planes, a_plane = {"Qwen/Qwen2-": (4, 1), "Qwen/Qwen2.": (4, 2), "Qwen/Qwen3-": (1, 1)}[model_id[:11]]
    found: list[tuple[int, int, int]] = []
    start = 0
    while len(found) < len(is_visual):
        if not is_visual[len(found)]:
            found.append((start,) * 3)
            start += 1
            continue
        found += [
            (start + plane * a_plane, start + row, start + column)
            for plane in range(planes)
            for row in range(rows)
            for column in range(columns)
        ]
        start += max((planes - 1) * a_plane + 1, rows, columns)
    return found
