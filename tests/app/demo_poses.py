"""The demo's person as an estimator would find them: true joints of any look at any speed, with a detector's jitter."""

import threading
import time

import numpy as np

from app.live.inference import Pipeline
from app.recording.recorder import Recorder, TakeSettings
from app.results import PersonResult, Result
from pose.demo.source import DemoSource
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from pose.types import Frame, Pose
from recognizer.onnx_recognizer import OnnxRecognizer

_PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_NEAR = {"pinky": "wrist", "index": "wrist", "thumb": "wrist", "heel": "ankle", "foot": "ankle"}
_BLANK = np.zeros((48, 64, 3), np.uint8)
LOOP_S = DemoSource(paced=False).script[-1].end_s


def _joint_of(name):
    """The joint of MPOSE-13 that stands for one of MediaPipe's."""
    side = "left" if "left" in name else "right"
    part = next((part for part in (*_PARTS, *_NEAR) if part in name), None)
    return "head" if part is None else f"{side}_{_NEAR.get(part, part)}"


_PLACES = [MPOSE_13.index(_joint_of(name)) for name in MEDIAPIPE_33.joints]


def segment(action, nth=0):
    return [each for each in DemoSource(paced=False).script if each.action == action][nth]


def play(start_s, end_s, *, look=0, speed=1.0, fps=30.0, jitter=0.012, seed=0, first_s=0.0):
    """Poses of a stretch of the demo, on a clock that begins at first_s; jitter in torsos."""
    source, rng, poses = DemoSource(seed=look, paced=False), np.random.default_rng(seed), []
    for number in range(int((end_s - start_s) / speed * fps)):
        joints = source.truth(start_s + number * speed / fps).joints_px
        torso = np.linalg.norm(joints[1:3].mean(axis=0) - joints[7:9].mean(axis=0))
        xy = (joints + rng.normal(0, jitter * torso, joints.shape))[_PLACES].astype(np.float32)
        confidence = np.full(len(_PLACES), 0.9, np.float32)
        poses.append(Pose(xy, confidence, MEDIAPIPE_33, first_s + number / fps, 0))
    return poses


def record(root, poses, key_s, action, *, layout=MEDIAPIPE_33, **settings):
    """A take by the recorder, as the record bar's defaults make it but without a countdown; its folder."""
    saved = []
    recorder = Recorder(root, "demo", layout, saved=saved.append, lossless=True)
    chosen = {"countdown_s": 0.0, "longest_s": 8.0, "when_still": True, "takes": 1, "skeleton_only": True} | settings
    recorder.arm(TakeSettings(chosen.pop("session", "today"), action=action, **chosen))
    pressed = False
    for number, pose in enumerate(poses):
        if pose.time_s >= key_s and not pressed:
            done, pressed = threading.Event(), True
            recorder._post(done.set)
            assert done.wait(60)
            recorder.start()
        frame = Frame(_BLANK, pose.time_s, time.perf_counter(), number)
        recorder(Result(frame, (PersonResult(pose, None, False),), (), False, time.perf_counter()))
    recorder.close()
    return saved


def watch(model, poses):
    """(time, action) of every decision of the live pipeline, and the actions' starts."""
    recognizer = OnnxRecognizer(model, "cpu")
    pipeline, decisions, starts = Pipeline(recognizer), [], []
    for number, pose in enumerate(poses):
        result = pipeline.process(Frame(_BLANK, pose.time_s, 0.0, number), (pose,))
        starts += [(event.action, event.time_s) for event in result.events if event.kind == "start"]
        decisions += [(pose.time_s, p.decision.action) for p in result.persons if p.fresh and p.decision]
    recognizer.close()
    return decisions, starts
