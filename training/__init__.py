"""How the embedded model is made: its world, its questions, its training and its evaluation."""
