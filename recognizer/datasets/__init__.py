"""Data sets of skeletons that were published: a file for each, and their registry. NumPy and SciPy alone."""
