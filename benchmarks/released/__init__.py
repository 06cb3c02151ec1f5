"""Released: the configurations that the families' checkpoints were published with, and processors of their kind."""
