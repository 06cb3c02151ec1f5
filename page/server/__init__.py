"""The server around the page: who may ask, how much, in which line; what is kept, swept, counted and logged."""
