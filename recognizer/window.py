"""Timed poses to clips at a fixed rate: whatever the camera's rate, the same motion gives the same clip."""

import math

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import Layout, convert
from pose.types import Pose
from recognizer.clips import Clip

Array = NDArray[np.float64]

# From this confidence on a joint counts as seen. Low on purpose: MediaPipe places limbs that the body hides well
# (the far arm of a walker has about 0.2) and the estimator gives 0 outside the picture.
MIN_CONFIDENCE = 0.1
# A joint lost for longer is missing in the clip. 0.3 s is under half a swing of an arm or leg at a run (3 Hz).
MAX_JOINT_GAP_S = 0.3
# Without any pose for longer, what comes next does not continue what was: the window begins again.
MAX_POSE_GAP_S = 0.5
# Poses that follow each other faster than this part of a tick add nothing and are left out: the memory is bounded.
_POSES_PER_TICK = 8
# A joint's curve is straight over longer gaps, where a slope measured beside the gap would carry it away.
_LONGEST_CURVE_S = 0.2
_FINE = 4  # points of the curve in a step
_ROUNDING_S = 1e-6


class PoseWindow:
    """The last poses of one person, of which every tick of the clip's rate makes a clip.

    Ticks are the multiples of 1 / fps on the source's clock, of which every `every`-th makes a clip, so decisions come
    at fps / every a second from any camera, or at one a pose from a slower one. A tick's clip ends at the tick, and is
    due with the first pose at or after it. A clip needs poses over its full span of (frames - 1) / fps seconds; `fill`
    says how much of it there is.
    """

    def __init__(
        self,
        frames: int,
        fps: float,
        layout: Layout,
        *,
        every: int = 1,
        min_confidence: float = MIN_CONFIDENCE,
        max_joint_gap_s: float = MAX_JOINT_GAP_S,
        max_pose_gap_s: float = MAX_POSE_GAP_S,
    ) -> None:
        """frames: poses of a clip, 2 or more. layout: of the clips. The limits are explained at their constants."""
        if frames < 2 or not fps > 0 or every < 1:
            raise ValueError(f"a clip needs 2 frames or more at a rate above 0, not {frames} at {fps}, every {every}")
        self._every = every
        self.frames, self.fps, self.layout = frames, fps, layout
        self._min_confidence = min_confidence
        self._max_joint_gap_s = max_joint_gap_s
        self._max_pose_gap_s = max_pose_gap_s
        self._span_s = (frames - 1) / fps
        # A clip's pose depends on samples up to this far from it: its step, then a gap, then a slope beyond the gap.
        self._settling_s = 1 / fps + 2 * max_joint_gap_s
        kept = math.ceil((self._span_s + self._settling_s + max_pose_gap_s) * fps * _POSES_PER_TICK) + 2
        # Twice the room, so that the poses stay in one piece: when the end is reached they move to the front.
        self._times = np.empty(2 * kept)
        self._xy = np.empty((2 * kept, len(layout), 2))
        self._confidence = np.empty((2 * kept, len(layout)))
        self.clear()

    def clear(self) -> None:
        """Forget all poses."""
        self._first = self._end = 0
        self._tick: float = -math.inf  # number of the last tick that gave a clip
        self._clip_times_s, self._clip_newest_s = np.empty(0), -math.inf
        self._clip_xy = np.empty((0, len(self.layout), 2), np.float32)
        self._clip_confidence = np.empty((0, len(self.layout)), np.float32)

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
            elif since_s < 1 / (self.fps * _POSES_PER_TICK):
                return ()
        self._append(pose)
        tick = math.floor((pose.time_s + _ROUNDING_S) * self.fps / self._every) * self._every
        if tick <= self._tick:
            return ()
        end_s = tick / self.fps
        if self._times[self._first] > end_s - self._span_s + _ROUNDING_S:
            return ()
        return (self._clip(tick, pose.person),)

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
        oldest_s = pose.time_s - self._span_s - self._settling_s - 1 / self.fps
        # The one before the oldest stays: a joint's gap may begin there.
        while self._first + 1 < self._end and self._times[self._first + 1] < oldest_s:
            self._first += 1

    def _clip(self, tick: int, person: int) -> Clip:
        """The clip that ends at a tick. Poses of the last one that nothing can change any more are used again."""
        settled = int(np.count_nonzero(self._clip_times_s <= self._clip_newest_s - self._settling_s))
        again = max(0, settled - int(min(tick - self._tick, self.frames)))
        times_s = (tick - (self.frames - 1) + np.arange(self.frames)) / self.fps
        first = max(self._first, int(np.searchsorted(self._times[: self._end], times_s[again] - self._settling_s)) - 1)
        kept = slice(first, self._end)
        xy, confidence = resample(
            self._times[kept],
            self._xy[kept],
            self._confidence[kept],
            times_s[again:],
            1 / self.fps,
            min_confidence=self._min_confidence,
            max_gap_s=self._max_joint_gap_s,
        )
        if again:
            xy = np.concatenate([self._clip_xy[settled - again : settled], xy])
            confidence = np.concatenate([self._clip_confidence[settled - again : settled], confidence])
        self._tick = tick
        self._clip_times_s, self._clip_newest_s = times_s, float(self._times[self._end - 1])
        self._clip_xy, self._clip_confidence = xy, confidence
        return Clip(xy.copy(), confidence.copy(), self.fps, self.layout, tick / self.fps, person)


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
    """Joints at even times, each from its own confident samples; the same motion at any rate of samples.

    times_s: (n,) increasing; xy: (n, V, 2); confidence: (n, V); at_s: (T,), step_s apart.
    Returns (T, V, 2) and (T, V) float32, 0 where a joint is missing.

    A cubic curve through the samples, which keeps the peaks that chords cut off at 10 FPS, then a line fitted to the
    curve under a triangle of one step to either side, which keeps out noise and motion faster than the steps, as
    fast cameras have. On the motions of UTD-MHAD below 6 Hz with 0.5% of the torso's length as noise, clips at 10,
    15, 24 and 60 FPS differ from the clip at 30 FPS by 0.64, 0.49, 0.43 and 0.36% of the torso; with linear
    interpolation alone by 0.91, 0.66, 0.58 and 0.58%.

    Where a joint was lost for at most max_gap_s it is interpolated; at the ends and beside longer gaps its nearest
    sample stands in for half of that.
    """
    seen = confidence >= min_confidence
    fine_s = at_s[0] + step_s * (np.arange(-_FINE, len(at_s) * _FINE + 1) / _FINE)
    curve, between, held, fine_confidence = _curve(times_s, xy, confidence, seen, fine_s, max_gap_s)
    ticks = slice(_FINE, _FINE * len(at_s) + 1, _FINE)
    fitted, supported = _fit_lines(curve, between)
    out_xy = np.where((between[ticks] & supported)[..., None], fitted, curve[ticks])
    found = between[ticks] | held[ticks]
    out_xy = np.where(found[..., None], out_xy, 0)
    out_confidence = np.where(found, np.clip(fine_confidence[ticks], 0, 1), 0)
    return out_xy.astype(np.float32), out_confidence.astype(np.float32)


def _curve(
    times_s: Array, xy: Array, confidence: Array, seen: NDArray[np.bool_], fine_s: Array, max_gap_s: float
) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_], Array]:
    """Cubic curves through the joints' seen samples: (F, V, 2); where between samples; where held; confidence."""
    before, after = _neighbours(times_s, seen, fine_s)
    has_before, has_after = before >= 0, after < len(times_s)
    joints = np.arange(seen.shape[1])
    start = np.where(has_before, before, np.where(has_after, after, 0))
    end = np.where(has_after, after, start)
    between = has_before & has_after & (times_s[end] - times_s[start] <= max_gap_s + _ROUNDING_S)
    # Beside a gap that is too long the nearest sample stands in, whether or not the joint has come back by now.
    nearest = np.where(fine_s[:, None] - times_s[start] <= times_s[end] - fine_s[:, None], start, end)
    start, end = np.where(between, start, nearest), np.where(between, end, nearest)
    from_s, to_s = times_s[start], times_s[end]  # (F, V)
    gap_s = to_s - from_s
    away_s = np.abs(fine_s[:, None] - from_s)
    held = ~between & (has_before | has_after) & (away_s <= max_gap_s / 2 + _ROUNDING_S)

    part = np.clip((fine_s[:, None] - from_s) / np.where(gap_s > 0, gap_s, 1), 0, 1)
    rest = 1 - part
    slopes = _slopes(times_s, xy, seen, max_gap_s)
    bend_s = np.where(gap_s <= _LONGEST_CURVE_S, gap_s, 0) * part * rest  # cubic Hermite, written as chord + bend
    chord = xy[end, joints] - xy[start, joints]
    pull = bend_s[..., None] * (rest[..., None] * slopes[start, joints] - part[..., None] * slopes[end, joints])
    bow = (bend_s / np.where(gap_s > 0, gap_s, 1) * (part - rest))[..., None] * chord
    curve = xy[start, joints] + part[..., None] * chord + pull + bow
    return curve, between, held, rest * confidence[start, joints] + part * confidence[end, joints]


def _slopes(times_s: Array, xy: Array, seen: NDArray[np.bool_], max_gap_s: float) -> Array:
    """Velocities (n, V, 2) at the seen samples: of the parabola through a joint's neighbouring samples, per second."""
    count = len(times_s)
    places = np.arange(count)[:, None]
    joints = np.arange(seen.shape[1])
    last, following = _runs(seen)
    before, after = last[:-1], following[1:]  # without the sample itself
    back_s = times_s[places] - times_s[np.maximum(before, 0)]
    ahead_s = times_s[np.minimum(after, count - 1)] - times_s[places]
    has_before = (before >= 0) & (back_s <= max_gap_s + _ROUNDING_S)
    has_after = (after < count) & (ahead_s <= max_gap_s + _ROUNDING_S)
    before, after = np.where(has_before, before, places), np.where(has_after, after, places)
    back_s, ahead_s = np.where(has_before, back_s, 0)[..., None], np.where(has_after, ahead_s, 0)[..., None]
    back = (xy - xy[before, joints]) / np.where(back_s > 0, back_s, 1)  # 0 where there is no sample before
    ahead = (xy[after, joints] - xy) / np.where(ahead_s > 0, ahead_s, 1)
    inside = (back * ahead_s + ahead * back_s) / np.maximum(back_s + ahead_s, _ROUNDING_S)
    return np.where((has_before & has_after)[..., None], inside, back + ahead)


def _runs(seen: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(n + 1, V) each: index of a joint's last seen sample among the first k (-1: none), and of its first from k on."""
    count, joints = seen.shape
    places = np.arange(count)[:, None]
    last = np.full((count + 1, joints), -1)
    np.maximum.accumulate(np.where(seen, places, -1), axis=0, out=last[1:])
    following = np.full((count + 1, joints), count)
    following[:-1] = np.minimum.accumulate(np.where(seen, places, count)[::-1], axis=0)[::-1]
    return last, following


def _neighbours(times_s: Array, seen: NDArray[np.bool_], at_s: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(T, V) indices of each joint's last seen sample at or before a time (-1: none), first at or after (n: none)."""
    last, following = _runs(seen)
    before = last[np.searchsorted(times_s, at_s + _ROUNDING_S, side="right")]
    after = following[np.searchsorted(times_s, at_s - _ROUNDING_S, side="left")]
    return before, after


def _fit_lines(xy: Array, seen: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """Local lines by least squares under a triangle of one step to either side of the ticks, _FINE samples apart.

    xy: (F, V, 2), seen: (F, V), from one step before the first tick to one after the last. Returns (T, V, 2) and
    (T, V): True where there were samples enough for a line. The cost grows with F alone: a recording may be of an hour.
    """
    joints = seen.shape[1]
    apart = np.arange(1 - _FINE, _FINE) / _FINE  # steps from the tick
    weight = 1 - np.abs(apart)
    factors = np.stack([weight, weight * apart, weight * apart**2], axis=1)

    def summed(values: Array, factors: Array) -> Array:  # (F, C) and (2 _FINE - 1, K) to (K, T, C)
        around = np.lib.stride_tricks.sliding_window_view(values, len(apart), axis=0)[1:-1:_FINE]  # (T, C, 2 _FINE - 1)
        sums = around.reshape(-1, len(apart)) @ factors
        return np.moveaxis(sums.reshape(*around.shape[:2], -1), -1, 0)

    values = np.where(seen[..., None], xy, 0).reshape(len(xy), joints * 2)
    sum_w, sum_wd, sum_wdd = summed(seen.astype(np.float64), factors)
    sum_wx, sum_wdx = summed(values, factors[:, :2]).reshape(2, -1, joints, 2)
    determinant = sum_w * sum_wdd - sum_wd**2
    supported = determinant > 1e-6 * np.maximum(sum_w, 1e-9) ** 2
    safe = np.where(supported, determinant, 1)[..., None]
    return (sum_wdd[..., None] * sum_wx - sum_wd[..., None] * sum_wdx) / safe, supported
