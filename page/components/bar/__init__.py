"""A bar at the bottom of a telephone."""
