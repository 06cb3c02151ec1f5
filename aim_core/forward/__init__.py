"""A method carried through the forward of a stock model: hooks, passes, pruning, cache, and what is recorded."""
