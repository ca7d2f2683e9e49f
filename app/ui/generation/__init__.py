"""Made-up clips in the window."""
