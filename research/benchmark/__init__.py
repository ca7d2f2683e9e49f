"""The published splits of the data sets: every recognizer trained and tested on them, and the page of figures."""
