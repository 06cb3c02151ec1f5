"""Muon: updates with singular values near one, in the direction that torch's own gives."""

import pytest
import torch

from training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(3, 24, 24), (2, 16, 40), (2, 40, 16)])
def test_singular_values_go_to_about_one_and_directions_stay(shape):
    """The coefficients were published for speed: they leave values between about 0.7 and 1.2."""
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, values, right = torch.linalg.svd(matrices, full_matrices=False)
    moved = orthogonal(matrices)
    big = values > 0.1 * values[:, :1]  # five steps do not lift the smallest all the way
    assert ((torch.linalg.svdvals(moved) > 0.6) | ~big).all() and torch.linalg.svdvals(moved).max() < 1.3
    turned = left.mT @ moved @ right.mT  # diagonal if the singular vectors are the same
    assert (turned - torch.diag_embed(turned.diagonal(dim1=1, dim2=2))).abs().max() < 1e-3


def test_matrices_of_one_shape_do_not_touch_each_other():
    matrices = torch.randn(4, 8, 12, generator=torch.Generator().manual_seed(1))
    alone = torch.cat([orthogonal(one[None]) for one in matrices])
    assert torch.allclose(orthogonal(matrices), alone, atol=1e-5)


def test_steps_lower_a_quadratic():
    target = torch.randn(6, 10, generator=torch.Generator().manual_seed(2))
    weight = torch.nn.Parameter(torch.zeros_like(target))
    optimizer, losses = Muon([weight], lr=0.2, weight_decay=0.0), []
    for _ in range(60):
        loss = (weight - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0] and losses[-1] < 0.1 * losses[0]


def test_weights_without_gradient_stay_and_weights_decay():
    still, moved = (torch.nn.Parameter(torch.ones(4, 4)) for _ in range(2))
    moved.grad = torch.zeros(4, 4)
    Muon([still, moved], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(still.detach(), torch.ones(4, 4))
    assert torch.allclose(moved.detach(), torch.full((4, 4), 0.95))


@pytest.mark.parametrize("shape", [(12, 12), (12, 30), (30, 12)])
def test_three_steps_go_where_torchs_muon_goes(shape):
    """Torch's runs in bfloat16: the same way but for its rounding, and the same length."""
    draw = torch.Generator().manual_seed(3)
    begin, grads = torch.randn(shape, generator=draw), torch.randn(3, *shape, generator=draw)
    moves = []
    for make in (
        lambda w: Muon([w], lr=0.02, momentum=0.95, weight_decay=0.1),
        lambda w: torch.optim.Muon([w], lr=0.02, momentum=0.95, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    ):
        weight = torch.nn.Parameter(begin.clone())
        optimizer = make(weight)
        for grad in grads:
            weight.grad = grad.clone()
            optimizer.step()
        moves.append((weight.detach() - begin).flatten())
    ours, theirs = moves
    assert torch.cosine_similarity(ours, theirs, dim=0) > 0.99
    assert float(ours.norm() / theirs.norm()) == pytest.approx(1, abs=0.05)
