"""An engine whose answers are short: random weights never end their turn, and every word of theirs takes a pass."""

from __future__ import annotations

from aim_core.engine import Engine


class BriefEngine(Engine):
    """Answers end after 3 tokens where the caller names no limit."""

    def run(self, *asked, **more):
        return super().run(*asked, **{"max_new_tokens": 3} | more)
