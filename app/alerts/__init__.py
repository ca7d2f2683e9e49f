"""Rules: when an action lasts or is counted, something else is done. No Qt."""
