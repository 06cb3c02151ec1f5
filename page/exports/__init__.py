"""Exports: files made of a run, links to its settings, and saved runs that are loaded again."""
