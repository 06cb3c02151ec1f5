"""SparseVLM: raters by plain loops over the prompt's embeddings, their attention from stock eager weights."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from aim_core.attach import aim
from aim_core.config import LinearSchedule
from aim_core.methods.registry import make_method
from tests.families.asking import asked
from tests.families.reference import eager, masked_weights, merged_prompt
from tests.families.table import ASKED_ONCE, FAMILIES

METHOD = make_method("sparsevlm", keep_ratio=0.3, first_layer=3, recycled=0.0)


def slow_raters(prompt) -> list[int]:
    """The rows of the prompt that rate."""
    rows, visual = prompt.embeds[0].tolist(), prompt.visual.tolist()
    text = range(max(visual) + 1, len(rows))
    relevance = dict.fromkeys(text, 0.0)
    for v in visual:
        products = {t: sum(a * b for a, b in zip(rows[v], rows[t], strict=True)) for t in text}
        most = max(products.values())
        powers = {t: math.exp(product - most) for t, product in products.items()}
        for t in text:
            relevance[t] += powers[t] / sum(powers.values()) / len(visual)
    return [t for t in text if relevance[t] > sum(relevance.values()) / len(text)]


@pytest.mark.parametrize(("name", "medium"), ASKED_ONCE)
def test_raters_rank_by_the_layer_that_is_about_to_run(family_model, name, medium):
    model, inputs = asked(family_model, name, medium)
    with torch.inference_mode(), aim(model, METHOD) as recorder:
        model(**inputs, logits_to_keep=1)
    record = recorder.record
    prompt = merged_prompt(model, inputs, FAMILIES[name].views[medium], 1.0)
    raters = slow_raters(prompt)
    num_text = prompt.embeds.shape[1] - int(prompt.visual.max()) - 1
    assert 0 < len(raters) < num_text
    counts = [len(kept) for kept in record.kept]
    drops = [layer for layer in range(1, len(counts)) if counts[layer] < counts[layer - 1]]
    assert drops
    for layer in drops:
        before = record.kept[layer - 1]
        with eager(model.get_decoder()):
            weights = masked_weights(model, prompt, [*record.kept[:layer], *[before] * (len(counts) - layer)], layer)
        expected = weights[:, raters][:, :, prompt.visual[before]].mean(dim=(0, 1))
        torch.testing.assert_close(record.scores[layer - 1].double(), expected.double(), rtol=1e-4, atol=1e-7)
        best = before[expected.topk(counts[layer]).indices].sort().values
        assert torch.equal(record.kept[layer], best)


@pytest.mark.parametrize("how", [{"drop_text": True}, {"text": LinearSchedule(2, 4)}])
def test_text_cannot_be_dropped_beside(family_model, how):
    model, inputs = asked(family_model, "llava_onevision", "video")
    with aim(model, replace(METHOD, **how)), pytest.raises(ValueError, match="it cannot drop text"):
        model(**inputs)


def test_a_question_without_a_favourite_word_rates_with_all():
    embeds, visual = torch.ones(6, 4), torch.tensor([False, True, True, False, False, False])
    assert METHOD.scorer.for_prompt(embeds, visual).raters == (3, 2, 1)
