"""For each answer word, the frames it attended to."""
