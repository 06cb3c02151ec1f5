"""aim: carry out a method on a stock model the caller holds, inside a `with` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from transformers import PreTrainedModel

from aim_core.adapters.registry import adapter_for
from aim_core.config import AimConfig
from aim_core.forward.hooks import patched
from aim_core.forward.recorder import Recorder
from aim_core.forward.session import Session
from aim_core.methods.aim import as_method
from aim_core.methods.base import Method


@contextmanager
def aim(model: PreTrainedModel, config: AimConfig | Method | None = None) -> Iterator[Recorder]:
    """Merge and prune visual tokens in every `model(**inputs)` and `model.generate(**inputs)` inside the block.

    model:  a supported stock model, loaded with sdpa attention, as `transformers` gives it.
    config: settings of AIM, another method, or None for AIM's schedule scaled to the model's depth.

    The recorder says what happened. On leaving, also by an exception, the model is as it was before; a cache that
    was filled inside belongs to further calls inside such a block. Logits are those of the rows that are left.
    Any thread may use the model inside the block, as streaming does: `generate` runs one call at a time, and leaving
    waits until none is under way. The block holds for the model, so a thread that means to use it plainly meanwhile
    is answered as if it were inside. Raises ValueError for what is not supported.

        with aim(model, AimConfig(keep_ratio=0.25)) as recorder:
            ids = model.generate(**inputs)
        print([len(kept) for kept in recorder.record.kept])
    """
    adapter = adapter_for(model)
    method = as_method(adapter.default_config() if config is None else config)
    session = Session(adapter, method, recorder=Recorder())
    with patched(adapter, session):
        yield session.recorder
