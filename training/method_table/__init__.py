"""Method table: every method of the registry at the same shares of the dense FLOPs, on held-out questions."""
