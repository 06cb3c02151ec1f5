"""Tokens folded into others inside the language model: in both modes, in a batch, while decoding, in the trace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from aim_core.attach import aim
from aim_core.methods.base import Method
from aim_core.methods.registry import make_method
from aim_core.trace import Trace
from tests.families.asking import asked, said
from tests.families.reference import Folding, masked_logits, merged_prompt
from tests.families.table import FAMILIES

NAME, MEDIUM = "llava_onevision", "video"
METHODS = {
    "holitom": make_method("holitom", keep_ratio=0.5, inner_ratio=0.3),
    "sparsevlm": make_method("sparsevlm", keep_ratio=0.2, first_layer=2),
}


def run(family_model, method: Method):
    model, inputs = asked(family_model, NAME, MEDIUM)
    with aim(model, method) as recorder:
        tokens, logits = said(model, inputs)
    return tokens, torch.stack(logits), recorder.record


@pytest.mark.parametrize("name", METHODS)
def test_masked_folds_as_dropped_does_and_decoding_goes_on(family_model, name):
    dropped, masked = (run(family_model, replace(METHODS[name], mode=mode)) for mode in ("dropped", "masked"))
    assert dropped[0] == masked[0]
    torch.testing.assert_close(dropped[1], masked[1], atol=1e-9, rtol=0)
    for one, other in zip(dropped[2].folded, masked[2].folded, strict=True):
        assert (one is None) == (other is None) and (one is None or torch.equal(one, other))


def test_clusters_stand_behind_what_stays(family_model):
    """So a reference that leaves them where their centres stood says something else, while decoding too."""
    model, inputs = asked(family_model, NAME, MEDIUM)
    method = replace(METHODS["sparsevlm"], positions="original")
    tokens, logits, record = run(family_model, method)
    prompt = merged_prompt(model, inputs, FAMILIES[NAME].views[MEDIUM], 1.0)

    def in_place(*args):
        return replace(method.folder(*args), num_behind=0)

    first = prompt
    for token, ours in zip(tokens[:3], logits, strict=False):
        expected = masked_logits(model, prompt, record.kept, Folding(method.folder, record.scores))
        torch.testing.assert_close(ours.double(), expected, atol=1e-5, rtol=0)
        prompt = prompt.longer(model.get_input_embeddings()(torch.tensor([[token]])))
    other = masked_logits(model, first, record.kept, Folding(in_place, record.scores))
    assert not torch.allclose(logits[0].double(), other, atol=1e-5, rtol=0)


def test_a_trace_tells_where_folded_rows_went_also_from_its_file(family_model, tmp_path):
    record = run(family_model, METHODS["holitom"])[2]
    frames = np.zeros((len(record.views), 8, 8, 3), np.uint8)
    trace = record.trace(frames, np.arange(len(frames), dtype=np.float32))
    trace.save(tmp_path / "trace.npz")
    for own in (trace, Trace.load(tmp_path / "trace.npz")):
        into, last = own.folded_into_by_row(), own.last_layer_by_row()
        (layer,) = (layer for layer in own.layers if len(layer.folded))
        gone = np.setdiff1d(own.layers[layer.layer - 1].kept, layer.kept)
        assert np.array_equal(np.flatnonzero(into >= 0), gone) and (last[gone] == layer.layer - 1).all()
        assert np.isin(into[gone], layer.kept).all()


def test_a_folder_that_leaves_another_number_is_refused(family_model):
    model, inputs = asked(family_model, NAME, MEDIUM)

    def one_too_many(hidden, scores, counts, layer):
        return METHODS["holitom"].folder(hidden, scores, [count + 1 for count in counts], layer)

    with (
        torch.inference_mode(),
        aim(model, replace(METHODS["holitom"], folder=one_too_many)),
        pytest.raises(ValueError, match="had to be left"),
    ):
        model(**inputs)
