"""Published: what AIM's paper reports, as shares of its own dense model, to stand beside a sweep's points."""

from __future__ import annotations

from typing import Any

SOURCE = "https://arxiv.org/abs/2412.03248"
_DENSE = 99.63, 58.2  # TFLOPs of the prefill and VideoMME, LLaVA-OneVision-7B at 32 frames
_NAMED = {
    "VTW": (22.38, 41.0),
    "PyramidDrop": (24.22, 51.7),
    "FastV": (21.24, 55.9),
    "LLaVA-PruMerge": (23.65, 57.0),
    "AIM": (14.76, 58.2),
}
_MERGING = {  # kept, of AIM without pruning
    "50 %": (46.48, 58.5),
    "25 %": (22.90, 58.0),
    "12.5 %": (11.64, 56.6),
    "6.3 %": (6.41, 53.6),
    "3.1 %": (3.85, 52.3),
    "1.6 %": (2.57, 50.9),
}
_SCHEDULES = {  # l1, l2 of AIM that keeps 25 %
    "21, 29": (20.15, 58.0),
    "14, 29": (17.41, 57.7),
    "7, 29": (14.66, 57.4),
    "21, 22": (17.50, 58.1),
    "7, 22": (12.01, 56.8),
    "14, 15": (12.10, 54.3),
    "7, 15": (9.36, 52.9),
    "7, 8": (6.71, 41.9),
}


def published() -> list[dict[str, Any]]:
    """Each with its name, whether it is of AIM, whether its name is written beside it, and its shares of dense: FLOPs
    of the prefill, counted by the authors, and right answers of VideoMME."""
    rows = [(name, name == "AIM", True, own) for name, own in _NAMED.items()]
    rows += [(f"AIM, merging only, {kept}", True, False, own) for kept, own in _MERGING.items()]
    rows += [(f"AIM, 25 %, l1 l2 {layers}", True, False, own) for layers, own in _SCHEDULES.items()]
    flops, right = _DENSE
    return [
        {"name": name, "aim": aim, "named": named, "flops": own[0] / flops, "right": own[1] / right}
        for name, aim, named, own in rows
    ]
