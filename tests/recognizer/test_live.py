"""What live recognition remembers of people who are not seen."""

import numpy as np
import pytest
from moving_figure import figure, poses
from toy_recognizer import make_card

from recognizer.clips import Prediction
from recognizer.live import LiveRecognition

OTHER = np.array([0.0, 0.0, 0.0, 1.0], np.float32)


class SaysOther:
    """Takes every clip for something unlisted."""

    card = make_card()

    def predict(self, clips, *, attention=False):
        return [Prediction(clip.person, clip.time_s, self.card.actions, OTHER) for clip in clips]


@pytest.mark.parametrize("people_leave", [True, False], ids=["nobody was there", "nothing was recorded"])
def test_who_is_back_after_a_long_time_begins_anew(people_leave):
    live = LiveRecognition(SaysOther())
    for pose in poses(lambda _: figure(), 5.0):
        (before,) = live.process(pose.time_s, (pose,))
    if people_leave:
        live.process(30.0, ())
    for pose in poses(lambda _: figure(), 65.0, from_s=60.0):
        (after,) = live.process(pose.time_s, (pose,))
    assert (before.decision.action, after.decision.action) == ("unknown", "unknown")
    assert before.decision.since_s < 5.0
    assert after.decision.since_s >= 60.0
