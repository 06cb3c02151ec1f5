"""VTW, visual tokens withdrawal (arXiv 2405.05803): all visual tokens leave before one layer.

As released for LLaVA-1.5-7B, 16 of 32 layers; other tokens keep their positions. The paper finds the layer once for a
model, as the first from 5 on where withdrawing changes the first answer token by a small KL; here it is given.
"""

from __future__ import annotations

from aim_core.methods.base import Method
from aim_core.methods.before_decoder import NoScores
from aim_core.methods.fastv import DropOnce, NoMerge


def vtw(layer: int = 16) -> Method:
    """Tokens entering each layer: all n below `layer` (the paper's K), then none; the mean of L layers is K / L x n."""
    return Method("VTW", NoMerge(), DropOnce(layer, 0.0), NoScores())
