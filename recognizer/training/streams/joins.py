"""Recordings of one person joined into a timeline: standing, acting, walking off.

Each recording is moved to where the person's hips are. Before and after it the body blends into the person's standing
pose and holds it for a moment; after sitting down it stays seated for a moment. A person who has come too far to the
side or to the camera walks off and is back in the middle after a while; at the end everybody walks off.

Joints: (T, 13, 3) float32 of MPOSE-13 in metres, x right, y down with the floor at 0, z away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13
from recognizer.datasets.sequences import Segment
from recognizer.decision import IDLE
from recognizer.training import augment
from recognizer.training.everyday import SIT_STILL

Array = NDArray[np.float32]

FPS = 30.0
SIT_DOWN, STAND_UP, WALK = "sit_down", "stand_up", "walk"

_HIPS = [MPOSE_13.index("left_hip"), MPOSE_13.index("right_hip")]
_ANKLES = [MPOSE_13.index("left_ankle"), MPOSE_13.index("right_ankle")]
_GROUND = [0, 2]  # x and z
_STANDS_S, _SITS_S, _AWAY_S = (1.0, 2.5), (1.0, 2.0), (1.5, 3.0)
_BLEND_S, _BLEND_SPEED = (0.3, 1.0), 1.5  # a blend takes as long as its widest way at this many metres a second
_SWAY_M = 0.008
_AISLE_M, _NEAREST_M, _FARTHEST_M = 0.9, -1.0, 1.0  # where the hips may be, from the middle of the room
_WALK_OFF_M = (2.6, 1.0, 1.6)  # to the side, at a speed from and to (metres a second)
_STILL_SHARE = 0.12  # of a recording's liveliest motion: before and after it the person stands still
_WALKS_M_S = 0.6  # hips that move faster on the ground carry a walk to the action or from it


@dataclass(frozen=True, slots=True, eq=False)
class ActionRecording:
    """A recording ready to be joined. label: an everyday action or `other:KIND`. first, last: frames of the action."""

    joints: Array
    label: str
    first: int
    last: int


@dataclass(slots=True, eq=False)
class Timeline:
    """Joined frames with their segments, built piece by piece. absent: (from, to) in frames."""

    parts: list[Array] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    absent: list[tuple[int, int]] = field(default_factory=list)
    frames: int = 0

    def add(self, joints: Array, label: str = "", first: int = 0, last: int | None = None) -> None:
        """Append these frames; those from `first` to `last` have the label, if there is one."""
        if label:
            end = len(joints) - 1 if last is None else last
            self.segments.append(Segment((self.frames + first) / FPS, (self.frames + end) / FPS, label))
        self.parts.append(joints)
        self.frames += len(joints)

    @property
    def pose(self) -> Array:
        """The last frame (13, 3)."""
        pose: Array = self.parts[-1][-1]
        return pose


def prepare_recording(joints: Array, fps: float, label: str) -> ActionRecording:
    """A recording at FPS, its floor at 0, and where in it the action is."""
    seconds = (len(joints) - 1) / fps
    at = np.arange(int(seconds * FPS + 1e-6) + 1) * (fps / FPS)
    before = np.minimum(at.astype(np.intp), len(joints) - 2)
    part = (at - before).astype(np.float32)[:, None, None]
    even = joints[before] * (1 - part) + joints[before + 1] * part
    even[..., 1] -= np.percentile(even[:, _ANKLES, 1], 90)
    return ActionRecording(even, label, *_action_span(even, label))


def standing_pose(recordings: Sequence[ActionRecording]) -> Array:
    """The person's standing pose (13, 3), hips over the origin: of the recordings' first frames the most typical one.

    Where all recordings are of standing up, the last frames are taken.
    """
    standing = [r.joints[0] for r in recordings if r.label != STAND_UP] or [r.joints[-1] for r in recordings]
    first = np.stack([_placed_at(pose, _room_centre()) for pose in standing])
    apart = np.linalg.norm(first[:, None] - first[None], axis=-1).mean(axis=-1)
    pose: Array = first[np.median(apart, axis=1).argmin()]
    return pose


def join(
    recordings: Sequence[ActionRecording], walks: Sequence[ActionRecording], standing: Array, rng: np.random.Generator
) -> Timeline:
    """The recordings in this order, in one room. walks: to walk off with; without any the person just disappears."""
    timeline = Timeline()
    entering = True
    for number, recording in enumerate(recordings):
        seated = recording.label == STAND_UP and (entering or recordings[number - 1].label != SIT_DOWN)
        if not entering and (seated or _is_off_centre(timeline.pose)):
            _walk_off(timeline, walks, standing, rng)
            entering = True
        if entering:
            _hold(timeline, recording.joints[0] if seated else _placed_at(standing, _room_centre()), rng, seated=seated)
        _blend(timeline, _translated(recording.joints[:1], _floor_position(timeline.pose))[0])
        timeline.add(
            _translated(recording.joints, _floor_position(timeline.pose)),
            recording.label,
            recording.first,
            recording.last,
        )
        sits = recording.label == SIT_DOWN
        if not sits:
            _blend(timeline, _placed_at(standing, _floor_position(timeline.pose)))
        _hold(timeline, timeline.pose, rng, seated=sits)
        entering = False
    _walk_off(timeline, walks, standing, rng)
    return timeline


def _action_span(joints: Array, label: str) -> tuple[int, int]:
    """First and last frame of the action, without rest and, unless that is the action, without the walk to it."""
    path = joints[:, _HIPS].mean(axis=1)
    walked_m_s = _smooth(np.linalg.norm(np.gradient(path[:, _GROUND], axis=0), axis=-1) * FPS)
    moves = label in (WALK, "run")
    body = joints if moves else joints - path[:, None] * np.array([1, 0, 1], np.float32)
    motion = _smooth(np.linalg.norm(np.gradient(body, axis=0), axis=-1).mean(axis=-1))
    counts = (walked_m_s < _WALKS_M_S) | moves
    frames = np.flatnonzero(counts & (motion >= _STILL_SHARE * motion.max(where=counts, initial=0.0)))
    return (int(frames[0]), int(frames[-1])) if len(frames) > FPS / 3 else (0, len(joints) - 1)


def _smooth(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Means over a fifth of a second."""
    reach = round(0.1 * FPS)
    mean: NDArray[np.floating] = np.convolve(
        np.pad(values, reach, mode="edge"), np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid"
    )
    return mean


def _floor_position(pose: Array) -> Array:
    """Where the hips are on the floor (2,)."""
    place: Array = pose[_HIPS].mean(axis=0)[_GROUND]
    return place


def _room_centre() -> Array:
    return np.zeros(2, np.float32)


def _translated(joints: Array, place: Array) -> Array:
    """The same motion, its first hips over a place on the floor."""
    out = joints.copy()
    out[..., _GROUND] += place - _floor_position(joints[0])
    return out


def _placed_at(pose: Array, place: Array) -> Array:
    moved: Array = _translated(pose[None], place)[0]
    return moved


def _is_off_centre(pose: Array) -> bool:
    x, z = _floor_position(pose)
    return bool(abs(x) > _AISLE_M or not _NEAREST_M < z < _FARTHEST_M)


def _blend(timeline: Timeline, pose: Array) -> None:
    """Append a transition from the last frame to a pose, starting and ending at rest; without a label."""
    low, high = _BLEND_S
    way_m = float(np.linalg.norm(pose - timeline.pose, axis=-1).max())
    steps = round(min(max(way_m / _BLEND_SPEED, low), high) * FPS)
    part = (np.arange(1, steps + 1) / steps)[:, None, None]
    part = part**3 * (10 - 15 * part + 6 * part**2)
    timeline.add((timeline.pose + part * (pose - timeline.pose)).astype(np.float32))


def _hold(timeline: Timeline, pose: Array, rng: np.random.Generator, *, seated: bool) -> None:
    """Append a moment of standing or sitting still."""
    frames = round(rng.uniform(*(_SITS_S if seated else _STANDS_S)) * FPS)
    sway = augment.smooth_noise((1, frames, len(MPOSE_13), 3), rng)[0] * np.float32(_SWAY_M)
    ends = np.minimum(np.arange(frames), np.arange(frames)[::-1]) / (0.3 * FPS)
    still = pose + sway * np.minimum(ends, 1).astype(np.float32)[:, None, None]
    timeline.add(still.astype(np.float32), SIT_STILL if seated else IDLE)


def _walk_off(timeline: Timeline, walks: Sequence[ActionRecording], standing: Array, rng: np.random.Generator) -> None:
    """Append walking off to the nearer side, if standing, and being away for a while."""
    place = _floor_position(timeline.pose)
    if walks and timeline.segments[-1].label == IDLE:
        side = 1.0 if place[0] >= 0 else -1.0
        steps = _turned_sideways(walks[int(rng.integers(len(walks)))].joints, side)
        way_m, slowest, fastest = _WALK_OFF_M
        seconds = len(steps) / FPS
        speed = min(max((way_m - side * float(place[0])) / seconds, slowest), fastest)
        steps[..., 0] += (side * speed / FPS * np.arange(len(steps)))[:, None]
        steps[..., _GROUND] += place
        _blend(timeline, steps[0])
        timeline.add(steps, WALK)
    gone = round(rng.uniform(*_AWAY_S) * FPS)
    timeline.absent.append((timeline.frames, timeline.frames + gone))
    timeline.add(np.repeat(_placed_at(standing, _room_centre())[None], gone, axis=0))


def _turned_sideways(joints: Array, side: float) -> Array:
    """A walk on the spot over the origin, towards one side of the picture."""
    path = joints[:, _HIPS].mean(axis=1)[:, _GROUND]
    way = path[-1] - path[0]
    if np.linalg.norm(way) < 0.5:  # it was on the spot: ahead is where the hips face
        across = joints[0, _HIPS[0]] - joints[0, _HIPS[1]]
        way = np.array([across[2], -across[0]])
    turn = np.arctan2(0.0, side) - np.arctan2(way[1], way[0])
    cos, sin = np.cos(turn), np.sin(turn)
    out = joints.copy()
    x, z = (out[..., _GROUND] - path[:, None]).transpose(2, 0, 1)
    out[..., 0], out[..., 2] = cos * x - sin * z, sin * x + cos * z
    return out
