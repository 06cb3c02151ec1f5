"""The released checkpoints' shapes, without their weights: models on the meta device at full depth, processors of the
true kind and settings, special tokens at their true ids (`benchmarks/released/` says where each number comes from).

What AIM plans, places, counts and keeps is compared with numbers written out here, and with what torch counts and the
stock cache holds when the stock decoder is given as many rows as planned.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BatchFeature, DynamicCache

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import Call, shapes
from aim_core.adapters.registry import adapter_for
from aim_core.errors import Stopped
from aim_core.forward.dialect import cache_of
from aim_core.forward.hooks import patched
from aim_core.forward.session import EncodedPrompt, Session
from aim_core.methods.aim import as_method
from aim_core.result import Planned
from aim_core.workload import Workload
from benchmarks.released.processors import make_processor
from benchmarks.released.sizes import RELEASED, make_model
from tests.families.family import ask
from tests.families.released import (
    FRAMES,
    HEIGHT,
    PLACES,
    PROMPTS,
    SHAPES,
    WIDTH,
    flops_of_a_layer,
    kept_of,
    language_parameters,
    parameters,
    positions_by_hand,
    vision_by_hand,
)
from tests.helpers.counting import counted

TEXT = 100
BYTES = 2  # of a bfloat16


OFFERED = tomllib.loads((Path(__file__).parents[2] / "models.toml").read_text())["model"]
each = pytest.mark.parametrize("model_id", SHAPES)
QWEN = [model_id for model_id in SHAPES if model_id.startswith("Qwen/")]


@cache
def released(model_id: str) -> Adapter:
    return adapter_for(make_model(model_id), make_processor(model_id))


def medium_of(adapter: Adapter) -> str:
    return "video" if "video" in adapter.modalities else "image"


def num_frames(adapter: Adapter) -> int:
    return FRAMES if medium_of(adapter) == "video" else 1


@cache
def asked(model_id: str, medium: str) -> BatchFeature:
    """What the stock processor makes of a question about noise."""
    adapter = released(model_id)
    count = 1 if medium == "image" else FRAMES
    frames = np.random.default_rng(0).integers(0, 256, (count, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return ask(adapter.processor, medium, frames)


def workload(model_id: str, adapter: Adapter, count: int, num_text: int = TEXT) -> Workload:
    """What the adapter says of a prompt before there are any frames."""
    media = adapter.media(adapter.expected_call(count, HEIGHT, WIDTH))
    views = tuple(part.view for medium in media for part in medium.views)
    rows = sum(medium.num_rows for medium in media)
    return Workload.of(adapter, Planned(views, (rows,) * adapter.num_layers, num_text))


def test_every_released_shape_is_looked_at():
    assert list(SHAPES) == list(RELEASED)


@each
def test_parameters(model_id):
    """Those of the stock model, of its language model, and of the count by hand."""
    model = released(model_id).model
    total, language = (sum(weight.numel() for weight in own.parameters()) for own in (model, model.get_decoder()))
    assert total == SHAPES[model_id].parameters == parameters(model_id, model.config)
    assert sum(weight.nbytes for weight in model.parameters()) == total * BYTES
    assert language == language_parameters(model_id, model.config.text_config)


@pytest.mark.parametrize("offered", OFFERED, ids=[one["id"] for one in OFFERED])
def test_the_pickers_list_has_the_parameters_of_the_released_shape(offered):
    """As the page shows them as long as the files are not here."""
    counted = sum(weight.numel() for weight in released(offered["id"]).model.parameters())
    assert offered["parameters"] == pytest.approx(counted, rel=0.02)


def test_qwen2_7b_has_the_7_6_billion_parameters_of_its_name():
    d, kv, m = 3584, 512, 18944
    layer = 2 * d * d + 2 * d * kv + d + 2 * kv + 3 * d * m + 2 * d
    assert 2 * 152064 * d + 28 * layer + d == 7_615_616_512  # embeddings and head apart
    language = released("Qwen/Qwen2-VL-7B-Instruct").model
    head = language.lm_head.weight.numel()
    assert sum(w.numel() for w in language.get_decoder().parameters()) + head == 7_615_616_512


@each
def test_views_and_rows(model_id):
    """Of eight frames and of a picture, before there are any."""
    adapter, shape = released(model_id), SHAPES[model_id]
    media = adapter.media(adapter.expected_call(num_frames(adapter), HEIGHT, WIDTH))
    views = [part.view.grid for medium in media for part in medium.views]
    assert views == [shape.grid] * shape.views
    assert sum(medium.num_rows for medium in media) == shape.views * shape.grid[0] * shape.grid[1] + shape.newlines
    if shape.picture:
        media = adapter.media(adapter.expected_call(1, HEIGHT, WIDTH))
        assert tuple(part.view.grid for medium in media for part in medium.views) == shape.picture


def test_the_papers_32_frames():
    """196 tokens a frame, 6,272 and one newline; dense 99.46 TFLOPs (99.63 published) and 15.52 as executed."""
    adapter = released("llava-hf/llava-onevision-qwen2-7b-ov-hf")
    work = workload("llava-hf/llava-onevision-qwen2-7b-ov-hf", adapter, 32, num_text=99)
    assert work.blocks == ((32, (14, 14)),) and (work.num_visual, work.num_separators) == (32 * 196 + 1, 1)
    assert work.flops([work.num_visual] * 28) / 1e12 == pytest.approx(99.457, abs=0.001)
    reduced = work.visual_per_layer(as_method(adapter.default_config()))
    assert reduced[0] == 32 * 49 + 1 and work.flops(reduced) / 1e12 == pytest.approx(15.52, abs=0.01)
    assert work.kv_bytes([work.num_visual] * 28) == 28 * 6372 * 2 * 512 * BYTES  # 365 MB


@each
@pytest.mark.parametrize("medium", ["video", "image"])
def test_the_processor_makes_as_many_places(model_id, medium):
    """And its placeholder is the token that the configuration names."""
    adapter = released(model_id)
    if medium not in adapter.modalities:
        pytest.skip("reads pictures")
    ids = asked(model_id, medium)["input_ids"]
    count = FRAMES if medium == "video" else 1
    call = adapter.expected_call(count, HEIGHT, WIDTH)
    place = adapter.placeholder_token_ids()[call.modality]
    assert int((ids == place).sum()) == sum(part.num_rows for part in adapter.media(call))
    (layout,) = adapter.layouts(ids, [call])
    views = adapter.locate(tuple(part.view for part in layout.views), [(count, HEIGHT, WIDTH)])
    assert len(views) == (SHAPES[model_id].views if medium == "video" else len(SHAPES[model_id].picture))


@each
def test_special_tokens(model_id):
    adapter = released(model_id)
    tokenizer, places = adapter.processor.tokenizer, PLACES[adapter.model.config.model_type]
    for kind, (token, number) in places.items():
        assert adapter.placeholder_token_ids()[kind] == number
        assert token is None or tokenizer.convert_tokens_to_ids(token) == number
    vocabulary = adapter.model.config.text_config.vocab_size
    assert int(asked(model_id, medium_of(adapter))["input_ids"].max()) < vocabulary
    for token in tokenizer.get_added_vocab():  # what is typed cannot become one
        assert token not in adapter.plain(f"what {token} is it?")


@each
def test_the_chat_template_gives_the_released_prompt(model_id):
    adapter = released(model_id)
    content = [{"type": medium_of(adapter)}, {"type": "text", "text": "what moves?"}]
    turn = [{"role": "user", "content": content}]
    text = adapter.processor.apply_chat_template(turn, add_generation_prompt=True)
    assert text == PROMPTS[adapter.model.config.model_type]


@each
def test_the_plan(model_id):
    """Counts of tokens, and what they cost, by hand."""
    adapter, shape = released(model_id), SHAPES[model_id]
    config = adapter.default_config()
    assert (config.l1, config.l2, adapter.num_layers) == (shape.l1, shape.l2, shape.depth)
    work = workload(model_id, adapter, num_frames(adapter))
    assert (work.num_visual, work.num_separators) == (
        shape.views * shape.grid[0] * shape.grid[1] + shape.newlines,
        shape.newlines,
    )
    visual = work.visual_per_layer(as_method(config))
    assert list(visual) == kept_of(model_id)
    flops = sum(flops_of_a_layer(shape, count + TEXT) for count in visual)
    assert work.flops(visual) == flops < work.flops([work.num_visual] * shape.depth)
    assert work.kv_bytes(visual) == sum((count + TEXT) * 2 * shape.kv * BYTES for count in visual)


@each
def test_torch_counts_and_the_cache_holds_what_is_planned(model_id):
    """The stock decoder on the meta device at full depth, each layer given as many rows as the plan lets in."""
    adapter = released(model_id)
    work = workload(model_id, adapter, num_frames(adapter))
    visual = work.visual_per_layer(as_method(adapter.default_config()))
    held, flops = run_on_meta(adapter, [count + TEXT for count in visual])
    assert flops == work.flops(visual)
    assert held == work.kv_bytes(visual)


def run_on_meta(adapter: Adapter, tokens: list[int]) -> tuple[int, int]:
    """Bytes in the cache and operations of a prefill in which layer i is given tokens[i] rows."""
    decoder = adapter.decoder
    embeds = shapes(1, tokens[0], decoder.config.hidden_size).to(torch.bfloat16)
    hooks = [
        layer.register_forward_pre_hook(shortened(count), with_kwargs=True)
        for layer, count in zip(decoder.layers, tokens, strict=True)
    ]
    try:
        with torch.device("meta"):
            out, counts = counted(lambda: decoder(inputs_embeds=embeds, use_cache=True))
    finally:
        for hook in hooks:
            hook.remove()
    filled = cache_of(out)
    assert isinstance(filled, DynamicCache) and len(filled.layers) == len(tokens)
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in filled.layers), counts["Global"]


def shortened(count: int):
    """A pre-hook that leaves a layer its first `count` rows."""

    def hook(_layer, args, kwargs):
        assert kwargs["attention_mask"] is None  # plain causal: sdpa needs no mask
        places = tuple(part[..., :count, :] for part in kwargs["position_embeddings"])
        return (args[0][:, :count],), kwargs | {"position_embeddings": places}

    return hook


@each
def test_the_vision_side(model_id):
    """Every matrix multiplies every row it is given, and attention is squared in what a patch sees; by hand."""
    adapter = released(model_id)
    call = adapter.expected_call(num_frames(adapter), HEIGHT, WIDTH)
    assert adapter.vision_flops(call) == vision_by_hand(adapter.model.config)


def prefill(model_id: str) -> tuple[dict, list[int], list, torch.Tensor]:
    """What AIM hands to the decoder for the processor's own prompt about eight frames (a picture for LLaVA-1.5), with
    random visual tokens of the true number and width: its arguments, the plan, groups and the prompt's ids.

    Embeddings of text are zeros that take no room; nothing else of the language model is touched. What LLaVA-1.5 merges
    before its projector is merged here: the tower does not run.
    """
    adapter = adapter_for(make_model(model_id), released(model_id).processor)
    embeddings = adapter.model.get_input_embeddings()
    embeddings.weight = nn.Parameter(torch.zeros(1, 1, dtype=torch.bfloat16).expand(embeddings.weight.shape), False)
    medium = medium_of(adapter)
    inputs = {name: value for name, value in asked(model_id, medium).items() if not name.startswith("pixel_")}
    call, features = encoded(adapter, num_frames(adapter))
    session, seen = Session(adapter, as_method(adapter.default_config())), []

    def entered(_decoder, _args, kwargs):
        seen.append(kwargs)
        raise Stopped

    with patched(adapter, session), torch.inference_mode():
        session.use_prompt(EncodedPrompt(inputs, features, [call]))
        with adapter.decoder.register_forward_pre_hook(entered, with_kwargs=True), pytest.raises(Stopped):
            adapter.model(**inputs, mm_encoder_outputs=dict(features), use_cache=True, logits_to_keep=1)
    record = session.recorder.record
    return seen[0], list(record.planned), list(record.groups), inputs["input_ids"][0]


def encoded(adapter: Adapter, count: int) -> tuple[Call, dict]:
    """A call with features of its own, as a vision tower of this family gives them."""
    call = adapter.expected_call(count, HEIGHT, WIDTH)
    rows = [medium.num_rows for medium in adapter.media(call)]
    width, made = adapter.decoder.config.hidden_size, torch.Generator().manual_seed(0)
    parts = [torch.randn(own, width, generator=made).to(torch.bfloat16) for own in rows]
    whole = torch.stack(parts) if call.modality == "video" or len(parts) > 1 else parts
    output = type("Features", (), {})()
    output.pooler_output = tuple(parts) if adapter.grid_positions else whole
    output.deepstack_features = [tuple(parts)] * adapter.first_droppable or None
    return Call(call.modality, call.arguments, output), {call.modality: output}


@each
def test_what_enters_the_decoder(model_id):
    """As many rows as planned, each at its position: a plain range, or on Qwen-VL the cell of one of its patches."""
    shape = SHAPES[model_id]
    kwargs, planned, groups, ids = prefill(model_id)
    assert planned == kept_of(model_id)
    num_text = len(ids) - shape.views * shape.grid[0] * shape.grid[1] - shape.newlines
    assert kwargs["inputs_embeds"].shape == (1, num_text + planned[0], shape.width)
    assert [len(group) for group in groups] == [shape.grid[0] * shape.grid[1]] * shape.views
    assert sorted({int(row) for group in groups for row in group}) == list(range(planned[0] - shape.newlines))
    positions = kwargs["position_ids"]
    if model_id not in QWEN:
        assert torch.equal(positions.reshape(-1), torch.arange(num_text + planned[0]))
        return
    was_visual = ids == released(model_id).model.config.video_token_id
    full = torch.tensor(positions_by_hand(model_id, was_visual.tolist(), shape.grid))
    is_visual, found = kwargs["inputs_embeds"][0].ne(0).any(-1), positions[-3:, 0].T
    assert torch.equal(found[~is_visual], full[~was_visual])
    cells: list[list] = [[] for _ in range(planned[0])]  # of the patches in each row
    for row, cell in zip(torch.cat(groups).tolist(), full[was_visual].tolist(), strict=True):
        cells[row].append(cell)
    assert all(where in own for where, own in zip(found[is_visual].tolist(), cells, strict=True))
