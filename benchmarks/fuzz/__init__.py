"""Fuzzing of every reader that takes a user's file: small valid files, mutated by their structure, read in a child."""
