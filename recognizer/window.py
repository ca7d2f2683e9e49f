"""Timed poses to clips at a fixed rate: whatever the camera's rate, the same motion gives the same clip."""

import math

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout, convert
from pose.types import Pose
from recognizer.types import Clip

Array = NDArray[np.float64]

# From this confidence on a joint counts as seen. Low on purpose: MediaPipe places limbs that the body hides well
# (the far arm of a walker has about 0.2) and the estimator gives 0 outside the picture.
MIN_CONFIDENCE = 0.1
# A joint lost for longer is missing in the clip. 0.3 s is under half a swing of an arm or leg at a run (3 Hz).
MAX_JOINT_GAP_S = 0.3
# Without any pose for longer, what comes next does not continue what was: the window begins anew.
MAX_POSE_GAP_S = 0.5
# Poses that follow each other faster than this part of a tick add nothing and are left out: the memory is bounded.
_POSES_A_TICK = 8
_ROUNDING_S = 1e-6


class PoseWindow:
    """The last poses of one person, of which every tick of the clip's rate makes a clip.

    Ticks are the multiples of 1 / fps on the source's clock, so decisions come at fps a second from any camera, or
    at one a pose from a slower one. A tick's clip ends at the tick, and is due with the first pose at or after it.
    A clip needs poses over its full span of (frames - 1) / fps seconds; `fill` says how much of it there is.
    """

    def __init__(
        self,
        frames: int,
        fps: float,
        layout: Layout,
        *,
        min_confidence: float = MIN_CONFIDENCE,
        max_joint_gap_s: float = MAX_JOINT_GAP_S,
        max_pose_gap_s: float = MAX_POSE_GAP_S,
    ) -> None:
        """frames: poses of a clip, 2 or more. layout: of the clips. The limits are explained at their constants."""
        if frames < 2 or not fps > 0:
            raise ValueError(f"a clip needs 2 frames or more at a rate above 0, not {frames} at {fps}")
        self.frames, self.fps, self.layout = frames, fps, layout
        self._min_confidence = min_confidence
        self._max_joint_gap_s = max_joint_gap_s
        self._max_pose_gap_s = max_pose_gap_s
        self._span_s = (frames - 1) / fps
        self._offsets_s = (np.arange(frames) - (frames - 1)) / fps
        kept = math.ceil((self._span_s + max_joint_gap_s + max_pose_gap_s) * fps * _POSES_A_TICK) + 2
        # Twice the room, so that the poses stay in one piece: when the end is reached they move to the front.
        self._times = np.empty(2 * kept)
        self._xy = np.empty((2 * kept, len(layout), 2))
        self._confidence = np.empty((2 * kept, len(layout)))
        self.clear()

    def clear(self) -> None:
        """Forget all poses."""
        self._first = self._end = 0
        self._tick = -math.inf  # number of the last tick that gave a clip

    @property
    def fill(self) -> float:
        """Part of the clip's span that poses cover, 0..1."""
        if self._first == self._end:
            return 0.0
        return min(1.0, float(self._times[self._end - 1] - self._times[self._first]) / self._span_s)

    def push(self, pose: Pose) -> tuple[Clip, ...]:
        """Take in a pose and return the clip that is due, if any: of several ticks since the last pose the newest.

        Poses come in order of time; one that repeats the last time is left out, and one before it or after a long
        gap clears the window.
        """
        if not math.isfinite(pose.time_s):
            raise ValueError(f"a pose's time must be finite, not {pose.time_s}")
        if self._first < self._end:
            since_s = pose.time_s - self._times[self._end - 1]
            if since_s < 0 or since_s > self._max_pose_gap_s:
                self.clear()
            elif since_s < 1 / (self.fps * _POSES_A_TICK):
                return ()
        self._append(pose)
        tick = math.floor((pose.time_s + _ROUNDING_S) * self.fps)
        if tick <= self._tick:
            return ()
        end_s = tick / self.fps
        if self._times[self._first] > end_s - self._span_s + _ROUNDING_S:
            return ()
        self._tick = tick
        return (self._clip(end_s, pose.person),)

    def _append(self, pose: Pose) -> None:
        if self._end == len(self._times):
            count = self._end - self._first
            for kept in (self._times, self._xy, self._confidence):
                kept[:count] = kept[self._first : self._end]
            self._first, self._end = 0, count
        xy, confidence = pose.xy_px, pose.confidence
        if pose.layout != self.layout:
            xy, confidence = convert(xy, confidence, pose.layout, self.layout)
        place = self._end
        self._times[place] = pose.time_s
        self._xy[place] = xy
        self._confidence[place] = confidence
        # A joint that is nowhere is not seen, whatever its confidence says.
        self._confidence[place, ~np.isfinite(self._xy[place]).all(axis=-1)] = 0
        self._end = place + 1
        oldest_s = pose.time_s - self._span_s - self._max_joint_gap_s - 1 / self.fps
        # The one before the oldest stays: a joint's gap may begin there.
        while self._first + 1 < self._end and self._times[self._first + 1] < oldest_s:
            self._first += 1

    def _clip(self, end_s: float, person: int) -> Clip:
        kept = slice(self._first, self._end)
        xy, confidence = resample(
            self._times[kept],
            self._xy[kept],
            self._confidence[kept],
            end_s + self._offsets_s,
            1 / self.fps,
            min_confidence=self._min_confidence,
            max_gap_s=self._max_joint_gap_s,
        )
        return Clip(xy, confidence, self.fps, self.layout, end_s, person)


def resample(
    times_s: Array,
    xy: Array,
    confidence: Array,
    at_s: Array,
    step_s: float,
    *,
    min_confidence: float = MIN_CONFIDENCE,
    max_gap_s: float = MAX_JOINT_GAP_S,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Joints at other times, each from its own confident samples.

    times_s: (n,) increasing; xy: (n, V, 2); confidence: (n, V); at_s: (T,), increasing, step_s apart.
    Returns (T, V, 2) and (T, V) float32, 0 where a joint is missing.

    Where samples are denser than the steps, a line is fitted under a triangle of one step to either side: it keeps
    noise and motion faster than the steps out, as interpolation between samples one step apart does by itself, so
    that a fast camera's clip is like a slow one's. On UTD-MHAD motions with 1% of the torso's length as noise,
    clips at 24 and 60 FPS differ from the one at 30 by 0.8% and 0.7% of the torso, where interpolation alone gives
    1.1%. Where samples are sparser, or a joint was lost for at most max_gap_s, interpolation is linear. At the ends
    a joint's nearest sample stands in for half of max_gap_s.
    """
    seen = confidence >= min_confidence
    before, after = _neighbours(times_s, seen, at_s)
    has_before, has_after = before >= 0, after < len(times_s)
    before, after = np.where(has_before, before, after), np.where(has_after, after, before)
    found = has_before | has_after
    before, after = np.where(found, before, 0), np.where(found, after, 0)

    joints = np.arange(seen.shape[1])
    from_s, to_s = times_s[before], times_s[after]  # (T, V)
    gap_s = to_s - from_s
    part = np.clip((at_s[:, None] - from_s) / np.where(gap_s > 0, gap_s, 1), 0, 1)
    away_s = np.where(has_before & has_after, 0, np.abs(at_s[:, None] - from_s))
    found &= (gap_s <= max_gap_s + _ROUNDING_S) & (away_s <= max_gap_s / 2 + _ROUNDING_S)

    out_xy = (1 - part)[..., None] * xy[before, joints] + part[..., None] * xy[after, joints]
    out_confidence = (1 - part) * confidence[before, joints] + part * confidence[after, joints]
    dense = found & has_before & has_after & (gap_s < step_s - _ROUNDING_S)
    if dense.any():
        fitted, supported = _fit_lines(times_s, xy, seen, at_s, step_s)
        out_xy = np.where((dense & supported)[..., None], fitted, out_xy)
    out_xy = np.where(found[..., None], out_xy, 0)
    out_confidence = np.where(found, np.clip(out_confidence, 0, 1), 0)
    return out_xy.astype(np.float32), out_confidence.astype(np.float32)


def _neighbours(times_s: Array, seen: NDArray[np.bool_], at_s: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(T, V) places of each joint's last seen sample at or before a time (-1: none) and first at or after (n: none)."""
    count, joints = seen.shape
    places = np.arange(count)[:, None]
    last = np.maximum.accumulate(np.where(seen, places, -1), axis=0)
    following = np.minimum.accumulate(np.where(seen, places, count)[::-1], axis=0)[::-1]
    last = np.vstack([np.full((1, joints), -1), last])
    following = np.vstack([following, np.full((1, joints), count)])
    before = last[np.searchsorted(times_s, at_s + _ROUNDING_S, side="right")]
    after = following[np.searchsorted(times_s, at_s - _ROUNDING_S, side="left")]
    return before, after


def _fit_lines(
    times_s: Array, xy: Array, seen: NDArray[np.bool_], at_s: Array, step_s: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Local lines by least squares under a triangle of one step to either side, at the times asked for.

    Returns (T, V, 2) and (T, V): True where there were samples enough for a line.
    """
    count, joints = seen.shape
    apart_s = times_s - at_s[:, None]  # (T, n)
    weight = np.maximum(1 - np.abs(apart_s) / step_s, 0)
    moment = weight * apart_s / step_s
    mask = seen.astype(np.float64)
    values = np.where(seen[..., None], xy, 0).reshape(count, joints * 2)
    sum_w, sum_wd = weight @ mask, moment @ mask
    sum_wdd = (moment * apart_s / step_s) @ mask
    sum_wx = (weight @ values).reshape(-1, joints, 2)
    sum_wdx = (moment @ values).reshape(-1, joints, 2)
    determinant = sum_w * sum_wdd - sum_wd**2
    supported = determinant > 1e-6 * np.maximum(sum_w, 1e-9) ** 2
    safe = np.where(supported, determinant, 1)[..., None]
    return (sum_wdd[..., None] * sum_wx - sum_wd[..., None] * sum_wdx) / safe, supported
