"""Memory: what is free now for a model, by what the system and the limits of its container say."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import torch

SHARE = 0.8  # of what is free; the rest is for what else happens meanwhile
_CGROUPS = (  # limit, use, and what of it is files that can be dropped: of version 2, then of version 1
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


def free_bytes(device: torch.device, root: Path = Path("/")) -> int | None:
    """Bytes that can be allocated on a device now; None where that cannot be known. root: of the file system."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    known = [_available(root / "proc/meminfo"), *(_left(root / "sys/fs/cgroup", *names) for names in _CGROUPS)]
    return min((one for one in known if one is not None), default=None)


def _available(meminfo: Path) -> int | None:
    """What the kernel says that can be had without swapping."""
    with suppress(OSError, ValueError, IndexError):
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return None


def _left(cgroup: Path, limit: str, used: str, droppable: str) -> int | None:
    """What a control group may still take; None where it has no limit."""
    with suppress(OSError, ValueError):
        most, now = int((cgroup / limit).read_text()), int((cgroup / used).read_text())
        stat = ((cgroup / limit).parent / "memory.stat").read_text().split()
        files = int(stat[stat.index(droppable) + 1]) if droppable in stat else 0
        return max(0, most - now + files)
    return None
