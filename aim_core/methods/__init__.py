"""Methods that make a model read fewer visual tokens: one small file each, all on the same hooks."""
