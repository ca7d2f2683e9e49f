"""Time in state: what was done today and this week."""
