"""Teaching from the window."""
