"""Engines that spare tests time: one whose answers are short, and one that is timed fewer times."""

from __future__ import annotations

from aim_core.engine import Engine


class BriefEngine(Engine):
    """Answers end after 3 tokens where the caller names no limit: random weights never end their turn themselves."""

    def run(self, *asked, **more):
        return super().run(*asked, **{"max_new_tokens": 3} | more)

    def converse(self, *asked, **more):
        return super().converse(*asked, **{"max_new_tokens": 3} | more)


class QuickTimes(Engine):
    """Prefills are timed in two turns, the fewest that have a spread, instead of four."""

    def time_prefills(self, *asked, **more):
        return super().time_prefills(*asked, **more | {"repeats": 2, "warm": 0})
