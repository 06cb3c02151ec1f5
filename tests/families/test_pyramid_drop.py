"""PyramidDrop ranks by the attention of the layer about to run: against the weights of stock eager attention."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from aim_core.attach import aim
from aim_core.methods.registry import make_method
from aim_core.methods.scorers import LastTokenAttention
from tests.families.asking import asked
from tests.families.reference import eager, masked_weights, merged_prompt
from tests.families.table import ASKED_ONCE, FAMILIES


@pytest.mark.parametrize(("name", "medium"), ASKED_ONCE)
def test_tokens_are_ranked_by_the_layer_that_is_about_to_run(family_model, name, medium):
    model, inputs = asked(family_model, name, medium)
    with torch.inference_mode(), aim(model, make_method("pyramid_drop", first_layer=3)) as recorder:
        model(**inputs, logits_to_keep=1)
    record = recorder.record
    prompt = merged_prompt(model, inputs, FAMILIES[name].views[medium], 1.0)
    counts = [len(kept) for kept in record.kept]
    drops = [layer for layer in range(1, len(counts)) if counts[layer] < counts[layer - 1]]
    assert len(drops) == 3
    for layer in drops:
        before = record.kept[layer - 1]
        with eager(model.get_decoder()):
            weights = masked_weights(model, prompt, [*record.kept[:layer], *[before] * (len(counts) - layer)], layer)
        expected = weights[:, -1, prompt.visual[before]].mean(0)
        torch.testing.assert_close(record.scores[layer - 1].float(), expected.float(), rtol=1e-4, atol=1e-7)
        best = before[expected.topk(counts[layer]).indices].sort().values
        assert torch.equal(record.kept[layer], best)


def test_the_layer_before_ranks_otherwise(family_model):
    """So the test above tells one from the other."""
    model, inputs = asked(family_model, "llava_onevision", "video")
    ahead = make_method("pyramid_drop")
    kept = []
    for scorer in (ahead.scorer, LastTokenAttention()):
        with torch.inference_mode(), aim(model, replace(ahead, scorer=scorer)) as recorder:
            model(**inputs, logits_to_keep=1)
        kept.append(recorder.record.kept)
    assert not all(map(torch.equal, *kept))


def test_ranking_ahead_stores_nothing_and_decoding_goes_on(family_model):
    """The cache holds the rows that entered each layer and the two tokens that were answered, no more."""
    model, inputs = asked(family_model, "llava_onevision", "video")
    method = make_method("pyramid_drop", keep_ratio=0.3)
    with torch.inference_mode(), aim(model, method) as recorder:
        out = model.generate(**inputs, max_new_tokens=3, do_sample=False, return_dict_in_generate=True)
    rows = [layer.keys.shape[2] for layer in out.past_key_values.layers]
    kept = [len(kept) + recorder.record.num_text[0] + 2 for kept in recorder.record.kept]
    assert rows == kept
