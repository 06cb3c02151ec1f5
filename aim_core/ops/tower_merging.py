"""Tower merging: tokens of a vision tower merged between attention and MLP of each layer, as ToMe does (2210.09461)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.ops.merging import merge_round, num_kept


def tokens_by_layer(num_patches: int, keep_ratio: float, num_layers: int) -> list[int]:
    """Patches' tokens that enter each layer's attention, and last those left at the end: num_layers + 1 counts.

    About the same number leaves in each layer (section 3), at most half of the tokens, until ceil(num_patches x
    keep_ratio) are left; more stay where the layers are too few for that.
    """
    counts, left = [num_patches], num_kept(num_patches, keep_ratio)
    for layers_left in range(num_layers, 0, -1):
        share = -(-(counts[-1] - left) // layers_left)  # rounded up
        counts.append(counts[-1] - min(share, counts[-1] // 2))
    return counts


class MergedTower:
    """The tokens of b pictures on their way through a tower: how many patches each stands for, and which.

    num_rows: rows of a picture as it enters, its class tokens in the lead: num_class of them, which never merge.
    Rows between two layers: the class tokens, even ones that joined nobody, then odd ones (see `merge_round`).
    """

    def __init__(self, num_pictures: int, num_rows: int, num_class: int, device: torch.device):
        self.num_class = num_class
        self.size = torch.ones(num_pictures, num_rows, device=device)  # (b, n), patches of each token
        self.owner = torch.arange(num_rows, device=device).repeat(num_pictures, 1)  # (b, num_rows): each one's token
        self._new_of_old: Tensor | None = None  # (b, n) int64, of the merging of this layer; None for none
        self._num_left = num_rows - num_class  # patches' tokens behind it

    def attention_bias(self, dtype: torch.dtype) -> Tensor:
        """(b, 1, 1, n), log of the sizes: what proportional attention adds to each key's logits (section 3)."""
        return self.size.log().to(dtype)[:, None, None]

    def spread(self, rows: Tensor) -> Tensor:
        """Features of the tokens, (b, ..., n, c), at each row that the pictures entered with: (b, ..., num_rows, c)."""
        return _gathered(rows, self.owner)

    def match(self, keys: Tensor, num_removed: int) -> None:
        """Choose who joins whom in this layer: by keys (b, heads, n, m), mean over heads; num_removed of a picture."""
        if not num_removed:
            self._new_of_old = None
            return
        patches = keys.to(torch.promote_types(keys.dtype, torch.float32)).mean(dim=1)[:, self.num_class :]
        new_of_old = merge_round(patches, num_removed)[1] + self.num_class
        self._num_left = patches.shape[1] - num_removed
        first = torch.arange(self.num_class, device=keys.device).expand(len(keys), -1)
        self._new_of_old = torch.cat([first, new_of_old], dim=1)

    def merge(self, rows: Tensor) -> Tensor:
        """(b, k, d): means of rows (b, n, d) that join, each weighted by its size."""
        if self._new_of_old is None:
            return rows
        size = self.size.to(torch.promote_types(rows.dtype, torch.float32))[..., None]
        return (self._sums(rows.to(size.dtype) * size) / self._sums(size)).to(rows.dtype)

    def unmerge(self, rows: Tensor) -> Tensor:
        """(b, n, d): each of the rows that joined gets what they became, (b, k, d)."""
        return rows if self._new_of_old is None else _gathered(rows, self._new_of_old)

    def leave_layer(self, rows: Tensor) -> Tensor:
        """Merge what leaves the layer, (b, n, d), and from now on count what was merged as one: (b, k, d)."""
        merged = self.merge(rows)
        if self._new_of_old is not None:
            self.owner = self._new_of_old.gather(1, self.owner)
            self.size = self._sums(self.size[..., None])[..., 0]
            self._new_of_old = None
        return merged

    def _sums(self, rows: Tensor) -> Tensor:
        """(b, k, c), sums of the rows (b, n, c) that join; by a product, since a GPU scatters in any order."""
        assert self._new_of_old is not None
        first, patches = rows[:, : self.num_class], rows[:, self.num_class :]
        place = self._new_of_old[:, self.num_class :] - self.num_class
        even, odd = patches[:, ::2], patches[:, 1::2]
        found = F.pad(odd, (0, 0, self._num_left - odd.shape[1], 0))  # odd ones come last
        member = even.new_zeros(len(even), even.shape[1], self._num_left).scatter_(2, place[:, ::2, None], 1)
        return torch.cat([first, torch.baddbmm(found, member.mT, even)], dim=1)


def _gathered(rows: Tensor, index: Tensor) -> Tensor:
    """(b, ..., m, c), the rows (b, ..., n, c) that index (b, m) names."""
    index = index.view(len(index), *[1] * (rows.ndim - 3), -1, 1)
    return rows.gather(-2, index.expand(*rows.shape[:-2], -1, rows.shape[-1]))
