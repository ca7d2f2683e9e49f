"""What measures and repeats the papers: not installed with the product, and nothing of the product imports it."""
