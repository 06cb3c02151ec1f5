"""Density peaks: DPC-kNN, the clustering that several video methods share (Du, Ding and Jia, 2016)."""

from __future__ import annotations

import torch
from torch import Tensor

_NOISE = 1e-6  # tells equal densities apart, as released; drawn from a seed here


def peaks(x: Tensor, num_clusters: int, num_neighbours: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Cluster the rows of x, (n, d) float32 or float64, around the densest rows that are far from denser ones.

    D is Euclidean distance / sqrt(d). Density: exp(-mean of D^2 to the `num_neighbours` nearest rows, itself among
    them), plus a little noise. Delta: the distance to the nearest denser row; for the densest the largest distance of
    all. The `num_clusters` rows of largest density x delta are centres, ties to the earlier row.
    Returns the centres, (num_clusters,) int64, in falling order; and for each row the centre it is nearest to, counted
    among the centres, (n,) int64; a centre is its own.
    Raises ValueError for more clusters than rows, or none.
    """
    n = len(x)
    if not 1 <= num_clusters <= n:
        raise ValueError(f"num_clusters must be in [1, {n}], got {num_clusters}")
    distance = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist") / x.shape[1] ** 0.5
    nearest = distance.topk(min(num_neighbours, n), largest=False).values
    noise = torch.rand(n, generator=torch.Generator().manual_seed(seed)).to(x) * _NOISE
    density = (-nearest.square().mean(dim=1)).exp() + noise
    denser = density[None, :] > density[:, None]
    delta = torch.where(denser, distance, distance.max()).amin(dim=1)
    centres = (density * delta).argsort(descending=True, stable=True)[:num_clusters]
    own = distance[:, centres].argmin(dim=1)
    own[centres] = torch.arange(num_clusters, device=x.device)
    return centres, own
