"""Share: the bytes that each address has taken within the last hour."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque

_HOUR, _LEAST = 3600.0, 1 << 20  # whatever is taken counts as so many bytes at least


class HourlyShare:
    """most: bytes of an address; safe to use from threads."""

    def __init__(self, most: int):
        self.most = most
        self._taken: defaultdict[str, deque[tuple[float, int]]] = defaultdict(deque)
        self._lock = threading.Lock()

    def left(self, address: str) -> int:
        """Bytes that an address may still take now; less than 0 where it took more than its share."""
        with self._lock:
            own, old = self._taken[address], time.monotonic() - _HOUR
            while own and own[0][0] < old:
                own.popleft()
            return self.most - sum(size for _, size in own)

    def add(self, address: str, size: int) -> None:
        """An address takes so many bytes now."""
        with self._lock:
            self._taken[address].append((time.monotonic(), max(size, _LEAST)))

    def forget(self) -> None:
        """Drop the addresses that took nothing in the last hour."""
        old = time.monotonic() - _HOUR
        with self._lock:
            for address in [one for one, taken in self._taken.items() if not taken or taken[-1][0] < old]:
                del self._taken[address]
