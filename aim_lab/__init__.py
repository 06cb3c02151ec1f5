"""The lab: sweeps, the budget solver and the lmms-eval plugin; imports aim_core only."""
