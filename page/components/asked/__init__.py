"""What the results are about, above them."""
