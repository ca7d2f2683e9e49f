import numpy as np
import pytest
from engine_fakes import FakeRecognizer, until

from app.live.relevance import JointRelevance
from app.outputs import overlay
from app.outputs.run_outputs import Outputs
from app.results import PersonResult, Result, RunInfo
from app.settings import RunOptions
from pose.skeleton import MPOSE_13
from pose.source import SourceInfo
from pose.types import Frame, Pose
from recognizer.clips import Clip, Prediction
from recognizer.decision import Decision

ARM, OTHER = MPOSE_13.index("left_wrist"), MPOSE_13.index("right_wrist")


class OneArm(FakeRecognizer):
    """As sure of "wave" as the left wrist is seen."""

    arm = ARM

    def predict(self, clips, *, attention=False):
        self.batches.append(len(clips))
        seen = [0.1 + 0.8 * float(clip.confidence[:, self.arm].mean()) for clip in clips]
        return [
            Prediction(clip.person, clip.time_s, self.card.actions, np.array([1 - p, p], np.float32))
            for clip, p in zip(clips, seen, strict=True)
        ]


def result(*people: int, fresh: bool = True, decided: bool = True, time_s: float = 1.0) -> Result:
    joints = (4, len(MPOSE_13))
    persons = []
    for person in people:
        pose = Pose(np.ones((13, 2), np.float32), np.ones(13, np.float32), MPOSE_13, 1.0, person)
        clip = Clip(np.ones((*joints, 2), np.float32), np.ones(joints, np.float32), 20.0, MPOSE_13, 1.0, person)
        decision = Decision(person=person, time_s=1.0, action="wave", score=0.9, since_s=0.0)
        persons.append(PersonResult(pose, decision if decided else None, fresh, clip if decided else None))
    return Result(Frame(np.zeros((48, 64, 3), np.uint8), time_s, 0.0, 0), tuple(persons), (), False, 0.0)


def test_a_file_has_every_decision_explained_before_its_frame_goes_on():
    recognizer = OneArm()
    relevance = JointRelevance("model", wait=True, open_recognizer=lambda model, provider: recognizer)
    found = relevance(result(0, 2))
    assert set(found) == {0, 2}
    assert found[0].argmax() == ARM
    assert found[0].max() == 1
    asked = len(recognizer.batches)
    assert set(relevance(result(0, 2, fresh=False))) == {0, 2}  # the newest goes on between decisions
    assert len(recognizer.batches) == asked
    assert set(relevance(result(2, fresh=False))) == {2}  # who left is forgotten
    assert not relevance(result(2, decided=False))
    relevance.close()
    assert recognizer.closed


def test_a_live_run_is_explained_beside_it_and_people_take_turns():
    recognizer = OneArm()
    relevance = JointRelevance("model", wait=False, open_recognizer=lambda model, provider: recognizer)
    until(lambda: set(relevance(result(0, 2))) == {0, 2})
    assert relevance(result(0, 2))[2].argmax() == ARM
    relevance.close()
    assert recognizer.closed


class OtherArm(OneArm):
    """As sure of "wave" as the right wrist is seen."""

    arm = OTHER


@pytest.mark.parametrize("wait", [True, False])
def test_another_model_is_explained_from_when_it_is_used(wait):
    recognizers = {"one": OneArm(), "other": OtherArm()}
    relevance = JointRelevance("one", wait=wait, open_recognizer=lambda model, provider: recognizers[model])
    until(lambda: 0 in relevance(result(0)))
    relevance.use("one")
    assert relevance(result(0, fresh=False))[0].argmax() == ARM
    relevance.use("other")
    assert not relevance(result(0, fresh=False))  # what is known is of the model before
    until(lambda: 0 in relevance(result(0)))
    assert relevance(result(0))[0].argmax() == OTHER
    assert recognizers["one"].closed
    relevance.close()
    assert recognizers["other"].closed


class FakeEngine:
    """Gives results to its taps."""

    info = RunInfo(SourceInfo("walk.mp4", live=False), "one", ("idle", "wave"), "cpu")
    playback = None
    options = RunOptions(source="walk.mp4", paced=False)

    def add_tap(self, tap):
        self.tap = tap


def test_the_video_is_explained_by_the_model_that_runs(tmp_path, monkeypatch):
    recognizers = {"one": OneArm(), "other": OtherArm()}
    monkeypatch.setattr(JointRelevance.__init__, "__kwdefaults__", {"open_recognizer": lambda m, _: recognizers[m]})
    outputs = Outputs(RunOptions(model="one", save=tmp_path / "o.mp4", paced=False, explain=True))
    engine = FakeEngine()
    outputs.attach(engine)
    engine.tap(result(0, time_s=1.0))
    assert (len(recognizers["one"].batches) > 0, len(recognizers["other"].batches)) == (True, 0)
    outputs.model = "other"
    engine.tap(result(0, time_s=1.1))
    assert recognizers["one"].closed
    assert recognizers["other"].batches
    outputs.close()


def test_the_video_names_the_action_that_its_circles_explain(tmp_path, monkeypatch):
    monkeypatch.setattr(JointRelevance.__init__, "__kwdefaults__", {"open_recognizer": lambda *_: OneArm()})
    labels = []
    real = overlay.label_text
    monkeypatch.setattr(overlay, "label_text", lambda *a, **b: labels.append(real(*a, **b)) or labels[-1])
    outputs = Outputs(RunOptions(model="one", save=tmp_path / "o.mp4", paced=False, explain=True))
    engine = FakeEngine()
    outputs.attach(engine)
    engine.tap(result(0, time_s=1.0))
    outputs.close()
    explained = JointRelevance("one", wait=True, open_recognizer=lambda *_: OneArm())
    explained(result(0))
    assert labels[-1].endswith(f" · circles: {explained.actions[0]}")
    explained.close()
