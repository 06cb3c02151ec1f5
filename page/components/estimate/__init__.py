"""What the settings will cost, before any run."""
