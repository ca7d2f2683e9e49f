"""The attention panel: why the recognizer says what it says."""
