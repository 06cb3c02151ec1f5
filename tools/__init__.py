"""Tools of those who work on this repository: its locks, and the versions of libraries that it runs on."""
