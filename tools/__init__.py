"""Tools for work on this repository: locks, compatibility with libraries, documentation."""
