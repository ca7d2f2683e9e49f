"""Synthetic clips in the window."""
