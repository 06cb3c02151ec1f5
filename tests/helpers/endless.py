"""A model that never ends its turn, so that answers have their full length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def endless(model: Any) -> Iterator[Any]:
    """The same model, its end mark ruled out inside the block."""
    ends, model.generation_config.eos_token_id = model.generation_config.eos_token_id, None
    try:
        yield model
    finally:
        model.generation_config.eos_token_id = ends
