"""The live run: poses, windows, predictions and explanations, each on its thread."""
