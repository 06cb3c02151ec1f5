"""AIM across frames: its merging (arXiv 2412.03248) through time, or inside frames and then through time (ours).

The paper merges inside frames alone and leaves this open. Windows are of neighbouring frames, the last may be shorter.
A merged token stands at the patch that the others were merged into, and tokens are in raster order of these, frame by
frame. Qwen's planes of two frames count as frames, and so do the crops of an image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from aim_core.config import AimConfig, check_whole
from aim_core.methods.aim import aim_method
from aim_core.methods.base import Method
from aim_core.methods.before_decoder import check_share
from aim_core.ops.merging import merge_tokens, num_kept
from aim_core.ops.precision import widened
from aim_core.ops.reduced import Reduced, join_patches

PLACES = ("any", "same")


@dataclass(frozen=True)
class MergeAcross:
    """Merge the n patches of each of a window's w frames into ceil(keep_ratio x w x n) tokens, by AIM's own rule.

    First inside each frame, until the share keep_ratio ** within of it is left; then through time.
    places: "any": what is left of a window, place by place and at each place frame by frame, is merged as if it were
            one frame, see `merge_tokens`. So in the first round tokens of frames 0, 2, 4 ... join the most similar ones
            of frames 1, 3, 5 ..., wherever these stand, where a window has an even number of frames.
            "same": every place is merged with itself through time, as if its w patches were a frame. Each keeps
            equally many, at least one; what is over goes, one by one, to the places that are least alike from frame to
            frame by mean cosine, of equals to the earlier. Frames left inside have no common places: within is 0.
    within: in [0, 1]: 0 for time alone, 1 for AIM's own merging inside frames.
    Raises ValueError for other values.
    """

    keep_ratio: float
    within: float = 0.0
    window: int = 8
    places: str = "any"

    def __post_init__(self):
        check_share(self.keep_ratio)
        check_window(self.window)
        if not 0 <= self.within <= 1:
            raise ValueError(f"within must be in [0, 1], got {self.within}")
        if self.places not in PLACES:
            raise ValueError(f"places must be one of {', '.join(PLACES)}, got {self.places!r}")
        if self.places == "same" and self.within:
            raise ValueError(f"tokens merged inside frames have no common places: within must be 0, got {self.within}")

    def __call__(self, tokens: Tensor, metric: Tensor | None = None) -> Reduced:
        merge = self._same_place if self.places == "same" else self._any_place
        n = tokens.shape[1]
        found = [merge(own) for own in widened(tokens).split(self.window)]
        homes = [home + number * self.window * n for number, (home, _) in enumerate(found)]
        return join_patches(tokens, torch.cat(homes), torch.cat([weight for _, weight in found]))

    def _any_place(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Of a window, x (w, n, d), the patch (w, n) that each patch joins, and what it counts in that token."""
        frames, n = x.shape[:2]
        inside = merge_tokens(x, self.keep_ratio**self.within)
        size = inside.place.numel()
        one = inside.tokens.transpose(0, 1).reshape(1, size, -1)  # row j * w + t: token j left of frame t
        merged = merge_tokens(one, num_kept(frames * n, self.keep_ratio) / size)
        row = inside.group * frames + torch.arange(frames, device=x.device)[:, None]  # (w, n)
        target = merged.place[0, merged.group[0, row]]
        frame = target % frames
        return frame * n + inside.place[frame, target // frames], inside.weight * merged.weight[0, row]

    def _same_place(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same, merged place by place."""
        frames, n = x.shape[:2]
        each, more = divmod(self._left(frames, n), n)
        columns, unit = x.transpose(0, 1), F.normalize(x, dim=-1)  # columns: (n, w, d)
        home, weight = _through_time(columns, each)
        if more:
            alike = (unit[1:] * unit[:-1]).sum(dim=-1).mean(dim=0)  # (n,)
            moving = alike.argsort(stable=True)[:more]
            home[moving], weight[moving] = _through_time(columns[moving], each + 1)
        return home.mT * n + torch.arange(n, device=x.device), weight.mT

    def reduces(self) -> bool:
        return self.keep_ratio < 1

    def num_left(self, num_views: int, grid: tuple[int, int]) -> int:
        return sum(self._left(frames, grid[0] * grid[1]) for frames in windows(num_views, self.window))

    def _left(self, frames: int, n: int) -> int:
        return max(n if self.places == "same" else 1, num_kept(frames * n, self.keep_ratio))


def _through_time(columns: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of places through time, (p, w, d), merged into `count` each: the frame (p, w) whose patch each joins, and what it
    counts there."""
    merged = merge_tokens(columns, count / columns.shape[1])
    return merged.place.gather(1, merged.group), merged.weight


def windows(num_views: int, window: int) -> Sequence[int]:
    """How many views each window has."""
    return [min(window, num_views - first) for first in range(0, num_views, window)]


def check_window(window: int) -> None:
    """Raise ValueError unless it is a whole number of frames from 1 on."""
    check_whole("window", window)
    if window < 1:
        raise ValueError(f"window must be at least 1 frame, got {window}")


def across_frames(
    keep_ratio: float = 0.25,
    within: float = 0.0,
    window: int = 8,
    places: str = "any",
    l1: int = 14,
    l2: int = 22,
) -> Method:
    """AIM with the other merging. Tokens entering each layer: ceil(keep_ratio x patches) of each window (of `same`
    places at least one a place) up to l1, then as AIM's schedule says."""
    method = aim_method(AimConfig(1.0, l1, l2))
    return replace(method, name="AIM across frames", merger=MergeAcross(keep_ratio, within, window, places))
