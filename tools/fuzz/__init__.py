"""Fuzz: a corpus of what people upload, judged frame by frame, and files that were made to do harm; see `make fuzz`."""
