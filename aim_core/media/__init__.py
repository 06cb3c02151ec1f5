"""Media: a user's video or picture, checked first and then decoded in a child process."""
