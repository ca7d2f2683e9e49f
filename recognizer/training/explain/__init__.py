"""Explanations offline: figures of a clip, and how faithful each method is."""
