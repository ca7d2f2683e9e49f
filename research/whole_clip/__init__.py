"""Training on whole clips of one data set, resampled to a fixed number of frames, as papers measure recognizers."""
