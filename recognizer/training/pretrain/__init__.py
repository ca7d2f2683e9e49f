"""Unsupervised pretraining of GL-Transformer, and the protocols that say what it is worth with few labels."""
