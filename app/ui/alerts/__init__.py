"""Rules in the window."""
