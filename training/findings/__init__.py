"""What the paper found, measured on the embedded model: `python -m training.findings`."""
