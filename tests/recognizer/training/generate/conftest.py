"""For every test of generators: clips and recipes."""

from generator_clips import motions, recipe, recordings, replaying  # noqa: F401
