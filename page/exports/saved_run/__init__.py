"""A saved run: written, and read back with nothing in the file trusted."""
