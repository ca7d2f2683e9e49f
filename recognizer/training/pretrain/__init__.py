"""Unsupervised pretraining of GL-Transformer, and its training on everyday actions."""
