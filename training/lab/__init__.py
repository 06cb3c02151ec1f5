"""Lab: the budget solver on the embedded model, beside the paper's default schedule, on held-out questions."""
