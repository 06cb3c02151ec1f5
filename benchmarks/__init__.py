"""Speed, measured side by side: claims about time live here and nowhere else."""
