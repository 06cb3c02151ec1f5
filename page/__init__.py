"""The page's parts: checks on what comes in, words and numbers that go out, results kept for redrawing."""
