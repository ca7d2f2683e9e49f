"""Who is who, by itself: who on one body is drawn there, who is named, and whose pose it is that is found."""

import math

import numpy as np
import pytest
from world import upright

from pose.blazepose.follower import Follower
from pose.blazepose.identities import Identities
from pose.blazepose.region import Region
from pose.skeleton import MEDIAPIPE_33
from pose.types import Frame, Pose


@pytest.mark.parametrize(("colour", "drawn"), [(0.2, "newcomer"), (0.9, "known")])
def test_on_one_body_a_known_person_in_other_colours_is_the_one_who_was_drawn_there(colour, drawn):
    pose = Pose((300 + 150 * upright()).astype(np.float32), np.ones(33, np.float32), MEDIAPIPE_33, 1.0)
    people = {}
    for name, person in (("known", 0), ("newcomer", None)):
        people[name] = Follower(Region(300, 300, 300), 0.9, 0.0)
        people[name].pose, people[name].person = pose, person
        people[name].colours_now = np.full((5, 3), colour, np.float32)
    people["known"].colours = np.full((5, 3), 0.2, np.float32)
    ((worse, better),) = Identities().conflicts(list(people.values()))
    assert worse is people[drawn]
    assert better is not worse


@pytest.mark.parametrize(("covered", "score", "named"), [(True, 0.53, False), (True, 0.8, True), (False, 0.53, True)])
def test_a_body_found_behind_a_cover_needs_a_surer_detection(covered, score, named):
    """A barbell behind a covered person has a presence above 0.9 and a detection of 0.53 (clean_and_jerk.mp4)."""
    known, newcomer = Follower(Region(300, 300, 300), 0.9, 0.0), Follower(Region(500, 300, 300), score, 0.0)
    known.person = 0
    newcomer.mean_score = newcomer.mirror_score = 0.95
    newcomer.occluders = [known] if covered else []
    Identities().identify(newcomer, [known, newcomer], 0.3)
    assert (newcomer.person is not None) is named


def standing(score, presence, joints=None, person=None):
    """Somebody at a place (33, 2) px, first seen at 0 s."""
    made = Follower(Region(300, 300, 300), score, 0.0)
    xy = np.zeros((33, 2), np.float32) if joints is None else joints.astype(np.float32)
    made.pose, made.person = Pose(xy, np.ones(33, np.float32), MEDIAPIPE_33, 0.3), person
    made.mean_score = made.mirror_score = presence
    return made


@pytest.mark.parametrize(
    ("turn", "score", "named"), [(-95, 0.52, False), (160, 0.53, False), (-95, 0.8, True), (40, 0.53, True)]
)
def test_a_newcomer_who_lies_or_is_upside_down_needs_a_surer_detection(turn, score, named):
    """A flag behind a lifter (clean_and_jerk.mp4) and a hand before a face (makeup.avi) had .52 and .53."""
    angle = math.radians(turn)
    turned = upright() @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    known = standing(0.9, 1.0, 100 + 100 * upright(), person=0)
    newcomer = standing(score, 0.95, 600 + 100 * turned)
    Identities().identify(newcomer, [known, newcomer], 0.3)
    assert (newcomer.person is not None) is named


@pytest.mark.parametrize(("gap", "doubtful"), [(0.1, True), (0.2, True), (0.5, False)])
@pytest.mark.parametrize("tall", [220, 60])
def test_a_newcomer_with_the_face_of_somebody_known_is_nobody(gap, tall, doubtful):
    """Of a face that fills the picture the network draws bodies of other sizes: in makeup.avi 1.4 times smaller."""
    known, newcomer = 300 + 300 * upright(), 300 + tall * upright()
    face = 40 * np.random.default_rng(3).uniform(0, 1, (11, 2))
    known[:11] = face
    newcomer[:11] = face + np.array([gap * np.ptp(face, axis=0).max(), 0])
    newcomer[11:] -= np.array([200, 0])  # so that they share nothing else
    followers = [standing(0.9, 1.0, known.astype(np.float32), person=0), standing(0.6, 0.95, newcomer)]
    assert Identities().is_doubtful(followers[1], followers, 0.1) is doubtful


@pytest.mark.parametrize(
    ("score", "presence", "at_once", "later"),
    [(0.95, 0.99, True, True), (0.68, 0.99, False, True), (0.7, 0.6, False, False), (0.45, 0.99, False, False)],
)
def test_where_nobody_is_known_only_who_is_seen_well_is_named_at_once(score, presence, at_once, later):
    """A coat stand, a chair with a cloth on it and a fan were somebody for a frame or two."""
    for time_s, named in ((0.0, at_once), (0.25, later)):
        newcomer = standing(score, presence, 300 + 150 * upright())
        Identities().identify(newcomer, [newcomer], time_s)
        assert (newcomer.person is not None) is named


@pytest.mark.parametrize(
    ("known", "mirror", "named"),
    [(True, 0.7, True), (True, 0.5, False), (True, None, False), (False, 0.9, True), (False, 0.7, False)],
)
def test_a_thing_that_is_a_body_on_one_side_of_the_mirror_is_nobody(known, mirror, named):
    """Chairs, plants and posters are; people are people in the mirror image, too."""
    newcomer = standing(0.7, 0.99, 300 + 100 * upright())
    newcomer.mirror_score = mirror
    followers = [newcomer, *([standing(0.9, 1.0, 600 + 100 * upright(), person=0)] if known else [])]
    identities = Identities()
    assert identities.needs_mirror_check(newcomer, followers, 0.3) is (mirror is None)
    identities.identify(newcomer, followers, 0.3)
    assert (newcomer.person is not None) is named


def test_whoever_stands_alone_and_is_seen_well_needs_no_mirror():
    newcomer, lying = standing(0.9, 0.99, 300 + 100 * upright()), standing(0.9, 0.99, 300 + 100 * upright()[:, ::-1])
    newcomer.mirror_score = lying.mirror_score = None
    for somebody, named in ((newcomer, True), (lying, False)):
        identities = Identities()
        assert identities.needs_mirror_check(somebody, [somebody], 0.0) is not named
        identities.identify(somebody, [somebody], 0.0)
        assert (somebody.person is not None) is named


def test_who_is_not_certain_in_time_makes_room_also_where_nobody_is_known():
    newcomer = standing(0.7, 0.6, 300 + 150 * upright())
    assert not Identities().is_doubtful(newcomer, [newcomer], 0.5)
    assert Identities().is_doubtful(newcomer, [newcomer], 0.7)


@pytest.mark.parametrize(("front_now", "drawn"), [(0.9, "hidden"), (0.2, "front")])
def test_on_one_body_who_stands_behind_the_other_was_drawn_there_unless_the_colours_say_no(front_now, drawn):
    """The trunk of who stands behind is covered, so that nobody knows its colours; the one in front may be newer."""
    hidden, front = (standing(0.9, 1.0, 300 + 150 * upright(), person=person) for person in (0, 1))
    hidden.occluders, front.since_s = [front], 1.0
    hidden.colours, front.colours = colour(0.2), colour(0.9)
    front.colours_now = colour(front_now)
    ((worse, _),) = Identities().conflicts([hidden, front])
    assert worse is {"hidden": hidden, "front": front}[drawn]


def colour(value):
    """A trunk of one grey."""
    return np.full((5, 3), value, np.float32)


@pytest.mark.parametrize(
    ("found", "other_now", "whose"),
    [
        (0.52, 0.30, "lost"),  # in the colours of the lost one
        (0.31, 0.50, "other"),  # in those of one whose follower went on with a body in other colours
        (0.31, 0.30, None),  # in those of one who is seen in their own colours: nobody's
        (0.31, None, None),
        (0.40, 0.50, "lost"),  # between both
        (0.80, 0.30, None),  # in nobody's
    ],
)
def test_a_pose_where_somebody_lost_is_expected_is_theirs_by_its_colours(found, other_now, whose):
    """Of three people who pass each other one was found where another one, in not much different clothes, was lost."""
    lost, other = (
        standing(0.9, 1.0, 300 + 150 * upright(), person=1),
        standing(0.9, 1.0, 360 + 150 * upright(), person=0),
    )
    lost.lost = True
    lost.colours, other.colours = colour(0.5), colour(0.3)
    other.colours_now = None if other_now is None else colour(other_now)
    frame = Frame(np.full((600, 600, 3), round(255 * found), np.uint8), 0.4, 0.0, 10)
    pose = Pose((300 + 150 * upright()).astype(np.float32), np.ones(33, np.float32), MEDIAPIPE_33, 0.4)
    assert Identities().owner_of(lost, pose, frame, [other]) is {"lost": lost, "other": other, None: None}[whose]
