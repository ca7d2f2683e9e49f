"""For every test of generators: clips and recipes."""

from generator_clips import _no_progress_bars, motions, recipe, recordings, replaying  # noqa: F401
