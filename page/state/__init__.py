"""State that outlives an event: the model, stored runs, runs that can be cancelled, files of frames."""
