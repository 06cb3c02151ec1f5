"""PromptEncoder: frames and a question as a prompt whose vision side has run."""

from __future__ import annotations

from typing import Any

from cachetools import LRUCache
from torch import Tensor

from aim_core.adapters.base import Adapter
from aim_core.adapters.call import Call
from aim_core.digest import digest
from aim_core.forward.session import EncodedPrompt, Session
from aim_core.media.frames import Frames
from aim_core.methods.base import merges_early, needs_tower, tower_share

_NUM_REMEMBERED = 8  # media whose visual tokens are kept for the next run


class PromptEncoder:
    """Encodes the prompts of one model, which must be patched with the session, and remembers the last ones."""

    def __init__(self, adapter: Adapter):
        self._adapter = adapter
        self._inputs: LRUCache[Any, dict[str, Tensor]] = LRUCache(_NUM_REMEMBERED)
        self._features: LRUCache[Any, tuple[dict[str, Any], list[Call]]] = LRUCache(_NUM_REMEMBERED)

    def encode(self, frames: Frames, question: str, session: Session) -> EncodedPrompt:
        """The prompt with its visual tokens, from memory if these frames were encoded lately."""
        pixels = frames.shown if frames.sizes else [frames.frames]
        name = digest(*pixels, frames.times, *([] if frames.audio is None else [frames.audio]))
        merger = session.method.merger
        early = repr(merger) if self._adapter.early() and merges_early(merger) else ""  # merging is remembered too
        kept = name, early, needs_tower(merger), tower_share(merger)
        inputs, encoded = self._inputs.get((name, question)), self._features.get(kept)
        if inputs is None or encoded is None:
            whole = self._adapter.inputs(frames.shown, frames.times, question, frames.audio)
            encoded = self._features[kept] = encoded or self._run_vision(whole, session)
            inputs = self._inputs[name, question] = _without_pixels(whole)
        return EncodedPrompt(inputs, *encoded)

    def encode_anew(self, frames: Frames, question: str, session: Session) -> EncodedPrompt:
        """The same without what is remembered of these frames."""
        whole = self._adapter.inputs(frames.shown, frames.times, question, frames.audio)
        return EncodedPrompt(_without_pixels(whole), *self._run_vision(whole, session))

    def _run_vision(self, inputs: dict[str, Tensor], session: Session) -> tuple[dict[str, Any], list[Call]]:
        """What the vision side makes of the pixels, and how it was called; pixels themselves are not remembered."""
        session.take_calls()
        features = self._adapter.encode(inputs)
        return features, [call.without_pixels() for call in session.take_calls()]


def _without_pixels(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    kept = {key: value for key, value in inputs.items() if not key.startswith("pixel_")}
    if "input_features" in kept:
        kept["input_features"] = kept["input_features"].to("meta")  # the forward asks for it, and for no value
    return kept
