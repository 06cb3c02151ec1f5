"""A small random checkpoint of every supported family: the stock classes of model and processor, saved and loaded."""
