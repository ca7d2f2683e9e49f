"""Data sets of recorded skeletons: one reader for each, in its published layout, and the merged everyday actions."""
