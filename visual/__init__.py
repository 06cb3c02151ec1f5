"""Drawing: a trace of one run in, pictures, charts and plain sentences out. Needs neither a model nor the app."""
