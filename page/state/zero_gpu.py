"""ZeroGPU: a Space that lends a GPU for one call at a time, in a process that is forked for it and ends with it.

What goes in and comes out is copied, so both are plain records of NumPy, and nothing that a call leaves in memory is
there for the next one. Anywhere else every call is what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import isgeneratorfunction
from typing import Any

from aim_core.adapters.base import Adapter
from aim_core.media.frames import Frames
from aim_core.ops.flops import prefill_flops
from page.state.space import is_zero_gpu

TEXT_TOKENS = 64  # around the visual ones: a question, and what a chat puts around it
NEW_TOKENS = 64  # of an answer, at most
# What such a GPU, an H200, does at least with hooks at every layer and no compiler: some hundredths of its data sheet.
FLOPS_A_SECOND, BYTES_A_SECOND = 40e12, 1e12
START_S, LONGEST_S = 10.0, 120  # the fork and the weights' way to the GPU; the most that is asked for


def lent(call: Callable, seconds: Callable[..., int]) -> Callable:
    """`call` on a GPU that is lent for it. seconds: how long, from what `call` is given.

    Named arguments that are functions stay behind: nothing that they could tell or ask gets from one process to the
    other.
    """
    if not is_zero_gpu():
        return call
    import spaces  # only a Space has it

    on_gpu = spaces.GPU(duration=seconds)(_started(call))

    def plain(*args: Any, **more: Any):
        return on_gpu(*args, **{name: value for name, value in more.items() if not callable(value)})

    return plain


def _started(call: Callable) -> Callable:
    """The same as a plain function, one that yields if `call` does."""

    def each(*args: Any, **more: Any):
        yield from call(*args, **more)

    def once(*args: Any, **more: Any):
        return call(*args, **more)

    return each if isgeneratorfunction(call) else once


def needed_seconds(adapter: Adapter, frames: Frames, prefills: float, answers: int) -> int:
    """Seconds for so many prefills as dear as the dense one, each after the vision tower, and so many answers."""
    calls = adapter.expected_calls(frames.media_sizes)
    num_visual = sum(medium.num_rows for call in calls for medium in adapter.media(call))
    tokens = [num_visual + TEXT_TOKENS] * adapter.num_layers
    one = prefill_flops(tokens, **adapter.sizes) + sum(map(adapter.vision_flops, calls))
    weights = sum(p.numel() * p.element_size() for p in adapter.model.parameters())
    seconds = prefills * one / FLOPS_A_SECOND + answers * NEW_TOKENS * weights / BYTES_A_SECOND
    return min(LONGEST_S, round(START_S + seconds))
