"""A rendered person doing everyday actions, with the true joints and action of every frame.

For a first look without a camera, for tests and for measuring. Its motion is clean and partly periodic: it proves
plumbing, labels and timing, and is no evidence of accuracy on people.
"""

from pose.demo.script import Segment
from pose.demo.source import DemoSource, Truth

__all__ = ["DemoSource", "Segment", "Truth"]
