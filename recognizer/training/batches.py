"""Batches of training clips drawn from a corpus: real windows, stillness, and made-up negatives."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recognizer.features import RATE_FPS, clip_features
from recognizer.training import augment
from recognizer.training.augment import Array, Augmentation, Mask
from recognizer.training.data.everyday import ACTIONS, IDLE, OTHER, Corpus

FRAMES = 30
Clips = tuple[Array, Mask, Mask, Array]  # joints (N, T, 13, 3), seen (N, T, 13), depth (N,), target (N, outputs)
Positions = NDArray[np.float64]  # (N, T) places in recordings, in their own frames
_UPPER_BODY = ("idle", "wave", "clap", "throw", "punch", OTHER)
# Part of a window from which on a newer motion counts for more than the one before: less than half, so that a change is
# seen sooner.
_TAKES_OVER = 0.4
_MADE_UP = ("held pose", "mixed limbs", "wrong speed", "noise")


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Shares of a batch; the rest are windows of listed actions."""

    unlisted: float = 0.24
    idle: float = 0.10
    made_up: float = 0.08
    spliced: float = 0.15  # part of the real windows that end with another's motion; their target is shared
    balance: float = 0.5  # an action is drawn in proportion to (its clips) ** balance
    warp: tuple[float, float] = (0.75, 1.3)  # duration of a window in its 1.5 s
    augmentation: Augmentation = field(default_factory=Augmentation)


class OutputSpace:
    """The network's outputs: the listed actions, then one for each kind of unlisted motion, which add up to OTHER."""

    def __init__(self, corpus: Corpus) -> None:
        self.listed = ACTIONS[:-1]
        unlisted = sorted({int(kind) for kind in corpus.kind[corpus.action == ACTIONS.index(OTHER)]})
        self.names = (*self.listed, *(corpus.kinds[kind] for kind in unlisted), *_MADE_UP)
        place = {kind: len(self.listed) + i for i, kind in enumerate(unlisted)}
        # (R,) output of each recording
        self.of_recording = np.array(
            [place.get(int(kind), int(action)) for kind, action in zip(corpus.kind, corpus.action, strict=True)]
        )
        self.made_up = np.array([self.names.index(name) for name in _MADE_UP])

    def __len__(self) -> int:
        return len(self.names)


class BatchMaker:
    """Draws batches. A batch depends on the corpus, the plan and its generator alone."""

    def __init__(self, corpus: Corpus, outputs: OutputSpace, plan: BatchPlan, chosen: Mask) -> None:
        """chosen: (R,) the recordings to draw from."""
        self.corpus, self.outputs, self.plan = corpus, outputs, plan
        other = corpus.action == ACTIONS.index(OTHER)
        self._listed = _Draw(corpus, np.flatnonzero(chosen & ~other), corpus.action, plan.balance)
        self._unlisted = _Draw(corpus, np.flatnonzero(chosen & other), corpus.kind, plan.balance)
        self._any = np.flatnonzero(chosen)
        self._restful = _restful_frames(corpus)
        self._still_recording, self._still_frame = _idle_frames(corpus, self._restful, chosen)

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Array, Array]:
        """Features (N, 30, F) and targets (N, outputs) that sum to 1."""
        plan = self.plan
        n_idle, n_made_up, n_unlisted = (round(size * share) for share in (plan.idle, plan.made_up, plan.unlisted))
        n_listed = size - n_idle - n_made_up - n_unlisted
        real = np.concatenate([self._listed.draw(rng, n_listed), self._unlisted.draw(rng, n_unlisted)])
        lived = _joined(self._real(rng, real), self._idle(rng, n_idle))
        joints, seen, depth, target = _joined(self._spliced(rng, *lived), self._made_up(rng, n_made_up))
        return self._finish(rng, joints, seen, depth, target), target

    def _finish(self, rng: np.random.Generator, joints: Array, seen: Mask, depth: Mask, target: Array) -> Array:
        how = self.plan.augmentation
        joints = augment.change_proportions(joints, rng, how.proportions)
        xy = augment.view(joints, depth, rng, how)
        xy, seen = augment.mirror(xy, seen, rng)
        moving = target[:, ACTIONS.index(IDLE)] == 0
        xy = augment.jitter(augment.change_drift(xy, rng, how.drift * moving), rng, how)
        upper = [self.outputs.names.index(a) for a in _UPPER_BODY if a != OTHER]
        legs_matter = target[:, [i for i in range(len(self.outputs.listed)) if i not in upper]].sum(axis=1) > 0.01
        seen = augment.lose_joints(seen, rng, how, legs_matter)
        return clip_features(xy, seen.astype(np.float32), RATE_FPS)

    def _windows(self, rng: np.random.Generator, recordings: NDArray[np.intp], speed: float = 1.0) -> Positions:
        """Frame positions (N, 30) of random windows; the livelier of two, since recordings begin and end in rest."""
        a, b = (self._positions(rng, recordings, speed) for _ in range(2))
        livelier = self._liveliness(recordings, b) > self._liveliness(recordings, a)
        return np.where(livelier[:, None], b, a)

    def _positions(self, rng: np.random.Generator, recordings: NDArray[np.intp], speed: float) -> Positions:
        corpus, n = self.corpus, len(recordings)
        last = (corpus.length[recordings] - 1).astype(np.float64)
        slowest, fastest = (float(np.log(w)) for w in self.plan.warp)
        warp = np.exp(rng.uniform(slowest, fastest, n)) * speed
        span = warp * (FRAMES - 1) / RATE_FPS * corpus.fps[recordings]
        short = span > last  # stretch most of a short recording over the window; hold its ends for the rest
        span = np.where(short, np.minimum(span, last * rng.uniform(0.85, 1.15, n)), span)
        margin = 0.12 * span
        start = rng.uniform(np.minimum(-margin, last - span), np.maximum(last - span + margin, 0))
        positions: Positions = start[:, None] + span[:, None] * np.linspace(0, 1, FRAMES)
        return positions

    def _liveliness(self, recordings: NDArray[np.intp], positions: Positions) -> Array:
        joints, _ = gather(self.corpus, recordings, positions[:, ::3])
        speed: Array = np.abs(np.diff(augment.unit_size(joints), axis=1)).mean(axis=(1, 2, 3))
        return speed

    def _target(self, outputs: NDArray[np.intp]) -> Array:
        return np.eye(len(self.outputs), dtype=np.float32)[outputs]

    def _real(self, rng: np.random.Generator, recordings: NDArray[np.intp]) -> Clips:
        joints, seen = gather(self.corpus, recordings, self._windows(rng, recordings))
        joints = augment.unit_size(joints)
        # A live detector guesses hidden joints; where readers gave them a place, half of the clips show it.
        seen = seen | (rng.random(len(seen)) < 0.5)[:, None, None]
        return joints, seen, self.corpus.depth[recordings], self._target(self.outputs.of_recording[recordings])

    def _spliced(self, rng: np.random.Generator, joints: Array, seen: Mask, depth: Mask, target: Array) -> Clips:
        """Some clips end with the motion of another of the same number of dimensions, which takes over the target
        when it fills two fifths of the clip. Half of these begin or end in rest, as actions do."""
        n = len(joints)
        idle = np.flatnonzero(target[:, ACTIONS.index(IDLE)] == 1)
        partner = np.where(rng.random(n) < 0.25, rng.choice(idle, n), rng.permutation(n))
        chosen = (rng.random(n) < self.plan.spliced) & (depth == depth[partner])
        chosen[idle] |= (rng.random(len(idle)) < 0.4) & (depth == depth[partner])[idle]
        share = np.where(chosen, rng.uniform(0.1, 0.7, n), 0)
        joints, seen = splice(joints, seen, partner, share)
        newer = share * (1 - _TAKES_OVER)
        older = (1 - share) * _TAKES_OVER
        weight = (newer**2 / (newer**2 + older**2))[:, None].astype(np.float32)
        return joints, seen, depth, (1 - weight) * target + weight * target[partner]

    def _idle(self, rng: np.random.Generator, n: int) -> Clips:
        pick = rng.integers(0, len(self._still_recording), n)
        recordings = self._still_recording[pick]
        held = np.repeat(self._still_frame[pick][:, None], FRAMES, axis=1).astype(np.float32)
        joints, seen = gather(self.corpus, recordings, held)
        joints = sway(augment.unit_size(joints), rng)
        return joints, seen, self.corpus.depth[recordings], self._target(np.full(n, ACTIONS.index(IDLE)))

    def _made_up(self, rng: np.random.Generator, n: int) -> Clips:
        """Motions nobody makes, in four kinds."""
        recordings = rng.choice(self._any, n)
        which = rng.integers(0, len(_MADE_UP), n)
        held, limbs, speed, noise = (which == i for i in range(len(_MADE_UP)))
        positions = np.where(speed[:, None], self._positions(rng, recordings, 4.0), self._windows(rng, recordings))
        slow = speed & (rng.random(n) < 0.5)
        middle = positions[:, FRAMES // 2, None]
        positions = np.where(slow[:, None], middle + (positions - middle) * 0.06, positions)
        positions = np.where(held[:, None], middle, positions)
        joints, seen = gather(self.corpus, recordings, positions)
        joints = augment.unit_size(joints)
        depth = self.corpus.depth[recordings]
        partner = rng.permutation(n)
        limbs &= depth == depth[partner]
        joints = np.where(limbs[:, None, None, None], exchange_legs(joints, joints[partner]), joints)
        moved = joints[:, :1] + augment.smooth_noise(joints.shape, rng, 2.0) * rng.uniform(0.1, 0.4, (n, 1, 1, 1))
        joints = np.where(noise[:, None, None, None], moved, joints).astype(np.float32)
        outputs = self.outputs.made_up[which]
        frame = self.corpus.first[recordings] + np.clip(middle[:, 0], 0, self.corpus.length[recordings] - 1).astype(
            np.intp
        )
        outputs = np.where(held & self._restful[frame], ACTIONS.index(IDLE), outputs)
        return joints, seen, depth, self._target(outputs)


def _joined(a: Clips, b: Clips) -> Clips:
    joints, seen, depth, target = (np.concatenate(pair) for pair in zip(a, b, strict=True))
    return joints, seen, depth, target


class _Draw:
    """Draws recordings: first a group in proportion to its size ** balance, then one of the group, sets evened out."""

    def __init__(self, corpus: Corpus, members: NDArray[np.intp], group: NDArray[np.intp], balance: float) -> None:
        weight = np.zeros(len(members))
        for value in np.unique(group[members]):
            here = group[members] == value
            _, place, count = np.unique(corpus.dataset[members][here], return_inverse=True, return_counts=True)
            each = count[place] ** -0.5
            weight[here] = each / each.sum() * here.sum() ** balance
        self._members, self._probability = members, weight / weight.sum()

    def draw(self, rng: np.random.Generator, n: int) -> NDArray[np.intp]:
        return rng.choice(self._members, n, p=self._probability)


def gather(corpus: Corpus, recordings: NDArray[np.intp], positions: NDArray[np.floating]) -> tuple[Array, Mask]:
    """Joints (N, T, 13, 3) and seen (N, T, 13) at frame positions (N, T); between frames interpolated, ends held."""
    last = (corpus.length[recordings] - 1)[:, None]
    positions = np.clip(positions, 0, last)
    before = positions.astype(np.intp)
    after = np.minimum(before + 1, last)
    part = (positions - before).astype(np.float32)[..., None, None]
    first = corpus.first[recordings][:, None]
    joints = corpus.joints[first + before] * (1 - part) + corpus.joints[first + after] * part
    return joints, corpus.seen[first + before] & corpus.seen[first + after]


def splice(joints: Array, seen: Mask, partner: NDArray[np.intp], share: NDArray[np.floating]) -> tuple[Array, Mask]:
    """Clips whose last `share` (N,) of frames go on with the partner's motion from where the first part stopped."""
    frames = joints.shape[1]
    cut = np.round(frames * (1 - share)).astype(np.intp)
    now = np.arange(frames)
    follows = now >= cut[:, None]  # (N, T)
    hips = augment.middle(joints, [7, 8])
    rows = np.arange(len(joints))
    at = np.minimum(cut, frames - 1)
    offset = hips[rows, np.maximum(at - 1, 0)] - hips[partner, at]
    continued = joints[partner] + offset[:, None, None]
    out = np.where(follows[..., None, None], continued, joints)
    blend = (now == cut[:, None])[..., None, None]  # one frame half way, no jump
    out = np.where(blend, (joints + continued) / 2, out)
    return out.astype(np.float32), np.where(follows[..., None], seen[partner], seen)


def exchange_legs(joints: Array, other: Array) -> Array:
    """The upper body of one clip on the hips and legs of another."""
    out = other.copy()
    shift = augment.middle(other, [7, 8]) - augment.middle(joints, [7, 8])
    out[:, :, :7] = joints[:, :, :7] + shift[:, :, None]
    return out


def sway(joints: Array, rng: np.random.Generator) -> Array:
    """Still clips with a living body's small movements: sway of the whole, hands and head a little more."""
    n, frames, _, channels = joints.shape
    whole = augment.smooth_noise((n, frames, 1, channels), rng, 0.5) * rng.uniform(0, 0.02, (n, 1, 1, 1))
    height = np.array([0.9, *[0.7] * 2, *[0.6] * 4, *[0.5] * 2, 0.25, 0.25, 0, 0], np.float32)[:, None]
    lively = np.array([0.3, *[0.15] * 2, *[0.5] * 2, *[1.0] * 2, *[0.1] * 6], np.float32)[:, None]
    own = augment.smooth_noise(joints.shape, rng, 0.6) * lively * rng.uniform(0, 0.05, (n, 1, 1, 1))
    return (joints + whole * height + own).astype(np.float32)


_SEATED_AT_START = ("utd_mhad/sit_to_stand", "nw_ucla/stand_up")
_SEATED_AT_END = ("utd_mhad/stand_to_sit", "nw_ucla/sit_down")
_CROUCHING = ("utd_mhad/squat", "utd_mhad/lunge", "penn_action/squat", "penn_action/clean_and_jerk")


def _restful_frames(corpus: Corpus) -> Mask:
    """(F,) frames of people upright, standing or sitting, with their hands below the shoulders."""
    hips, shoulders = augment.middle(corpus.joints, [7, 8]), augment.middle(corpus.joints, [1, 2])
    torso = np.linalg.norm(shoulders - hips, axis=-1) + np.float32(1e-6)
    upright = (hips[:, 1] - shoulders[:, 1]) / torso > 0.93
    hands_low = (corpus.joints[:, 5:7, 1] - shoulders[:, None, 1]).min(axis=1) > 0.3 * torso
    knees_low = (corpus.joints[:, 9:11, 1] - hips[:, None, 1]).min(axis=1) > 0.5 * torso
    ankles_low = (corpus.joints[:, 11:, 1] - corpus.joints[:, 9:11, 1]).min(axis=1) > 0.45 * torso
    recording = np.repeat(np.arange(len(corpus)), corpus.length)
    place = np.arange(len(recording)) - corpus.first[recording]
    kind = np.array(corpus.kinds)[corpus.kind[recording]]
    standing = knees_low & ankles_low & ~np.isin(kind, _CROUCHING)
    seated = np.isin(kind, _SEATED_AT_START) & (place < 3)
    seated |= np.isin(kind, _SEATED_AT_END) & (corpus.length[recording] - 1 - place < 3)
    restful: Mask = upright & hands_low & (standing | seated) & corpus.seen.all(axis=1)
    return restful


def _idle_frames(corpus: Corpus, restful: Mask, chosen: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Restful frames (recording, place) of the chosen recordings, those of seated people repeated to a quarter."""
    recording = np.repeat(np.arange(len(corpus)), corpus.length)
    frames = np.flatnonzero(restful & chosen[recording])
    may_sit = np.isin(np.array(corpus.kinds)[corpus.kind[recording[frames]]], _SEATED_AT_START + _SEATED_AT_END)
    knees = corpus.joints[frames, 9:11, 1].mean(axis=-1) - corpus.joints[frames, 7:9, 1].mean(axis=-1)
    shins = corpus.joints[frames, 11:, 1].mean(axis=-1) - corpus.joints[frames, 9:11, 1].mean(axis=-1)
    sitting = frames[may_sit & (knees < 0.6 * shins)]
    repeats = len(frames) // (3 * max(len(sitting), 1))
    frames = np.concatenate([frames, np.repeat(sitting, repeats)])
    return recording[frames], frames - corpus.first[recording[frames]]
