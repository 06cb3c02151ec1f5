"""What the page holds between events: the model, results kept, runs under way, files."""
