"""A take of an estimator of another layout ends when the person stands still, and is kept in that layout."""

import threading
from dataclasses import replace

import numpy as np
from recording_fakes import result

from app.library.video_poses import poses_of
from app.recording.folder import read_recording
from app.recording.recorder import Recorder, RecorderState, TakeSettings
from pose.skeleton import COCO_17, MEDIAPIPE_33, convert
from pose.types import Pose


def as_coco(given):
    """The same result with the poses in COCO's 17 joints."""

    def turned(pose):
        xy, confidence = convert(pose.xy_px, pose.confidence, MEDIAPIPE_33, COCO_17)
        return Pose(xy, confidence, COCO_17, pose.time_s, pose.person)

    return replace(given, persons=tuple(replace(p, pose=turned(p.pose)) for p in given.persons))


def test_a_take_in_coco_ends_by_itself_and_keeps_its_layout(tmp_path):
    saved = []
    recorder = Recorder(tmp_path, "demo", COCO_17, saved=saved.append, lossless=True)
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=0, longest_s=60.0))
    recorder.start()
    for number in range(240):
        time_s = number / 30
        moving = 2 <= time_s < 5
        recorder(as_coco(result(time_s, 60 * np.sin(8 * time_s) if moving else 0.0)))
    done = threading.Event()
    recorder._post(done.set)
    assert done.wait(60)
    (folder,) = saved
    kept = read_recording(folder)
    assert recorder.view.state is RecorderState.READY
    assert kept.info.layout == COCO_17.name
    assert kept.xy_px.shape[1:] == (17, 2)
    assert 3.0 < kept.times_s[-1] < 7.5
    recorder.close()


def test_tracks_keep_the_layout_of_the_poses_or_of_the_estimator():
    pose = Pose(np.ones((17, 2), np.float32), np.ones(17, np.float32), COCO_17, 0.0)
    assert poses_of([(0.0, (pose,)), (0.1, ())], (64, 48), COCO_17).layout == COCO_17
    assert poses_of([(0.0, ()), (0.1, ())], (64, 48), COCO_17).layout == COCO_17


def test_another_estimator_ends_the_take_and_the_next_one_has_its_layout(tmp_path):
    saved, failed = [], []
    recorder = Recorder(tmp_path, "demo", MEDIAPIPE_33, saved=saved.append, failed=failed.append, lossless=True)
    recorder.arm(TakeSettings("s", countdown_s=0, pre_roll_s=1.0, longest_s=60.0, when_still=False))
    for shown, start_s in ((lambda given: given, 0.0), (as_coco, 5.0)):
        recorder.start()
        for number in range(30):
            recorder(shown(result(start_s + number / 30)))
        done = threading.Event()
        recorder._post(done.set)
        assert done.wait(60)
        recorder.source_changed("demo", COCO_17)
    recorder.close()
    assert failed == []
    assert [read_recording(folder).info.layout for folder in saved] == [MEDIAPIPE_33.name, COCO_17.name]
    assert [read_recording(folder).xy_px.shape for folder in saved] == [(30, 33, 2), (30, 17, 2)]
