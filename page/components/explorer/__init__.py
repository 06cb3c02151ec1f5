"""The explorer: one canvas that shows all frames of a run and reads any patch, in the browser alone."""
