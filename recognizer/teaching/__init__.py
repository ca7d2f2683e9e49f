"""Teaching: training a recognizer of the user's own actions from examples. No torch."""
