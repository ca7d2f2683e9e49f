"""Labelled sequences through the live window, recognizer and decision: made, streamed, evaluated and reported."""
