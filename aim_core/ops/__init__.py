"""The maths: pure functions, tensors in, tensors out."""
