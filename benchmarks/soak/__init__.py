"""Accelerated days: the same things again and again on one run, and whether memory, threads, handles and files stay."""
