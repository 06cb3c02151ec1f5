"""Errors that are no mistake of the caller."""

from __future__ import annotations


class Stopped(Exception):  # noqa: N818 (nothing went wrong)
    """A run ended early because its caller asked for that."""
