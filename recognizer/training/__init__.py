"""Offline training of recognizers. torch is imported in this package and nowhere else."""
