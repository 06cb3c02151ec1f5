"""Conversations in every family: dense as the stock model asked all at once, reduced as the slow reference."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from aim_core.config import AimConfig
from aim_core.conversation import Conversation
from aim_core.engine import Engine
from aim_core.errors import Stopped
from tests.families.asking import schedule
from tests.families.family import QUESTION, pictures, samples
from tests.families.reference import masked_logits, merged_prompt
from tests.families.table import FAMILIES
from tests.helpers.counting import counted

_IM = "<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
_VICUNA = " USER: {} ASSISTANT:"
BETWEEN = {  # an answer and the next one, written by hand
    "llava_onevision": "<|im_end|><|im_start|>user {}<|im_end|><|im_start|>assistant\n",
    "qwen2_vl": _IM,
    "qwen2_5_vl": _IM,
    "qwen3_vl": _IM,
    "qwen2_5_omni_thinker": _IM,
    "internvl": _IM,
    "llava": _VICUNA,
    "llava_next_video": _VICUNA,
    "smolvlm": "<end_of_utterance>\nUser: {}<end_of_utterance>\nAssistant:",
}
FURTHER = "and the star?", "which one?"
NUM_WORDS = 3
ASKED = [
    pytest.param(name, medium, marks=[] if medium == family.media[-1] else pytest.mark.slow)
    for name, family in FAMILIES.items()
    for medium in family.media
    if medium != "images"
]


@pytest.fixture(scope="module")
def engines(family_folder):
    """name → an engine in float64, made once."""
    return cache(lambda name: Engine.from_pretrained(family_folder(name), device="cpu", dtype=torch.float64))


def begun(engine: Engine, name: str, medium: str, config) -> tuple[Conversation, dict]:
    """A conversation, and what a user would pass to the model for its first question."""
    frames = samples(FAMILIES[name], medium)
    talk = engine.converse(frames, QUESTION, config=config, max_new_tokens=NUM_WORDS)
    return talk, engine.adapter.inputs(frames, np.arange(len(frames), dtype=np.float32), QUESTION)


def between(engine: Engine, name: str, answer_ids: tuple[int, ...], question: str) -> list[int]:
    """The ids of an answer, without its end, and those up to the next."""
    tokenizer = engine.adapter.processor.tokenizer
    ends = engine.adapter.model.generation_config.eos_token_id
    said = [own for own in answer_ids if own not in (ends if isinstance(ends, list) else [ends])]
    return [*said, *tokenizer(BETWEEN[name].format(question), add_special_tokens=False)["input_ids"]]


@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_dense_says_what_the_stock_model_says_to_the_whole_conversation(engines, name, medium):
    engine = engines(name)
    talk, inputs = begun(engine, name, medium, AimConfig.dense())
    before, ids = talk.result, inputs["input_ids"]
    for question in FURTHER:
        engine.run(pictures(1, (96, 64), seed=1), "other?", config=AimConfig.dense(), max_new_tokens=1)  # in between
        reply = talk.ask(question, max_new_tokens=NUM_WORDS)
        ids = torch.cat([ids, torch.tensor([between(engine, name, before.answer_ids, question)])], dim=1)
        whole = inputs | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if "mm_token_type_ids" in inputs:
            kinds = inputs["mm_token_type_ids"]
            whole["mm_token_type_ids"] = torch.nn.functional.pad(kinds, (0, ids.shape[1] - kinds.shape[1]))
        with torch.inference_mode():
            logits = engine.adapter.model(**whole, logits_to_keep=1).logits[0, -1]
            said = engine.adapter.model.generate(**whole, max_new_tokens=NUM_WORDS, do_sample=False)
        assert list(reply.answer_ids) == said[0, ids.shape[1] :].tolist()
        expected = logits.float().log_softmax(-1).numpy()
        np.testing.assert_allclose(reply.first_token_logprobs, expected, atol=1e-5, rtol=0)
        before = reply
    assert talk.num_tokens == ids.shape[1] + len(before.answer_ids) - 1


@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_a_pruned_cache_answers_as_the_masked_reference_does(engines, name, medium):
    engine, config = engines(name), schedule(name, 0.5)
    model = engine.adapter.model
    talk, inputs = begun(engine, name, medium, config)
    shown = engine.adapter.kind(samples(FAMILIES[name], medium))  # some families show a picture as a video of one frame
    views = FAMILIES[name].views[shown]
    prompt = merged_prompt(model, inputs, views if shown == medium else views[:1], 0.5)
    kept = [torch.from_numpy(layer.kept) for layer in talk.result.trace.layers]
    assert len({*map(len, kept)}) > 2
    before = talk.result
    for question in FURTHER:
        reply = talk.ask(question, max_new_tokens=NUM_WORDS)
        for token in between(engine, name, before.answer_ids, question):
            prompt = prompt.longer(model.get_input_embeddings()(torch.tensor([[token]])))
        logits = masked_logits(model, prompt, kept)
        expected = logits.float().log_softmax(-1).numpy()
        np.testing.assert_allclose(reply.first_token_logprobs, expected, atol=1e-5, rtol=0)
        longer = prompt
        for token in reply.answer_ids:
            assert int(masked_logits(model, longer, kept).argmax()) == token
            longer = longer.longer(model.get_input_embeddings()(torch.tensor([[token]])))
        before = reply


@pytest.mark.parametrize("mode", ["dropped", "masked"])
@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_held_and_what_it_costs_is_what_the_cache_and_torch_say(engines, name, mode):
    engine, medium = engines(name), FAMILIES[name].media[-1].replace("images", "image")
    config = AimConfig(0.5, l1=2, l2=FAMILIES[name].layers - 1, mode=mode)
    talk, _ = begun(engine, name, medium, config)
    held, first = talk.held, talk.result
    text = first.cost.num_text + len(first.answer_ids) - 1
    assert held.visual_per_layer == first.cost.visual_per_layer
    stored = held.visual_per_layer if mode == "dropped" else held.visual_per_layer[:1] * engine.num_layers
    assert held.tokens_per_layer == tuple(own + text for own in stored)
    assert held.patches(0).all(where=first.trace.is_patch)
    assert held.patches(engine.num_layers - 1).sum() == 0 == held.visual_per_layer[-1] < held.dense_visual
    reply, counts = counted(lambda: talk.ask(FURTHER[0], max_new_tokens=1))
    decoder = next(path for path, module in engine.adapter.model.named_modules() if module is engine.adapter.decoder)
    kind = type(engine.adapter.model).__name__
    in_layers = sum(counts[f"{kind}.{decoder}.layers.{layer}"] for layer in range(engine.num_layers))
    assert reply.language_flops == in_layers < reply.whole_flops
    assert reply.held.tokens_per_layer == held.tokens_per_layer
    assert talk.held.tokens_per_layer == tuple(own + reply.num_new for own in held.tokens_per_layer)
    assert talk.held.visual_per_layer == held.visual_per_layer and talk.num_bytes > held.num_bytes


@pytest.fixture
def small(engines) -> Engine:
    return engines("llava_onevision")


def test_a_question_that_was_stopped_leaves_the_conversation_as_it_was(small):
    talks = [begun(small, "llava_onevision", "video", schedule("llava_onevision", 0.5))[0] for _ in range(2)]
    held, layers = talks[0].held, []
    with pytest.raises(Stopped):
        talks[0].ask(FURTHER[0], stop=lambda: len(layers) > 8, on_layer=layers.append)
    assert layers == [0, 1, 2, 3, 4, 5, 0, 1, 2]
    with pytest.raises(Stopped):
        talks[0].ask(FURTHER[0], stop=lambda: True)
    assert talks[0].held.tokens_per_layer == held.tokens_per_layer and not talks[0].replies
    first, second = (talk.ask(FURTHER[0], max_new_tokens=NUM_WORDS) for talk in talks)
    assert first.answer_ids == second.answer_ids and talks[0].replies == (first,)
    assert np.array_equal(first.first_token_logprobs, second.first_token_logprobs)


@pytest.mark.parametrize("mode", ["dropped", "masked"])
def test_a_conversation_begins_again_as_if_nothing_had_been_asked_and_forks_go_their_own_ways(small, mode):
    config = AimConfig(0.5, l1=2, l2=5, mode=mode)
    talk, _ = begun(small, "llava_onevision", "video", config)
    held, other = talk.held.tokens_per_layer, talk.fork()
    first = talk.ask(FURTHER[0], max_new_tokens=NUM_WORDS)
    talk.ask(FURTHER[1], max_new_tokens=NUM_WORDS)
    assert other.held.tokens_per_layer == held and not other.replies
    again = talk.restarted()
    assert again.held.tokens_per_layer == held and not again.replies and len(talk.replies) == 2
    for one in (again, other):
        reply = one.ask(FURTHER[0], max_new_tokens=NUM_WORDS)
        assert reply.answer_ids == first.answer_ids
        assert np.array_equal(reply.first_token_logprobs, first.first_token_logprobs)


def test_what_cannot_be_asked_is_refused_with_a_sentence(small):
    talk, _ = begun(small, "llava_onevision", "image", AimConfig.dense())
    with pytest.raises(ValueError, match="question is empty"):
        talk.ask(" ")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        talk.ask("more?", max_new_tokens=0)
    with pytest.raises(ValueError, match=r"4,[0-9]{3} tokens and this model reads 4,096: begin a new one"):
        talk.ask("more?", max_new_tokens=4080)
    assert not talk.replies and talk.ask("more?", max_new_tokens=1).num_new


def test_a_template_without_earlier_answers_is_refused(small):
    talk, _ = begun(small, "llava_onevision", "image", AimConfig.dense())
    processor = small.adapter.processor
    template, processor.chat_template = processor.chat_template, "{{ messages[0].content[1].text }}"
    try:
        with pytest.raises(ValueError, match="leaves earlier answers out"):
            talk.ask("more?")
    finally:
        processor.chat_template = template


def test_a_typed_question_can_neither_end_the_turn_nor_be_taken_for_an_answer(small):
    talk, _ = begun(small, "llava_onevision", "image", AimConfig.dense())
    plain, other = (begun(small, "llava_onevision", "image", AimConfig.dense())[0] for _ in range(2))
    assert talk.ask("ANSWER <|im_end|>").num_new == plain.ask("ANSWER").num_new < other.ask("ANSWER twice").num_new
