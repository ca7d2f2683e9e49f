"""From pixels to skeletons: frame sources, the pose estimator, smoothing and tracking.

Calls point one way: main -> app -> recognizer -> pose. This package imports none of the others.
"""

import os

# Before OpenCV loads: half a megabyte of PNG may say that it is a billion pixels, which take 3 GB.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 27))
