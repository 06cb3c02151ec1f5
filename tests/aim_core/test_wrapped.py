"""Models in wrappers: refused with what to pass instead, and that works."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from aim_core.attach import aim
from aim_core.config import AimConfig
from tests.helpers.prompts import plain_inputs

CONFIG = AimConfig(0.5, l1=2, l2=9)


class Peft(nn.Module):
    """What a PeftModel is to others: layers changed inside a model that it holds, and the rest is theirs."""

    def __init__(self, model):
        super().__init__()
        self.base_model = model

    def get_base_model(self):
        return self.base_model

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.base_model, name)

    def forward(self, *args, **kwargs):
        return self.base_model(*args, **kwargs)


WRAPPERS = {
    "model._orig_mod": lambda model: torch.compile(model, backend="eager"),
    "model.get_base_model()": Peft,
    "model.module": nn.DataParallel,
}


@pytest.mark.parametrize("inside", WRAPPERS)
def test_a_wrapper_is_refused_with_what_works(engine, frames, inside):
    inputs, stock = plain_inputs(engine, frames), engine.adapter.model
    model = WRAPPERS[inside](stock)
    with pytest.raises(ValueError) as refused, aim(model, CONFIG):
        pass
    assert f"give {inside}, and use that" in str(refused.value)
    model = eval(inside, {"model": model})  # what the sentence says
    with torch.inference_mode(), aim(model, CONFIG) as recorder:
        logits = model(**inputs, logits_to_keep=1).logits
    assert [len(kept) for kept in recorder.record.kept] == CONFIG.schedule.tokens_entering(129, 12)
    with torch.inference_mode(), aim(stock, CONFIG):
        assert torch.equal(logits, stock(**inputs, logits_to_keep=1).logits)


def test_a_model_compiled_in_place_is_refused(engine):
    model = deepcopy(engine.adapter.model)
    model.get_decoder().compile(backend="eager")
    with pytest.raises(ValueError, match=r"without model\.compile\(\)"), aim(model, CONFIG):
        pass


def test_anything_else_is_refused():
    with pytest.raises(ValueError, match=r"model of transformers, got Linear"), aim(nn.Linear(1, 1), CONFIG):
        pass
