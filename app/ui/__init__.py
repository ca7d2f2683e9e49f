"""The Qt window. Qt is imported in this package and nowhere else."""
