"""The small checkpoints are what they stand for: stock classes that answer, each from its own weights."""

from __future__ import annotations

import pytest
import torch

from tests.families.family import ask, load, samples
from tests.families.table import ASKED, FAMILIES

pytestmark = pytest.mark.slow

STEPS = 8


@pytest.mark.parametrize("name", FAMILIES)
def test_model_and_processor_are_stock(family_model, name):
    model, processor = family_model(name)
    assert model.config.model_type == name
    for part in (model, processor, model.get_decoder(), processor.image_processor):
        assert type(part).__module__.startswith("transformers.models.")
    assert len(model.get_decoder().layers) == FAMILIES[name].layers
    assert model.get_decoder().config._attn_implementation == "sdpa"


@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_answers_are_repeatable_and_vary(family_folder, family_model, name, medium):
    model, processor = family_model(name)
    inputs = ask(processor, medium, samples(FAMILIES[name], medium))
    length = inputs["input_ids"].shape[1]
    with torch.inference_mode():
        logits = model(**inputs).logits
        said = model.generate(**inputs, max_new_tokens=STEPS, do_sample=False)[0, length:].tolist()
        fresh, _ = load(family_folder(name))
        again = fresh.generate(**inputs, max_new_tokens=STEPS, do_sample=False)[0, length:].tolist()
    assert logits.shape[:2] == (1, length) and logits.isfinite().all()
    assert said == again and len(said) == STEPS, said
    assert len(set(said)) >= 4, said


@pytest.mark.parametrize(("name", "medium"), ASKED)
def test_an_answer_depends_on_every_picture(family_model, name, medium):
    model, processor = family_model(name)
    media = samples(FAMILIES[name], medium)
    plain = _next_token_logits(model, processor, medium, media)
    for index in range(len(media)):
        changed = media.copy()
        changed[index, :24, 32:56] = 255
        assert (_next_token_logits(model, processor, medium, changed) - plain).abs().max() > 1e-3


@pytest.mark.parametrize("name", FAMILIES)
def test_attention_is_uneven(family_folder, name):
    model, processor = load(family_folder(name))
    model.set_attn_implementation({"text_config": "eager"})
    medium = FAMILIES[name].media[-1]
    inputs = ask(processor, medium, samples(FAMILIES[name], medium))
    with torch.inference_mode():
        attentions = model(**inputs, output_attentions=True).attentions
    assert len(attentions) == FAMILIES[name].layers
    for attention in attentions:  # (1, heads, n, n)
        last = attention[0, :, -1]
        entropy = -(last * last.clamp(min=1e-30).log()).sum(-1)
        assert entropy.mean() < 0.9 * torch.tensor(last.shape[-1]).log()


@pytest.mark.parametrize("name", FAMILIES)
def test_weights_come_from_the_seed_alone(family_folder, name):
    family_folder(name)  # skips where the processor cannot be made
    torch.manual_seed(1)
    first = FAMILIES[name].make()[0].state_dict()
    torch.manual_seed(2)
    second = FAMILIES[name].make()[0].state_dict()
    assert all(torch.equal(weight, second[key]) for key, weight in first.items())


def _next_token_logits(model, processor, medium, media):
    with torch.inference_mode():
        return model(**ask(processor, medium, media), logits_to_keep=1).logits[0, -1]
