"""A guided tour in five steps: predict, run, see what was measured."""
