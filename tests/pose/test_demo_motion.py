"""The demo's script and motion: whole, continuous, with rigid bones and feet that stand still."""

import itertools

import numpy as np
import pytest

from pose.demo.body import BONES, Proportions, pose_body, two_bones
from pose.demo.look import draw_look
from pose.demo.posture import STANDING, change, keyed, mix
from pose.demo.script import BLEND_S, Script

RATE = 60.0
ACTIONS = {
    "idle",
    "walk",
    "run",
    "sit_down",
    "stand_up",
    "pick_up",
    "wave",
    "clap",
    "throw",
    "punch",
    "kick",
    "squat",
    "jumping_jacks",
}
RIGID = (
    ("head", "neck"),
    ("pelvis", "waist"),
    ("left_hip", "right_hip"),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
    ),
)


@pytest.fixture(scope="module")
def script():
    return Script()


@pytest.fixture(scope="module")
def times(script):
    # A little more than a loop: the seam between two loops must hold too.
    return np.arange(0, script.duration_s + 1, 1 / RATE)


@pytest.fixture(scope="module")
def tracks(script, times):
    """Joint name to (T, 3) metres, for the standard body."""
    skeletons = [pose_body(script.posture(time_s), Proportions()).joints for time_s in times]
    return {name: np.stack([joints[name] for joints in skeletons]) for name in skeletons[0]}


def test_segments_cover_the_loop_without_gaps(script):
    assert script.segments[0].start_s == 0
    assert script.segments[-1].end_s == script.duration_s
    for one, following in itertools.pairwise(script.segments):
        assert one.end_s == following.start_s
        assert one.action != following.action
    assert all(segment.end_s - segment.start_s > 2 * BLEND_S for segment in script.segments)


def test_script_is_everyday_actions_with_pauses(script):
    assert {segment.action for segment in script.segments} == ACTIONS
    assert 60 <= script.duration_s <= 75
    for one, following in itertools.pairwise(script.segments):
        assert "idle" in (one.action, following.action)


def test_segment_is_found_at_its_borders_and_in_later_loops(script):
    for segment in script.segments:
        assert script.segment(segment.start_s) is segment
        assert script.segment(segment.end_s - 1e-3) is segment
        assert script.segment(segment.start_s + 0.01 + 3 * script.duration_s) is segment


def test_bones_are_rigid(tracks):
    for a, b in RIGID:
        lengths = np.linalg.norm(tracks[a] - tracks[b], axis=1)
        assert np.ptp(lengths) < 1e-6, (a, b)


def test_limbs_have_the_lengths_of_the_body(script):
    size = draw_look(4).body
    joints = pose_body(script.posture(3.0), size).joints
    assert np.linalg.norm(joints["left_knee"] - joints["left_hip"]) == pytest.approx(size.thigh)
    assert np.linalg.norm(joints["right_wrist"] - joints["right_elbow"]) == pytest.approx(size.forearm)
    assert np.linalg.norm(joints["left_hip"] - joints["right_hip"]) == pytest.approx(size.hips)


def test_every_bone_axis_is_a_rotation(script):
    for time_s in np.arange(0, script.duration_s, 0.37):
        turns = pose_body(script.posture(time_s), Proportions()).turns
        assert turns.shape == (len(BONES), 3, 3)
        np.testing.assert_allclose(turns @ turns.transpose(0, 2, 1), np.broadcast_to(np.eye(3), turns.shape), atol=1e-9)
        np.testing.assert_allclose(np.linalg.det(turns), 1.0, atol=1e-9)


def test_motion_is_as_fast_as_people_and_has_no_jumps(tracks):
    for name, track in tracks.items():
        speed = np.linalg.norm(np.diff(track, axis=0), axis=1) * RATE
        jolt = np.linalg.norm(np.diff(track, n=2, axis=0), axis=1) * RATE**2
        assert speed.max() < 9.0, name  # m/s; a thrower's hand on video
        # A jump of one centimetre between two frames would be 36 m/s2 on top of the motion, 10 cm 360.
        assert jolt.max() < 300.0, name


def test_the_person_moves_in_every_action_and_rests_in_between(script, tracks, times):
    joints = np.stack(list(tracks.values()), axis=1)
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=2).max(axis=1) * RATE
    for segment in script.segments:
        inside = (times[:-1] > segment.start_s + BLEND_S) & (times[:-1] < segment.end_s - 0.1)
        if segment.action == "idle":
            assert speed[inside].max() < 0.6, segment
        else:
            assert np.percentile(speed[inside], 75) > 0.5, segment


def test_feet_stand_on_the_floor_and_one_is_still_in_walking(script, tracks, times):
    ankle = Proportions().ankle
    feet = [tracks["left_ankle"], tracks["right_ankle"]]
    assert min(foot[:, 1].min() for foot in feet) > ankle - 0.03
    sliding = np.stack([np.linalg.norm(np.diff(foot[:, [0, 2]], axis=0), axis=1) * RATE for foot in feet]).min(axis=0)
    for segment in script.segments:
        inside = (times[:-1] >= segment.start_s + BLEND_S) & (times[:-1] < segment.end_s)
        if segment.action == "walk":
            assert np.percentile(sliding[inside], 90) < 0.15
            assert sliding[inside].max() < 0.6


def test_walking_crosses_the_room(script, tracks, times):
    for segment in script.segments:
        if segment.action == "walk":
            inside = (times >= segment.start_s) & (times < segment.end_s)
            assert np.ptp(tracks["pelvis"][inside, 0]) > 1.5


def test_standing_is_upright_and_left_is_left():
    joints = pose_body(STANDING, Proportions()).joints
    assert joints["head"][1] > joints["neck"][1] > joints["pelvis"][1] > joints["left_knee"][1]
    assert joints["left_shoulder"][0] > 0 > joints["right_shoulder"][0]
    assert joints["head"][1] - joints["left_ankle"][1] == pytest.approx(1.5, abs=0.08)


def test_two_bones_reach_what_is_in_reach_and_no_farther():
    root, towards = np.zeros(3), np.array([0.0, 0.0, 1.0])
    near = np.array([0.3, -0.5, 0.1])
    _, end = two_bones(root, near, towards, 0.42, 0.41)
    np.testing.assert_allclose(end, near, atol=1e-9)
    middle, end = two_bones(root, 5 * near, towards, 0.42, 0.41)
    assert np.linalg.norm(middle) == pytest.approx(0.42)
    assert np.linalg.norm(end - middle) == pytest.approx(0.41)
    assert middle[2] > 0.05


def test_keys_are_passed_and_held():
    up = change(STANDING, pelvis=(0, 0.3, 0))
    keys = ((0.0, STANDING), (0.5, up), (1.5, STANDING))
    for time_s, expected in ((-1.0, STANDING), (0.0, STANDING), (0.5, up), (1.5, STANDING), (9.0, STANDING)):
        np.testing.assert_allclose(keyed(time_s, keys).pelvis, expected.pelvis, atol=1e-12)
    assert 0.05 < keyed(0.25, keys).pelvis[1] < 0.29


def test_mix_and_change_keep_shapes():
    half = mix((STANDING, change(STANDING, curl=(1, 1))), (0.5, 0.5))
    np.testing.assert_allclose(half.curl, STANDING.curl / 2 + 0.5)
    with pytest.raises(ValueError, match="curl must have shape"):
        change(STANDING, curl=(1, 1, 1))


def test_joints_are_the_same_without_their_bones():
    script = Script()
    for time_s in np.linspace(0, script.duration_s, 40):
        posture = script.posture(float(time_s))
        whole, alone = pose_body(posture, Proportions()), pose_body(posture, Proportions(), bones=False)
        assert whole.joints.keys() == alone.joints.keys()
        assert all(np.array_equal(whole.joints[name], alone.joints[name]) for name in whole.joints)
        assert len(alone.turns) == 0 < len(whole.turns)
