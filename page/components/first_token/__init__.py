"""First token: its component, and what draws it."""
