"""Exports: what a visitor takes away of a run, and what brings it back."""
