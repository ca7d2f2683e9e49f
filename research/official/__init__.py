"""Checkpoints of the official codes."""
