"""From pixels to skeletons: frame sources, the pose estimator, smoothing and tracking.

Calls point one way: main -> app -> recognizer -> pose. This package imports none of the others.
"""
