"""Drawing: overlays, charts, captions and films from the trace of a run; needs neither a model nor the page."""
