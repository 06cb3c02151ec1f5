"""Methods that make a model read fewer visual tokens: one small file each, on the same hooks, by name in `registry`."""
