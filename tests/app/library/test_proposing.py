"""Labels that a recognizer proposes, and the stretches that they are for."""

from types import SimpleNamespace

import numpy as np
import pytest
from library_fakes import add_recording

from app.library.motion import free_parts, motion_energy, propose
from app.library.pose_recordings import describe, keep
from app.library.proposals import Proposal, Stretch, propose_labels
from pose.demo.source import DemoSource
from pose.skeleton import MPOSE_13
from recognizer.clips import Prediction
from recognizer.datasets.recorded import Poses

ACTIONS = ("idle", "wave")


class ByMotion:
    """Says how much of "wave" there is by how far the first joint goes in a window; notes what it was asked."""

    card = SimpleNamespace(frames=30, fps=20.0, decision=SimpleNamespace(other=("else",)))

    def __init__(self):
        self.clips = []

    def predict(self, clips):
        self.clips += clips
        found = []
        for clip in clips:
            wave = min(float(np.ptp(clip.xy_px[:, 0, 0])) / 100, 1.0)
            found.append(Prediction(clip.person, clip.time_s, ACTIONS, np.array([1 - wave, wave], np.float32)))
        return found


def recording_of(library, seconds=6.0, moving=(2.0, 4.0), jitter=0.0, fps=30):
    """Two people who stand; the first of them moves sideways by 100 pixels between two times."""
    times_s = np.arange(round(seconds * fps)) / fps
    random = np.random.default_rng(0)
    body = np.stack([np.linspace(200, 240, 13), np.linspace(100, 400, 13)], axis=1)
    inside = (times_s >= moving[0]) & (times_s < moving[1])
    away = np.where(inside, 50 * np.sin((times_s - moving[0]) * 9), 0)
    first = body + np.stack([away, np.zeros_like(away)], axis=1)[:, None]
    xy = np.stack([first, np.broadcast_to(body + 300, first.shape)], axis=1).reshape(-1, 13, 2)
    xy = (xy + random.normal(0, jitter, xy.shape)).astype(np.float32)
    frame = np.repeat(np.arange(len(times_s)), 2)
    person = np.tile(np.arange(2), len(times_s))
    seen = np.ones((len(xy), 13), np.float32)
    poses = Poses(times_s, frame, person, xy, seen, MPOSE_13, (640, 480))
    return library.open_recording(keep(library, describe(poses, "cam"), poses))


def test_each_stretch_gets_its_own_likeliest_action(library):
    recording = recording_of(library)
    moving, still, another = propose_labels(
        recording, [Stretch(2, 4, 0), Stretch(4.2, 6, 0), Stretch(2, 4, 1)], ByMotion()
    )
    assert moving.action == "wave"
    assert moving.probability > 0.8
    assert still == Proposal("nothing", pytest.approx(1.0, abs=0.01))  # idle is what "nothing" stands for
    assert another.action == "nothing"


def test_nobody_is_nothing_to_be_proposed(library):
    assert propose_labels(recording_of(library), [Stretch(1, 2, 7)], ByMotion()) == [None]


def test_a_short_stretch_is_read_at_its_true_speed_with_what_is_around_it(library):
    recognizer = ByMotion()
    recording = recording_of(library, moving=(0.0, 6.0))
    (found,) = propose_labels(recording, [Stretch(3.0, 3.3, 0)], recognizer)
    assert found.action == "wave"  # 0.3 s alone, stretched over a window, would go half as far
    (clip,) = recognizer.clips
    assert clip.xy_px.shape == (30, 13, 2)
    turns = np.count_nonzero(np.diff(np.sign(np.diff(clip.xy_px[:, 0, 0]))))
    assert turns == pytest.approx(29 / 20 * 9 / np.pi, abs=1.1)


@pytest.mark.parametrize("stretch", [Stretch(0, 0.2, 0), Stretch(5.9, 6, 0)])
def test_stretches_at_the_ends_are_read_too(stretch, library):
    recognizer = ByMotion()
    assert propose_labels(recording_of(library), [stretch], recognizer) != [None]
    assert (recognizer.clips[0].confidence > 0).all()


@pytest.mark.parametrize("fps", [8, 10, 15, 60])
def test_motion_is_found_at_any_rate_and_jitter_is_none(library, fps):
    (part,) = propose(*motion_energy(recording_of(library, jitter=0.5, fps=fps), 0))
    assert part == pytest.approx((1.8, 4.2), abs=0.25)
    assert propose(*motion_energy(recording_of(library, jitter=0.5, fps=fps), 1)) == []


def test_a_joint_that_is_never_seen_changes_nothing(library):
    recording = recording_of(library, jitter=0.5)
    recording.confidence[:, 3] = 0
    recording.xy_px[:, 3] = 0
    assert propose(*motion_energy(recording, 1)) == []
    assert len(propose(*motion_energy(recording, 0))) == 1


def test_what_has_a_segment_already_is_not_proposed_again():
    assert free_parts([(0, 10)], [(2, 4), (3, 6)]) == [(0, 2), (6, 10)]
    assert free_parts([(0, 1), (5, 6)], [(0.2, 0.9)]) == [(5, 6)]
    assert free_parts([(0, 1)], []) == [(0, 1)]


def test_the_probability_is_the_mean_over_the_windows_of_the_stretch(library):
    recognizer = ByMotion()
    (found,) = propose_labels(recording_of(library), [Stretch(0.5, 4.0, 0)], recognizer)  # it stands until 2 s
    waves = [prediction.probabilities[1] for prediction in recognizer.predict(list(recognizer.clips))]
    assert len(waves) == 9
    assert waves[0] < 0.3 < 0.9 < waves[-1]
    assert found == Proposal("wave", pytest.approx(float(np.mean(waves))))


def test_a_real_recognizer_proposes_what_the_demos_person_does(library):
    from app.live.run_inputs import open_recognizer

    source, times_s = DemoSource(seed=0, paced=False), np.arange(12 * 30) / 30
    xy = np.stack([source.truth(float(time_s)).joints_px for time_s in times_s]).astype(np.float32)
    frame = np.arange(len(times_s))
    poses = Poses(times_s, frame, np.zeros_like(frame), xy, np.ones(xy.shape[:2], np.float32), MPOSE_13, (640, 480))
    recording = library.open_recording(keep(library, describe(poses, "demo"), poses))
    strange = library.open_recording(add_recording(library))  # joints by chance
    recognizer = open_recognizer("act", "cpu")
    found = propose_labels(recording, [Stretch(0, 2, 0), Stretch(2.5, 5.5, 0), Stretch(8.3, 11.3, 0)], recognizer)
    nothing = propose_labels(strange, [Stretch(0, strange.info.duration_s, 0)], recognizer)
    recognizer.close()
    assert [proposal.action for proposal in found] == ["nothing", "wave", "clap"]
    assert all(0.5 < proposal.probability <= 1 for proposal in found)
    assert nothing == [None]


def test_what_is_none_of_its_actions_is_not_proposed(library, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ACTIONS", ("idle", "else"))
    assert propose_labels(recording_of(library), [Stretch(2, 4, 0)], ByMotion()) == [None]
