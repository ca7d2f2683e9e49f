"""Who is who: newcomers, known people who come back, two followers on one body, people who pass each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.blazepose.colours import difference, trunk_colours
from pose.blazepose.covers import on_bones
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
    """Distances are in body sizes where nothing else is said; they were chosen as docs/several-people.md says.

    alone_score: least score of the detector where nobody is known; alone_presence: least mean score of the landmark
    network there. Who is seen well there by both (strong_detection, confirm_score) is named at once.
    confirm_s: how long any other newcomer must be seen; give_up_s: until when they must be certain.
    confirm_score: least mean score of the landmark network; confirm_detection: least score of the detector, and
    confirm_unusual where others are covered, or the trunk is turned by more than `turned` degrees from upright: then
    the landmark network finds bodies in things, too, as in a barbell, a flag, or the hand in a face that fills the
    picture.
    on_bones, bone_reach: part of a newcomer's joints that lie on a known person's bones, and how near that is.
    same_face: a newcomer whose face is so near a known one's, in its size, is a second reading of that one's body, as
    where a face fills the picture and the body below it can only be guessed. Of people behind each other whose faces
    lie nearer only one face is seen.
    strong_detection, strong_score, strong_s: a newcomer seen so well by both networks needs no longer.
    near: how near hips and shoulders of a detection and of somebody followed are, in the larger one's size; same: even
    where the follower has a better detection in the same look.
    hiding: how far people stand from where somebody is looked for whom they may hide, in sides of the region.
    duplicate_tolerance, duplicate_similarity, duplicate_gap: of two followers on one body, as in pose.tracker.
    keep_s: how long somebody lost is remembered. return_gap: how far from the expected place they come back, and
    return_speed: by how much more a second. return_colours: how much their colours may differ then.
    contact_gap: trunks nearer than this may be mistaken for each other. swap_margin: how much better colours must fit
    the other way round; swap_frames: in how many frames.
    """

    alone_score: float = 0.5
    alone_presence: float = 0.8
    confirm_s: float = 0.2
    give_up_s: float = 0.6
    confirm_score: float = 0.9
    confirm_detection: float = 0.5
    confirm_unusual: float = 0.75
    turned: float = 60.0
    on_bones: float = 0.45
    bone_reach: float = 0.05
    same_face: float = 0.3
    strong_detection: float = 0.8
    strong_score: float = 0.97
    strong_s: float = 0.05
    near: float = 0.25
    same: float = 0.1
    hiding: float = 0.4
    duplicate_tolerance: float = 0.06
    duplicate_similarity: float = 0.6
    duplicate_gap: float = 0.06
    keep_s: float = 1.0
    return_gap: float = 0.3
    return_speed: float = 1.0
    return_colours: float = 0.15
    contact_gap: float = 0.35
    swap_margin: float = 0.08
    swap_frames: int = 3


class Identities:
    """Gives followers the identities 0, 1, 2, ..., none of which is used again in one run."""

    def __init__(self, settings: IdentitySettings | None = None) -> None:
        self.settings = settings or IdentitySettings()
        self._next = 0

    def unfollowed(self, detections: list[Detection], followers: list[Follower]) -> list[Detection]:
        """Of the detections of one look those that are nobody's who is seen in this frame.

        Each of the others is one follower's, whose score it raises. A further detection near a follower is somebody
        else's where it lies apart from them: people who walk behind each other are near each other's detections.
        """
        gaps = [
            (gap, place, follower)
            for place, detection in enumerate(detections)
            for follower in followers
            if (gap := _gap(detection, follower)) < self.settings.near
        ]
        owned: dict[int, Follower] = {}
        for _, place, follower in sorted(gaps, key=lambda item: item[0]):
            if place not in owned and follower not in owned.values():
                owned[place] = follower
                follower.score = max(follower.score, detections[place].score)
        same = {place for gap, place, _ in gaps if gap < self.settings.same}
        return [detection for place, detection in enumerate(detections) if place not in owned and place not in same]

    def is_doubtful(self, follower: Follower, followers: list[Follower], time_s: float) -> bool:
        """Whether a newcomer is to be given up: not certain in time, or a second skeleton on somebody known."""
        pose, s = follower.pose, self.settings
        known = [other for other in followers if other is not follower and other.person is not None]
        if follower.person is not None or pose is None:
            return False
        if time_s - follower.since_s > s.give_up_s:
            return True
        if not known:
            return False  # half a body is somebody, too, where nobody else is
        if not follower.has_trunk():
            return True
        seen = [other for other in known if not other.lost]
        faces = [_face_gap(pose, other.pose) for other in seen if other.pose is not None]
        return min(faces, default=math.inf) < s.same_face or self.is_taken(pose, seen)

    def name(self, follower: Follower, followers: list[Follower], time_s: float) -> None:
        """Give a newcomer an identity once it is certain that there is somebody: a lost one's, or a new one.

        The lost follower whose identity it is gets none, and is to be forgotten.
        """
        s = self.settings
        others = [other for other in followers if other is not follower and other.person is not None]
        lost = self._lost_one(follower, [other for other in others if other.lost], time_s)
        if lost is not None and (follower.looks > 1 or len(others) == 1):
            follower.person, lost.person = lost.person, None
            follower.colours = lost.colours
            return
        unusual = follower.behind or (follower.pose is not None and _turned(follower.pose) > s.turned)
        least = s.confirm_unusual if unusual else s.confirm_detection
        sure = follower.mean_score >= (s.confirm_score if others else s.alone_presence) and follower.score >= least
        strong = follower.mean_score >= (s.strong_score if others else s.confirm_score)
        wait_s = s.confirm_s
        if strong and follower.score >= s.strong_detection:
            wait_s = s.strong_s if others else 0.0
        if sure and time_s - follower.since_s >= wait_s:
            follower.person, self._next = self._next, self._next + 1

    def remembers(self, follower: Follower, time_s: float) -> bool:
        """Whether somebody lost is still waited for; a newcomer is not."""
        return not follower.lost or (follower.person is not None and time_s - follower.seen_s <= self.settings.keep_s)

    def may_be(self, lost: Follower, pose: Pose, frame: Frame, hidden_by: Sequence[Follower] = ()) -> bool:
        """Whether a pose is that of somebody lost, by place and colours. hidden_by: who stand in front."""
        colours = trunk_colours(frame.bgr, pose.xy_px, pose.confidence, bodies(hidden_by))
        return self._return_cost(lost, pose, colours, frame.time_s) is not None

    def is_taken(self, pose: Pose, seen: list[Follower]) -> bool:
        """Whether a pose is on the body of somebody who is followed."""
        poses = [follower.pose for follower in seen if follower.pose is not None]
        limit = self.settings.on_bones
        return any(self._are_one(pose, other) or self._on_bones(pose, other) >= limit for other in poses)

    def conflicts(self, followers: list[Follower]) -> list[tuple[Follower, Follower]]:
        """Pairs of followers that are on one body: the one that is not that person, and the one that is."""
        seen = [follower for follower in followers if follower.pose is not None and not follower.lost]
        out: list[tuple[Follower, Follower]] = []
        for place, a in enumerate(seen):
            for b in seen[place + 1 :]:
                assert a.pose is not None
                assert b.pose is not None
                gone = [worse for worse, _ in out]
                if a not in gone and b not in gone and self._are_one(a.pose, b.pose):
                    worse = _worse(a, b, self.settings.return_colours)
                    out.append((worse, b if worse is a else a))
        return out

    def hiding(self, region: Region, seen: list[Follower]) -> list[Follower]:
        """Those who may hide somebody who is looked for in a region."""
        reach = self.settings.hiding * region.side_px
        return [f for f in seen if math.hypot(f.region.x_px - region.x_px, f.region.y_px - region.y_px) < reach]

    def settle(self, followers: list[Follower], time_s: float) -> None:
        """Exchange the identities of two people whose colours have fitted the other way round for some frames.

        Colours are only remembered while nobody is near who could be taken for the person.
        """
        s = self.settings
        seen = [f for f in followers if f.pose is not None and not f.lost and f.person is not None]
        alone = set(seen)
        for place, a in enumerate(seen):
            for b in seen[place + 1 :]:
                assert a.pose is not None
                assert b.pose is not None
                if trunk_gap(a.pose, b.pose) < s.contact_gap:
                    alone -= {a, b}
                self._vote(a, b)
        for a in seen:  # one who went on with the other's body, whose own follower lost it
            for b in followers:
                if b.lost and a.pose is not None and self._return_cost(b, a.pose, a.colours_now, time_s) is not None:
                    self._vote(a, b)
        for follower in alone:
            own, now = follower.colours, follower.colours_now
            if own is None or (now is not None and difference(own, now) < s.return_colours):
                follower.remember_colours()

    def _vote(self, a: Follower, b: Follower) -> None:
        """Whether `b`, seen or lost, is who `a` was taken for."""
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
            a.person, b.person = b.person, a.person
            a.colours, b.colours = b.colours, a.colours
            a.swap_votes.clear()
            b.swap_votes.clear()

    def _lost_one(self, follower: Follower, lost: list[Follower], time_s: float) -> Follower | None:
        if follower.pose is None:
            return None
        costs = [(self._return_cost(o, follower.pose, follower.colours_now, time_s), n) for n, o in enumerate(lost)]
        fitting = [(cost, n) for cost, n in costs if cost is not None]
        return lost[min(fitting)[1]] if fitting else None

    def _return_cost(
        self, lost: Follower, pose: Pose, colours: NDArray[np.float32] | None, time_s: float
    ) -> float | None:
        """How little a pose is that of somebody lost; None where it cannot be."""
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

    def _are_one(self, a: Pose, b: Pose) -> bool:
        s = self.settings
        return similarity(a, b, s.duplicate_tolerance) >= s.duplicate_similarity or trunk_gap(a, b) < s.duplicate_gap

    def _on_bones(self, pose: Pose, other: Pose) -> float:
        """Part of the joints of a pose that lie on the bones of another one."""
        size = max(body_size_px(other.xy_px, other.confidence), 1.0)
        return on_bones(pose.xy_px[_MAIN], other.xy_px, self.settings.bone_reach * size)


def _gap(detection: Detection, follower: Follower) -> float:
    """The larger distance of hips and of shoulders, in sizes of the larger one; infinite from who is not seen."""
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


def _worse(a: Follower, b: Follower, unlike: float) -> Follower:
    """Of two followers on one body the one that is not that person. unlike: colours that differ more are another's."""
    if a.person is None or b.person is None:
        newer, older = (a, b) if a.person is None and (b.person is not None or a.since_s >= b.since_s) else (b, a)
        own, now = older.colours, older.colours_now
        drawn = own is not None and now is not None and difference(own, now) > unlike
        return older if drawn else newer
    if a.colours is not None and b.colours is not None and a.colours_now is not None and b.colours_now is not None:
        return a if difference(a.colours, a.colours_now) > difference(b.colours, b.colours_now) else b
    return a if a.since_s > b.since_s else b
