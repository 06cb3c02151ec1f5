"""Model facts: name and widths of the model that made a run, enough to count its cost without loading it."""

from __future__ import annotations

from dataclasses import dataclass

from aim_core.engine import Engine
from page.state.startup import EMBEDDED_MODEL, Loaded

EMBEDDED_NAME = f"assets/{EMBEDDED_MODEL.name}"


@dataclass(frozen=True)
class ModelFacts:
    """name: id or folder to load it from. sizes: the widths that `aim_core.ops.flops.prefill_flops` takes.

    number_bytes: of one number in its KV cache.
    """

    name: str
    sizes: dict[str, int]
    number_bytes: int

    @classmethod
    def of(cls, loaded: Loaded) -> ModelFacts:
        engine: Engine = loaded.engine
        name = EMBEDDED_NAME if loaded.is_embedded else loaded.name
        return cls(name, engine.adapter.sizes, engine.adapter.model.dtype.itemsize)

    @classmethod
    def unknown(cls) -> ModelFacts:
        """Of a trace that was saved alone; False as a truth value."""
        return cls("", {}, 0)

    def __bool__(self) -> bool:
        return bool(self.name)
