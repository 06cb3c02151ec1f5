"""The inference core: merge, prune, measure. Needs neither the app nor a screen."""
