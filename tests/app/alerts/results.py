"""Results of which rules are told."""

import numpy as np

from app.results import PersonResult, Result
from pose.skeleton import MPOSE_13
from pose.types import Frame, Pose
from recognizer.decision import Decision
from recognizer.repetition_counter import Repetition


def result(time_s, *actions, since_s=0.0, repetitions=()):
    """People 0, 1, ... who do these actions since then; repetitions as (action, count)."""
    frame = Frame(np.zeros((4, 4, 3), np.uint8), time_s, 0.0, int(time_s * 10))
    persons = tuple(
        PersonResult(
            Pose(np.zeros((13, 2), np.float32), np.ones(13, np.float32), MPOSE_13, time_s, number),
            Decision(number, time_s, action, 0.9, since_s),
            True,
        )
        for number, action in enumerate(actions)
    )
    done = tuple(Repetition(time_s, 0, action, count, 1.0, 60.0) for action, count in repetitions)
    return Result(frame, persons, (), not persons, time_s, done)
