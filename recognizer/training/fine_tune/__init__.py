"""Full teaching: a network trained on the user's own examples, and its check."""
