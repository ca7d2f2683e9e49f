"""NTU RGB+D and NTU RGB+D 120 (Shahroudy et al., CVPR 2016; Liu et al., TPAMI 2019): `.skeleton` files of Kinect SDK 2.

Splits, people and setups as in the two papers; names of actions after the list on the authors' page.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import NTU_25
from recognizer.datasets.dataset import DataSet, ReadResult
from recognizer.datasets.errors import DataError
from recognizer.datasets.file_problems import damaged, empty, files_of, numbers_in_name, read_each
from recognizer.datasets.kinect import TO_PICTURE
from recognizer.datasets.sequences import ActionSequence, Skeleton
from recognizer.model_card import TrainingSource

log = logging.getLogger(__name__)

NAME = "ntu_rgbd"
FPS = 30.0
ACTIONS = (
    *("drink", "eat", "brush_teeth", "brush_hair", "drop", "pick_up", "throw", "sit_down", "stand_up", "clap"),
    *("read", "write", "tear_paper", "put_on_jacket", "take_off_jacket", "put_on_shoe", "take_off_shoe"),
    *("put_on_glasses", "take_off_glasses", "put_on_hat", "take_off_hat", "cheer_up", "wave", "kick_something"),
    *("reach_into_pocket", "hop", "jump_up", "phone_call", "play_with_phone", "type_on_keyboard"),
    *("point_to_something", "take_selfie", "check_time", "rub_hands", "nod_head", "shake_head", "wipe_face", "salute"),
    *("put_palms_together", "cross_hands_in_front", "sneeze_or_cough", "stagger", "fall_down", "headache"),
    *("chest_pain", "back_pain", "neck_pain", "nausea", "fan_self", "punch_person", "kick_person", "push_person"),
    *("pat_on_back", "point_at_person", "hug", "give_object", "touch_pocket", "shake_hands", "walk_towards"),
    *("walk_apart", "put_on_headphone", "take_off_headphone", "shoot_at_basket", "bounce_ball", "tennis_swing"),
    *("juggle_table_tennis_balls", "hush", "flick_hair", "thumb_up", "thumb_down", "ok_sign", "victory_sign"),
    *("staple_book", "count_money", "cut_nails", "cut_paper", "snap_fingers", "open_bottle", "sniff", "squat_down"),
    *("toss_coin", "fold_paper", "ball_up_paper", "play_magic_cube", "cream_on_face", "cream_on_hand_back"),
    *("put_on_bag", "take_off_bag", "put_into_bag", "take_out_of_bag", "open_box", "move_heavy_objects"),
    *("shake_fist", "throw_up_hat", "hands_up", "cross_arms", "arm_circles", "arm_swings", "run_on_the_spot"),
    *("butt_kicks", "cross_toe_touch", "side_kick", "yawn", "stretch", "blow_nose", "hit_with_object"),
    *("wield_knife", "knock_over_person", "grab_stuff", "shoot_with_gun", "step_on_foot", "high_five"),
    *("cheers_and_drink", "carry_together", "take_photo_of_person", "follow_person", "whisper_in_ear"),
    *("exchange_things", "support_person", "finger_guessing_game"),
)
Order = Literal["ids", "file"]
PROTOCOLS = {60: ("xsub", "xview"), 120: ("xsub", "xset")}
# The people who train in both sets; those of the smaller set are numbered 1 to 40.
TRAIN_SUBJECTS = frozenset(
    (
        *(1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38),
        *(45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89),
        *(91, 92, 93, 94, 95, 97, 98, 100, 103),
    )
)
TRAIN_CAMERAS = frozenset((2, 3))
_SETUPS_OF_60 = 17
_PEOPLE = 2
_BODY_HEADER, _JOINT_VALUES = 10, 12  # numbers in a body's first line and in a joint's, which begins with x, y, z
_FILE = r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})\.skeleton"


def read(
    folder: Path,
    protocol: str = "xsub",
    actions: int = 60,
    order: Order = "ids",
) -> Iterator[ReadResult]:
    """Every SsssCcccPpppRrrrAaaa.skeleton in `folder`, of one or two people, in metres: the first two that are tracked,
    as in ST-GCN's code.

    protocol: "xsub" (cross-subject), "xview" (cross-view, 60 actions only) or "xset" (cross-setup, 120 only).
    order: who is who from frame to frame: after the bodies' "ids", or as the "file" has them in each frame (ST-GCN's
        code), where two people may change places.
    Files of the set's other 60 actions are left out when `actions` is 60.
    """
    if actions not in PROTOCOLS or protocol not in PROTOCOLS[actions]:
        known = "; ".join(f"{count}: {', '.join(names)}" for count, names in PROTOCOLS.items())
        raise DataError(f"NTU RGB+D {actions} has no protocol {protocol}; choose one of {known}")
    if order not in get_args(Order):
        raise DataError(f"no order of people is called {order}; choose one of {', '.join(get_args(Order))}")
    wanted = [file for file in files_of(folder, "S*.skeleton", "NTU RGB+D") if _is_of(file, actions)]
    return read_each(wanted, lambda file: _sequence(file, protocol, order))


def _is_of(file: Path, actions: int) -> bool:
    """False for what only the larger set has, where the smaller is read; True for names that are in neither."""
    found = re.fullmatch(_FILE, file.name)
    if found is None or actions != 60 or int(found[5]) > len(ACTIONS):
        return True
    return int(found[1]) <= _SETUPS_OF_60 and int(found[5]) <= actions


def _sequence(file: Path, protocol: str, order: Order) -> ActionSequence:
    setup, camera, subject, _, action = numbers_in_name(file, _FILE)
    if not 1 <= action <= len(ACTIONS):
        raise damaged(file, f"the set has no action {action}")
    bodies = _bodies(file, order)
    if bodies.shape[0] == 0 or bodies.shape[1] < 2:
        raise empty(file, "nobody in it")
    skeletons = [_skeleton(body, file) for body in bodies[:_PEOPLE]]
    return ActionSequence(
        dataset=NAME,
        name=file.stem,
        action=ACTIONS[action - 1],
        joints=skeletons[0].joints,
        seen=skeletons[0].seen,
        layout=NTU_25,
        fps=FPS,
        subject=subject,
        test=_tests(protocol, setup, camera, subject),
        others=tuple(skeletons[1:]),
    )


def _tests(protocol: str, setup: int, camera: int, subject: int) -> bool:
    if protocol == "xsub":
        return subject not in TRAIN_SUBJECTS
    return camera not in TRAIN_CAMERAS if protocol == "xview" else setup % 2 == 1


def _bodies(file: Path, order: Order) -> NDArray[np.float64]:
    """(M, T, 25, 3) metres in the camera's axes; 0 where a body is absent."""
    try:
        words = file.read_text(encoding="ascii").split()
        values = np.array(words, dtype=np.float64)
        found: list[tuple[int, list[str], list[NDArray[np.float64]]]] = []
        frames, place = int(values[0]) if len(values) else 0, 1
        if not 0 <= frames <= len(values):
            raise ValueError("frames")
        for frame in range(frames):
            count, place = int(values[place]), place + 1
            ids, bodies = [], []
            for _ in range(count):
                first = place + _BODY_HEADER + 1
                if values[first - 1] != len(NTU_25):
                    raise ValueError("joints")
                ids.append(words[place])  # too long a number for a float
                place = first + len(NTU_25) * _JOINT_VALUES
                bodies.append(values[first:place].reshape(len(NTU_25), _JOINT_VALUES)[:, :3])
            found.append((frame, ids, bodies))
    except (OSError, ValueError, IndexError, OverflowError) as error:
        raise damaged(file, f"not a whole skeleton file ({type(error).__name__})") from error
    slots = _BodySlots()
    in_slots = [
        (frame, slot, body)
        for frame, ids, bodies in found
        for slot, body in zip(slots.of(ids) if order == "ids" else range(len(ids)), bodies, strict=True)
    ]
    out = np.zeros((max((slot + 1 for _, slot, _ in in_slots), default=0), frames, len(NTU_25), 3))
    for frame, slot, body in in_slots:
        out[slot, frame] = body
    return out


class _BodySlots:
    """A slot for each body as long as it is there. A body that is new, or was lost and found under another number,
    takes the first slot that is free in the frame."""

    def __init__(self) -> None:
        self._slot_of: dict[tuple[str, int], int] = {}

    def of(self, ids: list[str]) -> list[int]:
        """The slot of each body of the next frame."""
        bodies = [(number, ids[:index].count(number)) for index, number in enumerate(ids)]  # one may be there twice
        slots = {body: self._slot_of[body] for body in bodies if body in self._slot_of}
        for body in bodies:
            if body not in slots:
                taken = set(slots.values())
                slots[body] = next(free for free in range(len(taken) + 1) if free not in taken)
        gone = {body: slot for body, slot in self._slot_of.items() if slot not in slots.values()}
        self._slot_of = gone | slots
        return [slots[body] for body in bodies]


def _skeleton(body: NDArray[np.float64], file: Path) -> Skeleton:
    finite: NDArray[np.bool_] = np.all(np.isfinite(body), axis=-1)
    if not finite.all():
        log.warning("%s: %d joints are not numbers, taken as missing", file.name, (~finite).sum())
    seen: NDArray[np.bool_] = finite & np.any(body != 0, axis=-1)  # inferred joints have a place too
    return Skeleton(np.where(seen[..., None], body.astype(np.float32) * TO_PICTURE, np.float32(0)), seen)


DATASET = DataSet(
    name=NAME,
    read=read,
    layout=NTU_25,
    terms=TrainingSource(
        "NTU RGB+D",
        "Shahroudy, Liu, Ng, Wang: NTU RGB+D, CVPR 2016; Liu et al.: NTU RGB+D 120, TPAMI 2019; https://rose1.ntu.edu.sg/",
        "academic research only, on request to the ROSE Lab; not to be passed on",
    ),
    files="S*C*P*R*A*.skeleton",
)
