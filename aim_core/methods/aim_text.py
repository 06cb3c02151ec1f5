"""AIM with text pruned too: what the paper (arXiv 2412.03248) decides against, for whoever wants to see what it costs.

Text goes by a count of its own, so that none leaves in the place of a visual token: along the same layers as these, by
the same PageRank, those of lowest score among text first, whether of the template or of the question. The last token
of the prompt, from which the answer is read, always stays.
"""

from __future__ import annotations

from dataclasses import replace

from aim_core.config import AimConfig, FlooredSchedule, LinearSchedule
from aim_core.methods.aim import aim_method
from aim_core.methods.base import Method


def aim_text(keep_ratio: float = 0.25, l1: int = 14, l2: int = 22, text_floor: float = 0.5) -> Method:
    """Visual tokens as under AIM. Text tokens entering each layer, the last one beside them: all up to l1, then on a
    line to none at l2, but never fewer than the share `text_floor` of them, rounded up.

    Raises ValueError for a share that is not in [0, 1].
    """
    method = aim_method(AimConfig(keep_ratio, l1, l2))
    if not 0 <= text_floor <= 1:
        raise ValueError(f"text_floor must be in [0, 1], got {text_floor}")
    schedule = FlooredSchedule(LinearSchedule(l1, l2), text_floor)
    return replace(method, name="AIM, text pruned too", text=schedule)
