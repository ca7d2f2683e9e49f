"""Identities: newcomers, known people who return, two followers on one body, people who pass each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.blazepose.colours import difference, trunk_colours
from pose.blazepose.covers import share_on_bones
from pose.blazepose.detector import Detection
from pose.blazepose.follower import Follower, bodies
from pose.blazepose.region import Region
from pose.one_euro import body_size_px
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from pose.tracker import similarity, trunk_gap
from pose.types import Frame, Pose

_FACE = slice(MEDIAPIPE_33.index("nose"), MEDIAPIPE_33.index("right_mouth") + 1)
_MAIN = np.array([i for i, joint in enumerate(MEDIAPIPE_33.joints) if joint in ("nose", *MPOSE_13.joints)])


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Distances are in body sizes where nothing else is said; they were chosen as docs/several-people.md says."""

    # Newcomers. A detection is the best score of the detector so far, a presence the mean score of the landmark
    # network, and a mirror its score in the mirror image, which is looked at once, before a newcomer gets an identity:
    # in things the network often sees a body on one side only.
    alone_score: float = 0.5  # least detection of anybody who is looked at where nobody is followed
    alone_presence: float = 0.8  # least presence where nobody is known
    alone_mirror: float = 0.8  # least mirror there
    confirm_detection: float = 0.5
    confirm_score: float = 0.9  # least presence beside known people
    confirm_mirror: float = 0.6  # least mirror there
    confirm_s: float = 0.2  # so long a newcomer must be seen before they get an identity
    give_up_s: float = 0.6  # who is not certain by then is nobody
    # Who is seen so well needs less time; where nobody is known, none, and no mirror.
    strong_detection: float = 0.8
    strong_score: float = 0.97
    strong_s: float = 0.05
    # Behind a cover, and where the trunk is turned so far from upright (degrees), the landmark network finds bodies in
    # things, too: in a barbell, a flag, or the hand in a face that fills the picture.
    confirm_unusual: float = 0.75  # least detection there
    turned: float = 60.0
    # A second skeleton on a known person: so many of its joints lie so near the other's bones; or its face is so near
    # the other's, in sizes of a face, as where a face fills the picture and the body below it can only be guessed. (Of
    # people behind each other whose faces lie nearer only one face is seen.)
    on_bones: float = 0.45
    bone_reach: float = 0.05
    same_face: float = 0.3

    # Detections of people who are followed: how near hips and shoulders are, in the larger one's size; and how near
    # even where the follower has a better detection in the same look.
    near: float = 0.25
    same: float = 0.1
    hiding: float = 0.4  # how near those stand who may hide somebody, in sides of the region where they are looked for
    # Two followers on one body, as in pose.tracker.
    duplicate_tolerance: float = 0.06
    duplicate_similarity: float = 0.6
    duplicate_gap: float = 0.06

    # Somebody lost is remembered for so long, and comes back so near the expected place, by so much farther a second,
    # in colours that differ by so much at most.
    keep_s: float = 1.0
    return_gap: float = 0.3
    return_speed: float = 1.0
    return_colours: float = 0.15

    # People who pass each other: trunks nearer than this may be mistaken for each other; identities are exchanged where
    # the colours fit so much better the other way round in so many frames.
    contact_gap: float = 0.35
    swap_margin: float = 0.08
    swap_frames: int = 3


class Identities:
    """Gives followers the identities 0, 1, 2, ..., none of which is used again in one run."""

    def __init__(self, settings: IdentitySettings | None = None) -> None:
        self.settings = settings or IdentitySettings()
        self._next = 0

    def unfollowed(self, detections: list[Detection], followers: list[Follower]) -> list[Detection]:
        """The detections of one search that belong to nobody who is seen in this frame.

        Every other detection belongs to one follower, whose score it raises. A second detection near a follower is
        another person if it lies apart from them: people who walk behind each other have detections close together.
        """
        gaps = [
            (gap, index, follower)
            for index, detection in enumerate(detections)
            for follower in followers
            if (gap := _gap(detection, follower)) < self.settings.near
        ]
        owned: dict[int, Follower] = {}
        for _, index, follower in sorted(gaps, key=lambda item: item[0]):
            if index not in owned and follower not in owned.values():
                owned[index] = follower
                follower.score = max(follower.score, detections[index].score)
        same = {index for gap, index, _ in gaps if gap < self.settings.same}
        return [detection for index, detection in enumerate(detections) if index not in owned and index not in same]

    def is_doubtful(self, follower: Follower, followers: list[Follower], time_s: float) -> bool:
        """Whether to give a newcomer up: not confirmed in time, or a second skeleton on a known person."""
        pose, s, known = follower.pose, self.settings, _known(followers, follower)
        if follower.person is not None or pose is None:
            return False
        if time_s - follower.since_s > s.give_up_s:
            return True
        if not known:
            return False  # with nobody else there, half a body counts as a person, too
        if not follower.has_trunk():
            return True
        seen = [other for other in known if not other.lost]
        faces = [_face_gap(pose, other.pose) for other in seen if other.pose is not None]
        return min(faces, default=math.inf) < s.same_face or self.is_taken(pose, seen)

    def identify(self, follower: Follower, followers: list[Follower], time_s: float) -> None:
        """Give a confirmed newcomer an identity: that of a lost follower, or a new one.

        The lost follower loses its identity and is then dropped.
        """
        lost = self._matching_lost(follower, followers, time_s)
        if lost is not None:
            follower.person, lost.person = lost.person, None
            follower.colours = lost.colours
        elif self._is_certain(follower, followers, time_s) and not self._fails_mirror(follower, followers):
            follower.person, self._next = self._next, self._next + 1

    def needs_mirror_check(self, newcomer: Follower, followers: list[Follower], time_s: float) -> bool:
        """Whether only the mirror check is missing before a newcomer gets a new identity."""
        return (
            newcomer.mirror_score is None
            and self._matching_lost(newcomer, followers, time_s) is None
            and self._is_certain(newcomer, followers, time_s)
            and self._fails_mirror(newcomer, followers)
        )

    def _is_certain(self, newcomer: Follower, followers: list[Follower], time_s: float) -> bool:
        """Whether a newcomer has been seen clearly enough and for long enough to be a person."""
        s, seen_s, alone = self.settings, time_s - newcomer.since_s, not _known(followers, newcomer)
        if newcomer.score < (s.confirm_unusual if self._is_unusual(newcomer) else s.confirm_detection):
            return False
        strong = newcomer.mean_score >= (s.confirm_score if alone else s.strong_score)
        if strong and newcomer.score >= s.strong_detection:
            return alone or seen_s >= s.strong_s
        return newcomer.mean_score >= (s.alone_presence if alone else s.confirm_score) and seen_s >= s.confirm_s

    def _is_unusual(self, newcomer: Follower) -> bool:
        return bool(newcomer.occluders) or (newcomer.pose is not None and _turned(newcomer.pose) > self.settings.turned)

    def _fails_mirror(self, newcomer: Follower, followers: list[Follower]) -> bool:
        """Whether a mirror check is needed and has failed or not been done."""
        s, alone = self.settings, not _known(followers, newcomer)
        if alone and newcomer.score >= s.strong_detection and not self._is_unusual(newcomer):
            return False
        least = s.alone_mirror if alone else s.confirm_mirror
        return newcomer.mirror_score is None or newcomer.mirror_score < least

    def remembers(self, follower: Follower, time_s: float) -> bool:
        """Whether to keep a follower: it is seen, or was lost recently and has an identity."""
        return not follower.lost or (follower.person is not None and time_s - follower.seen_s <= self.settings.keep_s)

    def owner_of(
        self, lost: Follower, pose: Pose, frame: Frame, seen: list[Follower], hidden_by: Sequence[Follower] = ()
    ) -> Follower | None:
        """Who the pose found at a lost follower's expected place belongs to: the lost follower, or a seen one that has
        drifted onto another body; None if neither. hidden_by: the people in front.
        """
        s, colours = self.settings, trunk_colours(frame.bgr, pose.xy_px, pose.confidence, bodies(hidden_by))
        if colours is not None and lost.colours is not None:
            limit = difference(colours, lost.colours) - s.swap_margin
            others = [
                (difference(colours, f.colours), f) for f in seen if f.person is not None and f.colours is not None
            ]
            unlike, other = min(others, key=lambda item: item[0], default=(math.inf, lost))
            if unlike < limit:
                return other if unlike + s.swap_margin < _colour_change(other) else None
        return lost if self._return_cost(lost, pose, colours, frame.time_s) is not None else None

    def is_taken(self, pose: Pose, seen: list[Follower]) -> bool:
        """Whether a pose lies on the body of a follower."""
        poses = [follower.pose for follower in seen if follower.pose is not None]
        limit = self.settings.on_bones
        return any(self._is_same_body(pose, other) or self._on_bones(pose, other) >= limit for other in poses)

    def conflicts(self, followers: list[Follower]) -> list[tuple[Follower, Follower]]:
        """Pairs of followers on the same body: the one that is wrong there, then the one that is right."""
        seen = [follower for follower in followers if follower.pose is not None and not follower.lost]
        out: list[tuple[Follower, Follower]] = []
        for index, a in enumerate(seen):
            for b in seen[index + 1 :]:
                assert a.pose is not None
                assert b.pose is not None
                gone = [worse for worse, _ in out]
                if a not in gone and b not in gone and self._is_same_body(a.pose, b.pose):
                    worse = _less_likely(a, b, self.settings.return_colours)
                    out.append((worse, b if worse is a else a))
        return out

    def occluders_of(self, region: Region, seen: list[Follower]) -> list[Follower]:
        """The people who may occlude a person in a region."""
        reach = self.settings.hiding * region.side_px
        return [f for f in seen if math.hypot(f.region.x_px - region.x_px, f.region.y_px - region.y_px) < reach]

    def exchange_swapped(self, followers: list[Follower], time_s: float) -> None:
        """Exchange the identities of two people whose colours have matched better swapped for several frames.

        Colours are only learned while nobody else is near.
        """
        s = self.settings
        seen = [f for f in followers if f.pose is not None and not f.lost and f.person is not None]
        alone = set(seen)
        for index, a in enumerate(seen):
            for b in seen[index + 1 :]:
                assert a.pose is not None
                assert b.pose is not None
                if trunk_gap(a.pose, b.pose) < s.contact_gap:
                    alone -= {a, b}
                self._vote(a, b)
        for a in seen:  # may have drifted onto the body that lost follower b had
            for b in followers:
                if b.lost and a.pose is not None and self._return_cost(b, a.pose, a.colours_now, time_s) is not None:
                    self._vote(a, b)
        for follower in alone:
            own, now = follower.colours, follower.colours_now
            if own is None or (now is not None and difference(own, now) < s.return_colours):
                follower.remember_colours()

    def _vote(self, a: Follower, b: Follower) -> None:
        """Vote by colours on whether `a` and `b` (seen or lost) are swapped; exchange them after enough votes."""
        if a.colours is None or b.colours is None or a.colours_now is None or b.person is None:
            return
        kept, swapped = difference(a.colours_now, a.colours), difference(a.colours_now, b.colours)
        if not b.lost:
            if b.colours_now is None:
                return
            kept += difference(b.colours_now, b.colours)
            swapped += difference(b.colours_now, a.colours)
        votes = a.swap_votes.get(b.person, 0) + 1 if swapped + self.settings.swap_margin < kept else 0
        a.swap_votes[b.person] = votes
        if votes >= self.settings.swap_frames:
            exchange(a, b)

    def _matching_lost(self, follower: Follower, followers: list[Follower], time_s: float) -> Follower | None:
        """The lost follower that a newcomer matches best; beside others only from the second frame on."""
        known = _known(followers, follower)
        if follower.pose is None or (follower.looks < 2 and len(known) > 1):
            return None
        lost = [other for other in known if other.lost]
        costs = [(self._return_cost(o, follower.pose, follower.colours_now, time_s), n) for n, o in enumerate(lost)]
        fitting = [(cost, n) for cost, n in costs if cost is not None]
        return lost[min(fitting)[1]] if fitting else None

    def _return_cost(
        self, lost: Follower, pose: Pose, colours: NDArray[np.float32] | None, time_s: float
    ) -> float | None:
        """The cost of matching a pose to a lost follower; None if it cannot be that person."""
        s = self.settings
        size = max(body_size_px(pose.xy_px, pose.confidence), 1.0)
        hips, _ = _trunk_middles(pose)
        places = [lost.expected(time_s, coasting=coasting) for coasting in (True, False)]
        gap = min(float(np.hypot(hips[0] - place.x_px, hips[1] - place.y_px)) for place in places) / size
        if gap > s.return_gap + s.return_speed * (time_s - lost.seen_s):
            return None
        if lost.colours is None or colours is None:
            return gap
        unlike = difference(lost.colours, colours)
        return None if unlike > s.return_colours else gap + unlike / s.return_colours

    def _is_same_body(self, a: Pose, b: Pose) -> bool:
        s = self.settings
        return similarity(a, b, s.duplicate_tolerance) >= s.duplicate_similarity or trunk_gap(a, b) < s.duplicate_gap

    def _on_bones(self, pose: Pose, other: Pose) -> float:
        """Share of the joints of a pose that lie on the bones of another one."""
        size = max(body_size_px(other.xy_px, other.confidence), 1.0)
        return share_on_bones(pose.xy_px[_MAIN], other.xy_px, self.settings.bone_reach * size)


def exchange(a: Follower, b: Follower) -> None:
    """Swap the identities and colours of two followers."""
    a.person, b.person = b.person, a.person
    a.colours, b.colours = b.colours, a.colours
    a.swap_votes.clear()
    b.swap_votes.clear()


def _colour_change(follower: Follower) -> float:
    """How far the colours in this frame differ from the learned ones; 0 where either is unknown."""
    own, now = follower.colours, follower.colours_now
    return 0.0 if own is None or now is None else difference(own, now)


def _known(followers: list[Follower], newcomer: Follower) -> list[Follower]:
    """The other followers that have an identity."""
    return [other for other in followers if other is not newcomer and other.person is not None]


def _gap(detection: Detection, follower: Follower) -> float:
    """The larger distance of hips and of shoulders, in sizes of the larger one; infinite if not seen."""
    if follower.pose is None or follower.lost:
        return math.inf
    hips, shoulders = _trunk_middles(follower.pose)
    size = max(detection.size_px, follower.region.side_px / 1.25)
    gaps = np.linalg.norm(hips - detection.hips_px), np.linalg.norm(shoulders - detection.shoulders_px)
    return float(max(gaps)) / size


def _trunk_middles(pose: Pose) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of the hips and of the shoulders, in pixels."""
    hips, shoulders = (
        pose.xy_px[[MEDIAPIPE_33.index(f"{side}_{part}") for side in ("left", "right")]].mean(axis=0)
        for part in ("hip", "shoulder")
    )
    return hips, shoulders


def _face_gap(a: Pose, b: Pose) -> float:
    """Mean distance of the points of two faces, in the width or height of the larger one."""
    one, other = a.xy_px[_FACE], b.xy_px[_FACE]
    size = max(float(np.ptp(face, axis=0).max()) for face in (one, other))
    return float(np.linalg.norm(one - other, axis=-1).mean()) / max(size, 1.0)


def _turned(pose: Pose) -> float:
    """Degrees, 0 to 180, from an upright trunk; 180 is upside down."""
    hips, shoulders = _trunk_middles(pose)
    across, down = hips - shoulders
    return abs(math.degrees(math.atan2(across, down)))


def _less_likely(a: Follower, b: Follower, unlike: float) -> Follower:
    """Which of two followers on one body is wrong there. unlike: a larger colour difference means another person."""
    if a.person is None or b.person is None:
        newer, older = (a, b) if a.person is None and (b.person is not None or a.since_s >= b.since_s) else (b, a)
        return older if _colour_change(older) > unlike else newer
    if a.colours is not None and b.colours is not None and a.colours_now is not None and b.colours_now is not None:
        return a if difference(a.colours, a.colours_now) > difference(b.colours, b.colours_now) else b
    for hidden, front in ((a, b), (b, a)):
        if front in hidden.occluders:  # the trunk is covered, so its colours are unreliable
            return front if _colour_change(front) > unlike else hidden
    return a if a.since_s > b.since_s else b
