"""What the page holds between events: the model, results stored, runs under way, files."""
