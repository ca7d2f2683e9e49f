"""How good generated clips are, and what they are worth."""
