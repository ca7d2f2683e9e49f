"""Synthetic motion that is rare in the data sets, made from real poses or a kinematic body model."""
