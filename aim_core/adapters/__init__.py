"""Adapters: what the engine has to know about each family of models, one family a file."""
