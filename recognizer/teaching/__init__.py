"""Teaching: a recognizer of the user's own actions, learnt from clips. No torch."""
