"""Further pictures that one question is about."""
