"""Teaching: training a recognizer of the user's own actions from clips. No torch."""
