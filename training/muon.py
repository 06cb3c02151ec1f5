"""Muon for the matrices of the model: momentum made orthogonal, in float32.

After Jordan et al. (2024), https://kellerjordan.github.io/posts/muon/. torch.optim.Muon works in bfloat16, one matrix
at a time, which on a CPU takes as long as the whole backward pass; matrices of one shape go together here.
"""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # the published coefficients
STEPS = 5


def orthogonal(matrices: Tensor) -> Tensor:
    """(k, rows, columns) matrices with their singular values moved to about 1."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(STEPS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Stochastic gradient descent whose Nesterov momentum is made orthogonal.

    Steps are scaled by 0.2 * sqrt(longer side), so that learning rates mean what they mean to AdamW.
    """

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.05):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            shapes = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    shapes[p.shape].append(p)
            for params in shapes.values():
                self._update(params, group)

    def _update(self, params: list[Tensor], group: dict) -> None:
        momenta = [self.state[p].setdefault("momentum", torch.zeros_like(p)) for p in params]
        grads = [p.grad for p in params]
        torch._foreach_lerp_(momenta, grads, 1 - group["momentum"])
        ahead = torch._foreach_lerp(grads, momenta, group["momentum"])
        updates = orthogonal(torch.stack(ahead)) * (0.2 * max(params[0].shape) ** 0.5)
        torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(params, list(updates.unbind()), alpha=-group["lr"])
