"""For every test of recognizers: data sets."""

from tiny_data_sets import real_data, tiny_data  # noqa: F401
