"""Peak: how much memory tensors take at once."""

from __future__ import annotations

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


class Peak(TorchDispatchMode):
    """Bytes of tensors that live at once, at most, of those made meanwhile."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.known = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for one in tree_flatten(out)[0]:
            if isinstance(one, torch.Tensor) and (store := one.untyped_storage()).data_ptr() not in self.known:
                self.known.add(address := store.data_ptr())
                self.now += (size := store.nbytes())
                self.most = max(self.most, self.now)
                weakref.finalize(store, self.gone, address, size)
        return out

    def gone(self, address: int, size: int) -> None:
        self.known.discard(address)
        self.now -= size
