"""The demo as a source of frames: it runs like a camera, or as fast as frames are read."""

import math
import threading
import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pose.demo.body import Skeleton, pose_body
from pose.demo.draw import Camera, Painter
from pose.demo.look import draw_look
from pose.demo.script import Script, Segment
from pose.skeleton import MPOSE_13
from pose.source import SourceInfo
from pose.types import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is really so at one time.

    action: its name. since_s: the action's onset, on the source's clock.
    joints_px: (13, 2) float32 in the order of MPOSE_13, pixels of the frame; hidden joints too. The head is the point
        between the ears.
    """

    time_s: float
    action: str
    since_s: float
    joints_px: NDArray[np.float32]


class DemoSource:
    """A rendered person doing everyday actions in a loop. Implements pose.source.Source.

    Paced, it is live: frame n shows the person at n / fps seconds, comes on the clock like a camera's, and frames that
    nobody was there to read are lost: their indices are missing. Not paced, read() renders every frame as fast as it
    can.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        size: tuple[int, int] = (640, 480),
        fps: float = 30.0,
        paced: bool = True,
        loops: int | None = None,
    ) -> None:
        """seed: the look. size: width and height in pixels. loops: times the script is played; None for ever."""
        if fps <= 0 or min(size) < 64 or (loops is not None and loops < 1):
            raise ValueError(f"fps and loops must be positive and size at least 64: {fps}, {loops}, {size}")
        self._look = draw_look(seed)
        self._script = Script()
        self._camera = Camera(size, self._look.camera_m, self._look.camera_yaw)
        self._fps = fps
        self._paced = paced
        self._frames = None if loops is None else math.ceil(loops * self._script.duration_s * fps - 1e-6)
        self._next = 0
        self._started_s: float | None = None
        self._closed = threading.Event()
        self.info = SourceInfo(name="demo", live=paced, size=size, fps=fps, frames=self._frames)

    @property
    def script(self) -> tuple[Segment, ...]:
        """The actions of one loop, without gaps, from 0 to the loop's end."""
        return self._script.segments

    def read(self) -> Frame | None:
        """The next frame; None after the last loop or close(). Raises nothing."""
        painter = self._painter  # before the clock starts
        if self._closed.is_set() or (self._paced and not self._wait()):
            return None
        index = self._next
        if self._frames is not None and index >= self._frames:
            return None
        self._next = index + 1
        time_s = index / self._fps
        picture = painter.paint(self._skeleton(time_s))
        return Frame(bgr=picture, time_s=time_s, captured_s=time.perf_counter(), index=index)

    def close(self) -> None:
        """End the stream; a read() that waits for its frame returns at once."""
        self._closed.set()

    def truth(self, time_s: float) -> Truth:
        """The true action and joints at a time of the source's clock."""
        segment = self._script.segment(time_s)
        loop_start_s = time_s - time_s % self._script.duration_s
        joints = self._skeleton(time_s, bones=False).joints
        points = self._camera.project(np.stack([joints[name] for name in MPOSE_13.joints]))
        return Truth(time_s, segment.action, loop_start_s + segment.start_s, points.astype(np.float32))

    @cached_property
    def _painter(self) -> Painter:
        """Draws the room, which takes a while; who asks for the truth alone needs none."""
        return Painter(self._look, self._camera.size)

    def _skeleton(self, time_s: float, *, bones: bool = True) -> Skeleton:
        return pose_body(self._script.posture(time_s), self._look.body, bones=bones)

    def _wait(self) -> bool:
        """Until the next frame is due, passing over those that are already late; False once closed."""
        now_s = time.perf_counter()
        if self._started_s is None:
            self._started_s = now_s
        self._next = max(self._next, math.floor((now_s - self._started_s) * self._fps))
        return not self._closed.wait(self._started_s + self._next / self._fps - now_s)
