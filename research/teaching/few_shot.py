"""Few-shot episodes: five actions that the embedding never saw, some clips of one person, tested on other people.

An episode draws the actions, the person, and that person's clips; `Pool` has the embeddings of every clip once. Where a
person has too few clips of an action, further people of the training split fill up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import MPOSE_13
from recognizer.datasets import penn_action, utd_mhad
from recognizer.teaching.examples import Example
from recognizer.teaching.head import Head
from recognizer.teaching.lesson import Lesson, Windows
from recognizer.teaching.quick import QuickSettings, fit
from recognizer.training import augment
from recognizer.training.augment import Array
from recognizer.training.evaluate import front_view
from recognizer.training.everyday import Corpus

WAYS = 5
SHOTS = (1, 3, 5, 10)
_PIXELS = 100.0  # of a torso; the teaching's clips are in pixels
_LEAST_EVIDENCE = 0.05

Places = NDArray[np.intp]
# Actions of two data sets that no other of the five shows, under whatever name: what an embedding made without the set
# has never seen. On the sets' other actions everything was chosen.
NEW_ACTIONS = {
    utd_mhad.NAME: (
        *("swipe_left", "swipe_right", "cross_arms", "basketball_shoot", "draw_triangle", "arm_curl"),
        *("knock", "lunge"),
    ),
    penn_action.NAME: (
        *("bench_press", "clean_and_jerk", "jump_rope", "jumping_jacks", "pushup", "situp", "strum_guitar"),
    ),
}
ARM_ACTIONS = utd_mhad.ACTIONS[:20]  # that the arms do alone, as at a desk; the others move the trunk or the legs
_LOWER_BODY = [place for place, name in enumerate(MPOSE_13.joints) if name.endswith(("_hip", "_knee", "_ankle"))]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Clips of which episodes are made. lesson: of all of them, embedded. person: (C,) clips of one person may teach
    together; trains, tests: (C,) which clips may be taught and tested."""

    lesson: Lesson
    person: NDArray[np.str_]
    trains: NDArray[np.bool_]
    tests: NDArray[np.bool_]

    def of_actions(self, actions: Sequence[str]) -> "NDArray[np.bool_]":
        """(C,) clips of those actions."""
        return np.isin(self.lesson.target, [self.lesson.actions.index(action) for action in actions])


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """actions: their names. train, test: places of clips in the pool."""

    actions: tuple[str, ...]
    train: Places
    test: Places


def recordings(corpus: Corpus, rows: Places) -> list[Example]:
    """Recordings as a camera in front of the person would see them, as clips of a library; person: of UTD-MHAD."""
    clips = []
    for row in rows:
        frames = slice(corpus.first[row], corpus.first[row] + corpus.length[row])
        joints = augment.unit_size(corpus.joints[None, frames])
        xy = front_view(joints, corpus.depth[[row]])[0] * _PIXELS
        times_s = np.arange(len(xy)) / float(corpus.fps[row])
        name, action = str(corpus.name[row]), corpus.kinds[corpus.kind[row]].partition("/")[2]
        person = name.split("_")[1] if corpus.dataset[row] == utd_mhad.NAME else None
        seen = corpus.seen[frames].astype(np.float32)
        clips.append(Example(name, action, person, None, times_s, xy.astype(np.float32), seen, MPOSE_13))
    return clips


def hide_lower_body(clip: Example) -> Example:
    """The clip with hips and legs out of the picture."""
    xy, seen = clip.xy_px.copy(), clip.confidence.copy()
    xy[:, _LOWER_BODY], seen[:, _LOWER_BODY] = 0, 0
    return replace(clip, xy_px=xy, confidence=seen)


def draw(
    pool: Pool,
    actions: Sequence[str],
    shots: int,
    rng: np.random.Generator,
    *,
    ways: int = WAYS,
    max_test_clips: int = 40,
) -> Episode:
    """A random episode. max_test_clips: of an action, drawn at random."""
    chosen = tuple(sorted(str(action) for action in rng.choice(list(actions), ways, replace=False)))
    people = rng.permutation(np.unique(pool.person[pool.trains & pool.of_actions(chosen)]))
    train: list[int] = []
    test: list[int] = []
    for action in chosen:
        here = pool.of_actions((action,))
        own: list[int] = []
        for person in people:  # the first has them all, where there are enough
            own += rng.permutation(np.flatnonzero(here & pool.trains & (pool.person == person))).tolist()
        train += own[:shots]
        teachers = set(pool.person[own[:shots]].tolist())
        others = here & pool.tests & ~np.isin(pool.person, sorted(teachers))
        test += rng.permutation(np.flatnonzero(others))[:max_test_clips].tolist()
    return Episode(chosen, np.array(train), np.array(test))


def part_of_lesson(lesson: Lesson, clips: Places, actions: Sequence[str]) -> Lesson:
    """The lesson of some clips, all of some of its actions."""
    order = {lesson.actions.index(action): place for place, action in enumerate(actions)}
    return replace(
        lesson,
        actions=tuple(actions),
        examples=tuple(lesson.examples[clip] for clip in clips),
        target=np.array([order[int(lesson.target[clip])] for clip in clips], np.intp),
        augmented=_windows_of(lesson.augmented, clips),
        original=_windows_of(lesson.original, clips),
        hop_s=lesson.hop_s[clips],
        together=np.arange(len(clips)),
        host=np.arange(len(clips)),
    )


def _windows_of(windows: Windows, clips: Places) -> Windows:
    rows = [np.flatnonzero(windows.owner == clip) for clip in clips]
    owner = np.repeat(np.arange(len(clips)), [len(each) for each in rows])
    return Windows(windows.description[np.concatenate(rows)], owner)


def answers(head: Head, windows: Windows, clips: int) -> Array:
    """(C, A + 1) probabilities of whole clips: the mean of their windows', each by its evidence for any action."""
    probabilities = head.probabilities(windows.description)
    weight = 1 - probabilities[:, -1] + _LEAST_EVIDENCE
    total = np.zeros((clips, probabilities.shape[1]))
    np.add.at(total, windows.owner, probabilities * weight[:, None])
    mean: Array = (total / np.bincount(windows.owner, weight, minlength=clips)[:, None]).astype(np.float32)
    return mean


def quick_accuracy(pool: Pool, episode: Episode, settings: QuickSettings) -> float:
    """Share of the test clips whose likeliest action of the five is correct."""
    lesson = part_of_lesson(pool.lesson, episode.train, episode.actions)
    test = part_of_lesson(pool.lesson, episode.test, episode.actions)
    head = fit(lesson, np.ones(len(lesson.examples), bool), settings)
    found = answers(head, test.original, len(test.examples))[:, :-1].argmax(axis=1)
    return float((found == test.target).mean())


def mean_and_interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean over episodes and half the width of its 95% interval (normal approximation)."""
    return float(np.mean(values)), float(1.96 * np.std(values, ddof=1) / np.sqrt(len(values)))


def measure(
    pool: Pool,
    actions: Sequence[str],
    shots: int,
    method: Callable[[Pool, Episode], float],
    *,
    episodes: int,
    seed: int,
) -> tuple[float, float]:
    """Mean accuracy and interval of a method over episodes; one seed gives every method the same episodes."""
    drawn = [draw(pool, actions, shots, np.random.default_rng([seed, shots, number])) for number in range(episodes)]
    return mean_and_interval([method(pool, episode) for episode in drawn])
