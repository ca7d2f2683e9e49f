"""Recording takes from the window."""
