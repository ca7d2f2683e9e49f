"""Takes made with the record bar's defaults teach what was done in them, without a segment touched by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from demo_poses import LOOP_S, play, record, segment, watch

from app.library.catalogue import Library
from app.library.rows import NewSegment
from app.recording.folder import read_recording
from pose.demo.source import DemoSource
from recognizer.teaching.examples import NOTHING
from recognizer.teaching.request import QUICK, TeachingRequest
from recognizer.teaching.run import run_quick

TAUGHT = {"boot": "kick", "greet": "wave"}
LEADS_S = (0.6, 1.0, 1.4)  # from the key to the movement
BASE = Path(__file__).parents[2] / "weights" / "act"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three takes of each action."""
    root = tmp_path_factory.mktemp("library")
    for name, action in TAUGHT.items():
        does = segment(action)
        for number, lead_s in enumerate(LEADS_S):
            start_s = max(does.start_s - 4, 0.0)
            poses = play(start_s, does.end_s + 2.2, seed=number, first_s=start_s)
            assert len(record(root, poses, does.start_s - lead_s, name)) == 1
    return root


@pytest.fixture(scope="module")
def taught(root):
    with Library(root) as library:
        examples = library.examples([*TAUGHT, NOTHING])
    return run_quick(TeachingRequest(QUICK, "mine", BASE, root / "models", examples, keep_base=True))


def test_every_take_is_trimmed_to_its_movement_and_kept_whole(root):
    with Library(root) as library:
        segments = library.segments(limit=-1)
        assert len(segments) == 6
        for row in segments:
            whole = library.open_recording(row.recording)
            assert whole.info.duration_s > 6
            # The demo's bodies begin to leave a posture at the start of a segment and reach the next one's 0.5 s after.
            lead_s = min(LEADS_S, key=lambda lead: abs(lead - (row.start_s - whole.info.begins_s)))
            does = segment(TAUGHT[row.action])
            assert row.start_s - whole.info.begins_s == pytest.approx(lead_s, abs=0.35)
            assert row.end_s - row.start_s == pytest.approx(does.end_s - does.start_s + 0.25, abs=0.8)
            assert whole.info.duration_s - row.end_s > 0.9  # the stillness that ended the take


def test_the_stillness_around_a_take_is_a_negative_that_goes_with_it(root):
    with Library(root) as library:
        examples = library.examples([*TAUGHT, NOTHING])
    still = [example for example in examples if example.around is not None]
    takes = {example.name: example for example in examples if example.around is None}
    assert len(takes) == 6
    assert {example.around for example in still} == set(takes)
    for example in still:
        host = takes[example.around]
        assert example.action == NOTHING
        assert example.times_s[-1] < host.times_s[0] or example.times_s[0] > host.times_s[-1]


def test_a_trim_changed_in_the_library_changes_what_is_stillness(root):
    with Library(root) as library:
        row = library.segments(limit=-1)[0]
        recording = library.open_recording(row.recording)
        values = {name: getattr(row, name) for name in ("person", "action", "who", "note", "suspect")}
        library.change_segment(row.id, NewSegment(0.0, recording.info.duration_s, **values))
        assert not [each for each in library.examples([row.action]) if each.around == row.name]
        library.undo()
        assert [each for each in library.examples([row.action]) if each.around == row.name]
        assert library.segment(row.id) == row


@pytest.mark.parametrize(("look", "speed"), [(5, 1.1), pytest.param(11, 0.9, marks=pytest.mark.slow)])
def test_what_was_taught_is_shown_and_nothing_else_is_taken_for_it(taught, look, speed):
    acts = {s.action: (s.start_s / speed, s.end_s / speed) for s in DemoSource(paced=False).script}
    _, starts = watch(taught.folder, play(0, LOOP_S, look=look, speed=speed, fps=15.0, jitter=0.015, seed=9))
    for name, action in TAUGHT.items():
        (found_s,) = [at_s for shown, at_s in starts if shown == name]
        assert acts[action][0] - 1 < found_s < acts[action][1]
    assert [at_s for shown, at_s in starts if shown == "clap" and acts["clap"][0] - 1 < at_s < acts["clap"][1]]


@pytest.mark.parametrize("look", [7, pytest.param(0, marks=pytest.mark.slow)])
def test_standing_still_is_idle(taught, look):
    decisions, _ = watch(taught.folder, play(0.6, 2.1, look=look, speed=0.1, jitter=0.015, seed=5))
    shown = [action for at_s, action in decisions if at_s > 2.5]
    assert len(shown) > 100
    assert not set(shown) & set(TAUGHT)
    assert np.mean([action == "idle" for action in shown]) > 0.95


def test_at_a_desk_a_take_is_trimmed_to_what_the_arms_do(tmp_path):
    does, lead_s = segment("wave"), 1.0
    start_s = max(does.start_s - 4, 0.0)
    poses = play(start_s, does.end_s + 2.2, first_s=start_s)
    parts = ("hip", "knee", "ankle", "heel", "foot")
    below = np.array([any(part in name for part in parts) for name in poses[0].layout.joints])
    seated = [replace(pose, confidence=np.where(below, 0, pose.confidence).astype(np.float32)) for pose in poses]
    (folder,) = record(tmp_path, seated, does.start_s - lead_s, "greet")
    kept = read_recording(folder)
    with Library(tmp_path) as library:
        (row,) = library.segments(limit=-1)
    assert not row.suspect
    assert row.start_s - kept.info.begins_s == pytest.approx(lead_s, abs=0.35)
    assert row.end_s - row.start_s == pytest.approx(does.end_s - does.start_s + 0.25, abs=0.8)
    assert kept.info.duration_s - row.end_s > 0.9  # it ended by itself, on the stillness


def test_a_held_posture_is_the_action_and_never_idle(tmp_path):
    """Raise a hand and hold it: the take ends because the person holds still in what is taught."""
    poses = _raising(hold_s=6.0)
    (folder,) = record(tmp_path, poses, 2.0, "hand up")
    (again,) = record(tmp_path, [*_raised(3.0), *_raising(hold_s=6.0, first_s=3.0, from_raised=True)], 2.0, "hand up")
    assert read_recording(folder).info.duration_s < 7  # it ended by itself
    with Library(tmp_path) as library:
        examples = library.examples(["hand up"])
        first = next(row for row in library.segments(limit=-1) if row.recording == folder.name)
        assert first.end_s == pytest.approx(read_recording(folder).info.duration_s, abs=0.1)
        assert first.end_s - first.start_s > 1.5
    for example in examples:
        wrist = example.xy_px[:, example.layout.index("left_wrist"), 1]
        shoulder = example.xy_px[:, example.layout.index("left_shoulder"), 1]
        if example.around is not None:
            assert (wrist > shoulder).all(), "a raised hand is no stillness to learn against"
    assert {example.name.partition("/")[0] for example in examples} == {folder.name, again.name}
    assert any(example.around is not None for example in examples)


def _raising(*, hold_s, first_s=0.0, from_raised=False):
    """Stands for three seconds, or lowers the hand first, raises it within 0.6 s, and holds it."""
    begins_s, raised_s = 3.0, 0.6
    return _hand(
        first_s,
        lambda t: (
            max(1 - t / raised_s, 0.0)
            if from_raised and t < begins_s - 1
            else float(np.clip((t - begins_s) / raised_s, 0, 1))
        ),
        begins_s + raised_s + hold_s,
    )


def _raised(seconds):
    return _hand(0.0, lambda _: 1.0, seconds)


def _hand(first_s, height, seconds):
    rng, found = np.random.default_rng(3), []
    standing = play(0.5, 0.6, jitter=0)[0]
    layout = standing.layout
    hand = [layout.index(f"left_{part}") for part in ("elbow", "wrist", "pinky", "index", "thumb")]
    torso = standing.xy_px[layout.index("left_hip"), 1] - standing.xy_px[layout.index("left_shoulder"), 1]
    for number in range(int(seconds * 30)):
        xy = standing.xy_px + rng.normal(0, 0.01 * torso, standing.xy_px.shape)
        up = height(number / 30) * torso * np.array([0.9, *[1.9] * 4])
        xy[hand, 1] -= up
        found.append(type(standing)(xy.astype(np.float32), standing.confidence, layout, first_s + number / 30, 0))
    return found
