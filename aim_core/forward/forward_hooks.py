"""ForwardHooks: what is called while a model runs, as a protocol."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from aim_core.adapters.call import Call
from aim_core.forward.passes import Pass


class ForwardHooks(Protocol):
    """What is called while a model runs; `session.Session` implements it.

    A forward of the decoder begins with `enter_decoder`: it returns the pass that every layer and the end of this
    forward then call, and the decoder's arguments if they change.
    wants_tower: whether `on_tower` is to be called.
    tower_share: the share of patches that are to be left in the vision tower; below 1 `saved_in_tower` is told what the
                 tower does not compute, once for each of its forwards.
    known_audio: what the audio encoder would say in this forward, if that is known; else None.
    """

    @property
    def wants_tower(self) -> bool: ...

    @property
    def tower_share(self) -> float: ...

    def known_audio(self) -> Any: ...

    def before_features(self) -> None: ...

    def after_features(self, call: Call) -> None: ...

    def on_tower(self, query: Tensor, key: Tensor, scale: float, mask: Tensor | None) -> None: ...

    def saved_in_tower(self, flops: int) -> None: ...

    def project(self, tokens: Tensor, metric: Tensor) -> Tensor: ...

    def unproject(self, projected: Tensor) -> Tensor: ...

    def guessed(self, count: int) -> None: ...

    def request(self, kwargs: dict[str, Any]) -> None: ...

    def enter_decoder(self, kwargs: dict[str, Any]) -> tuple[Pass, dict[str, Any] | None]: ...

    def forget(self) -> None: ...
