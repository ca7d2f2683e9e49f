"""Batches of training clips drawn from a corpus: real windows, stillness, and made-up negatives."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recognizer.features import RATE_FPS, clip_features
from recognizer.training import augment
from recognizer.training.augment import Array, Augmentation, Mask
from recognizer.training.everyday import ACTIONS, IDLE, OTHER, WEBCAM_POSES, Corpus, placed_by_readers
from recognizer.training.rest import idle_frames, resting_frames
from recognizer.training.synthetic.actions import GENERATED
from recognizer.training.synthetic.composed import exercise, gesture

FRAMES = 30
Clips = tuple[Array, Mask, Mask, Array]  # joints (N, T, 13, 3), seen (N, T, 13), depth (N,), target (N, outputs)
Positions = NDArray[np.float64]  # (N, T) places in recordings, in their own frames
_UPPER_BODY = ("idle", "wave", "clap", "throw", "punch")
# Share of a window from which on a newer motion outweighs the one before: small, so that a change is recognized soon.
_TAKEOVER_SHARE = 0.25
_FIRST_OF_LEGS = 7  # the joints before are head, shoulders and arms, those from here on hips and legs
_JOIN_FRAMES = 2  # frames to either side of a join over which a pose becomes another
_WINDOW_S, _MAX_WINDOWS = (FRAMES - 1) / RATE_FPS, 12
_MIN_ACTION_S = 0.3  # of an action must be in a window that shows it
_UPRIGHT = 0.8  # cosine of the trunk's tilt
_REST_S = 1.3  # of the rest after an action that windows show
_HELD_SHARE = 0.4  # of the windows that reach back before a recording begin with its first pose, held
_MADE_UP = ("held pose", "mixed limbs", "wrong speed", "noise", "turned over", "exercise", "gesture")
_MADE_UP_SHARES = (0.1, 0.08, 0.1, 0.1, 0.12, 0.32, 0.18)
# Actions of the arms alone and of the legs alone, and the actions whose legs may replace those of an arm action.
_LED_BY_ARMS, _LED_BY_LEGS = ("wave", "clap", "throw", "punch"), ("kick",)
_LEND_LEGS = ("idle", "walk", *_LED_BY_ARMS)


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Shares of a batch; the rest are windows of listed actions."""

    unlisted: float = 0.30
    idle: float = 0.09
    made_up: float = 0.16
    lent: float = 0.25  # part of the windows of arm actions with another's legs, and of kicks with another's arms
    spliced: float = 0.15  # part of the windows of recordings that begin with another's motion though they need not
    balance: float = 0.4  # an action is drawn in proportion to (the sum of its recordings' sizes) ** balance
    generated: float = 2.0  # weight of a kind of unlisted motion that is generated, against one that was recorded
    people: float = 2.5  # weight of poses of real people before a camera, against the research recordings
    warp: tuple[float, float] = (0.75, 1.3)  # duration of a window in its 1.5 s
    augmentation: Augmentation = field(default_factory=Augmentation)


class OutputSpace:
    """The network's outputs: the listed actions, then one for each kind of unlisted motion, which add up to OTHER."""

    def __init__(self, corpus: Corpus) -> None:
        self.listed = ACTIONS[:-1]
        unlisted = sorted({int(kind) for kind in corpus.kind[corpus.action == ACTIONS.index(OTHER)]})
        generated = [kind for kind in unlisted if corpus.kinds[kind].startswith(f"{GENERATED}/")]
        unlisted = [kind for kind in unlisted if kind not in generated]
        self.names = (*self.listed, *(corpus.kinds[kind] for kind in unlisted), *_MADE_UP)
        place = {kind: len(self.listed) + i for i, kind in enumerate(unlisted)}
        place |= dict.fromkeys(generated, self.names.index("exercise"))  # they add no output
        # (R,) output of each recording
        self.of_recording = np.array(
            [place.get(int(kind), int(action)) for kind, action in zip(corpus.kind, corpus.action, strict=True)]
        )
        self.made_up = np.array([self.names.index(name) for name in _MADE_UP])

    def __len__(self) -> int:
        return len(self.names)


class BatchMaker:
    """Makes random batches. A batch depends on the corpus, the plan and its random generator alone.

    A window shows what a live window would: it ends at some moment of an action, and what came before is the motion
    that led up to it, rest, or something else. Its target is the motion at its end, mixed with the one before while
    the newer one fills little of the window.
    """

    def __init__(self, corpus: Corpus, outputs: OutputSpace, plan: BatchPlan, chosen: Mask) -> None:
        """chosen: (R,) the recordings to draw from."""
        self.corpus, self.outputs, self.plan = corpus, outputs, plan
        other = corpus.action == ACTIONS.index(OTHER)
        self._listed = _RecordingSampler(corpus, np.flatnonzero(chosen & ~other), corpus.action, plan)
        self._unlisted = _RecordingSampler(corpus, np.flatnonzero(chosen & other), corpus.kind, plan)
        self._any = np.flatnonzero(chosen)
        self._placed = placed_by_readers(corpus)
        self._resting = resting_frames(corpus)
        self._still_recording, self._still_frame = idle_frames(corpus, self._resting, chosen)
        last = corpus.first + corpus.length - 1
        self._ends_in_rest = np.flatnonzero(chosen & self._resting[last] & (corpus.action != ACTIONS.index(IDLE)))
        upper = [self.outputs.names.index(action) for action in _UPPER_BODY]
        self._leg_outputs = [place for place in range(len(outputs.listed)) if place not in upper]
        legs = np.isin(corpus.action, self._leg_outputs) | other
        self._by_arms, self._by_legs, self._lend_legs = (
            [ACTIONS.index(action) for action in actions] for actions in (_LED_BY_ARMS, _LED_BY_LEGS, _LEND_LEGS)
        )
        self._arm_outputs = [*self._by_arms, outputs.names.index("gesture")]
        self._with_legs = np.flatnonzero(chosen & legs & ~np.isin(corpus.action, self._by_legs))

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Array, Array]:
        """Features (N, 30, F) and targets (N, outputs) that sum to 1."""
        plan = self.plan
        n_idle, n_made_up, n_unlisted = (round(size * share) for share in (plan.idle, plan.made_up, plan.unlisted))
        n_listed = size - n_idle - n_made_up - n_unlisted
        real = np.concatenate([self._listed.sample(rng, n_listed), self._unlisted.sample(rng, n_unlisted)])
        n_after = n_idle // 2 if len(self._ends_in_rest) else 0
        clips = _concatenated(self._recorded_clips(rng, real), self._idle_clips(rng, n_idle - n_after))
        if n_after:
            clips = _concatenated(clips, self._rest_clips(rng, n_after))
        clips = _concatenated(clips, self._made_up_clips(rng, n_made_up))
        return self._finish(rng, *clips), clips[3]

    def _finish(self, rng: np.random.Generator, joints: Array, seen: Mask, depth: Mask, target: Array) -> Array:
        how = self.plan.augmentation
        joints = augment.as_kinect(augment.change_proportions(joints, rng, how.proportions), depth, rng, how.kinect)
        xy = augment.view(joints, depth, rng, how)
        xy, seen = augment.mirror(xy, seen, rng)
        moving = target[:, ACTIONS.index(IDLE)] == 0
        xy = augment.jitter(augment.change_drift(xy, rng, how.drift * moving), rng, how)
        legs_matter = target[:, self._leg_outputs].sum(axis=1) > 0.01
        strict = legs_matter & (rng.random(len(xy)) < 0.7)
        arms = target[:, self._arm_outputs].sum(axis=1) > 0.5
        share = np.where(arms, how.desk, how.crop)
        seen = augment.lose_joints(augment.crop(xy, seen, rng, share, strict), rng, how)
        return clip_features(xy, seen.astype(np.float32), RATE_FPS)

    def _windows(self, rng: np.random.Generator, recordings: NDArray[np.intp]) -> tuple[Positions, Array]:
        """Frame positions (N, 30) of windows that end in the action, and the part (N,) of each that shows it."""
        corpus, n = self.corpus, len(recordings)
        fps, begin = corpus.fps[recordings], corpus.onset[recordings].astype(np.float64)
        stop = corpus.offset[recordings].astype(np.float64)
        least = np.minimum(begin + _MIN_ACTION_S * fps, stop)
        end = rng.uniform(least, stop + 0.1 * fps)
        span = self._warp(rng, n) * (FRAMES - 1) / RATE_FPS * fps
        # Half of those that are shorter than a window are stretched over most of it.
        whole = (corpus.length[recordings] - 1).astype(np.float64)
        short = (span > whole) & (corpus.lead[recordings] == 0) & (rng.random(n) < 0.5)
        span = np.where(short, np.minimum(span, whole * rng.uniform(0.85, 1.15, n)), span)
        end = np.where(short, np.minimum(whole, np.maximum(end, 0.95 * span)), end)
        positions: Positions = (end - span)[:, None] + span[:, None] * np.linspace(0, 1, FRAMES)
        return positions, np.clip((end - begin) / span, 0, 1).astype(np.float32)

    def _warp(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        slowest, fastest = (float(np.log(w)) for w in self.plan.warp)
        return np.exp(rng.uniform(slowest, fastest, n))

    def _target(self, outputs: NDArray[np.intp]) -> Array:
        return np.eye(len(self.outputs), dtype=np.float32)[outputs]

    def _recorded_clips(self, rng: np.random.Generator, recordings: NDArray[np.intp]) -> Clips:
        """Windows of recordings. What came before is in the recording, or its first pose held, or another's motion."""
        corpus, n = self.corpus, len(recordings)
        positions, share = self._windows(rng, recordings)
        joints, seen = gather(corpus, recordings, positions)
        joints = augment.unit_size(joints)
        # A live detector guesses hidden joints; where readers gave them a place, half of the clips show it.
        seen = seen | ((rng.random(n) < 0.5) & self._placed[recordings])[:, None, None]
        depth, own = corpus.depth[recordings], self._target(self.outputs.of_recording[recordings])
        joints, seen = self._exchange_limbs(rng, joints, seen, recordings)
        before = self._earlier_targets(recordings, own)
        partner = rng.permutation(n)
        lacks = (positions[:, 0] < -corpus.lead[recordings]) & (share < 1)
        cut = np.where(lacks, rng.random(n) > _HELD_SHARE, rng.random(n) < self.plan.spliced) & (
            depth == depth[partner]
        )
        share = np.where(cut & (share == 1), rng.uniform(0.2, 0.7, n), share).astype(np.float32)
        shown = np.where(cut, share, 1)
        joints, seen = splice(joints, seen, partner, shown)
        before = np.where(cut[:, None], own[partner], before)
        weight = newer_weight(share)[:, None]
        return joints, seen, depth, weight * own + (1 - weight) * before

    def _exchange_limbs(
        self, rng: np.random.Generator, joints: Array, seen: Mask, recordings: NDArray[np.intp]
    ) -> tuple[Array, Mask]:
        """Give some arm actions the legs of another upright person, and some kicks the arms of another."""
        corpus, n = self.corpus, len(recordings)
        action, partner = corpus.action[recordings], rng.permutation(n)
        may = (rng.random(n) < self.plan.lent) & (corpus.depth[recordings] == corpus.depth[recordings][partner])
        may &= upright(joints) & upright(joints)[partner]
        legs = may & np.isin(action, self._by_arms) & np.isin(action[partner], self._lend_legs)
        arms = may & np.isin(action, self._by_legs)
        out, out_seen = joints.copy(), seen.copy()
        out[legs] = exchange_legs(joints[legs], joints[partner[legs]])
        out_seen[legs, :, _FIRST_OF_LEGS:] = seen[partner[legs], :, _FIRST_OF_LEGS:]
        out[arms] = exchange_legs(joints[partner[arms]], joints[arms])
        out_seen[arms, :, :_FIRST_OF_LEGS] = seen[partner[arms], :, :_FIRST_OF_LEGS]
        return out, out_seen

    def _earlier_targets(self, recordings: NDArray[np.intp], own: Array) -> Array:
        """Targets (N, outputs) of what came before an action in its own recording."""
        corpus = self.corpus
        previous = corpus.previous[recordings]
        known = self._target(self.outputs.of_recording[np.maximum(previous, 0)])
        at_rest = self._resting[corpus.first[recordings]] & (corpus.lead[recordings] == 0)
        idle = self._target(np.full(len(recordings), ACTIONS.index(IDLE)))
        return np.where((previous >= 0)[:, None], known, np.where(at_rest[:, None], idle, own)).astype(np.float32)

    def _idle_clips(self, rng: np.random.Generator, n: int) -> Clips:
        """Windows of people who stand or sit and do nothing."""
        pick = rng.integers(0, len(self._still_recording), n)
        recordings = self._still_recording[pick]
        held = np.repeat(self._still_frame[pick][:, None], FRAMES, axis=1).astype(np.float32)
        joints, seen = gather(self.corpus, recordings, held)
        joints = sway(augment.unit_size(joints), rng)
        return joints, seen, self.corpus.depth[recordings], self._target(np.full(n, ACTIONS.index(IDLE)))

    def _rest_clips(self, rng: np.random.Generator, n: int) -> Clips:
        """Windows of the rest after an action, in which its last pose is held."""
        corpus = self.corpus
        recordings = rng.choice(self._ends_in_rest, n)
        fps, stop = corpus.fps[recordings], corpus.offset[recordings].astype(np.float64)
        rest = rng.uniform(_MIN_ACTION_S, _REST_S, n) * fps
        span = self._warp(rng, n) * (FRAMES - 1) / RATE_FPS * fps
        positions = (stop + rest - span)[:, None] + span[:, None] * np.linspace(0, 1, FRAMES)
        joints, seen = gather(corpus, recordings, positions)
        own = self._target(self.outputs.of_recording[recordings])
        weight = newer_weight(np.clip(rest / span, 0, 1).astype(np.float32))[:, None]
        idle = self._target(np.full(n, ACTIONS.index(IDLE)))
        return augment.unit_size(joints), seen, corpus.depth[recordings], weight * idle + (1 - weight) * own

    def _made_up_clips(self, rng: np.random.Generator, n: int) -> Clips:
        """Motions that no recording shows, in seven kinds."""
        which = rng.choice(len(_MADE_UP), n, p=_MADE_UP_SHARES)
        held, limbs, speed, noise, turned, moved, gestures = (which == i for i in range(len(_MADE_UP)))
        recordings = np.where(limbs, rng.choice(self._with_legs, n), rng.choice(self._any, n))
        positions, _ = self._windows(rng, recordings)
        middle = positions[:, FRAMES // 2, None]
        pace = np.where(rng.random(n) < 0.5, 0.06, 4.0)[:, None]
        positions = np.where(speed[:, None], middle + (positions - middle) * pace, positions)
        positions = np.where((held | moved)[:, None], middle, positions)
        still = rng.integers(0, len(self._still_recording), n)
        recordings = np.where(gestures, self._still_recording[still], recordings)
        positions = np.where(gestures[:, None], self._still_frame[still][:, None], positions)
        joints, seen = gather(self.corpus, recordings, positions)
        joints = augment.unit_size(joints)
        depth = self.corpus.depth[recordings]
        others = np.flatnonzero(limbs)
        partner = np.arange(n)
        partner[others] = rng.permutation(others)
        limbs &= (depth == depth[partner]) & (recordings != recordings[partner])
        joints = np.where(limbs[:, None, None, None], exchange_legs(joints, joints[partner]), joints)
        shaken = joints[:, :1] + augment.smooth_noise(joints.shape, rng, 2.0) * rng.uniform(0.1, 0.4, (n, 1, 1, 1))
        joints = np.where(noise[:, None, None, None], shaken, joints).astype(np.float32)
        joints[moved] = exercise(sway(joints[moved], rng), rng)
        joints[gestures] = gesture(sway(joints[gestures], rng), rng)
        angle = np.where(turned, rng.choice([-1, 1], n) * rng.uniform(55, 180, n), 0)
        level = np.zeros(n, np.float32)
        joints = augment.rotate(joints, level, level, np.radians(angle))
        return joints, seen, depth, self._made_up_target(which, recordings, middle[:, 0], limbs)

    def _made_up_target(
        self, which: NDArray[np.intp], recordings: NDArray[np.intp], middle: NDArray[np.float64], mixed: Mask
    ) -> Array:
        corpus = self.corpus
        frame = corpus.first[recordings] + np.clip(middle, 0, corpus.length[recordings] - 1).astype(np.intp)
        outputs = self.outputs.made_up[which]
        outputs = np.where((which == 0) & self._resting[frame], ACTIONS.index(IDLE), outputs)
        # Where no partner's legs could be used, the clip is the recorded one and keeps its label.
        whole = (which == 1) & ~mixed
        return self._target(np.where(whole, self.outputs.of_recording[recordings], outputs))


def newer_weight(share: Array) -> Array:
    """(N,) weight of the newer motion in the target when it fills a share (N,) of the window."""
    newer, older = share * (1 - _TAKEOVER_SHARE), (1 - share) * _TAKEOVER_SHARE
    weight: Array = (newer**2 / (newer**2 + older**2)).astype(np.float32)
    return weight


def _concatenated(a: Clips, b: Clips) -> Clips:
    joints, seen, depth, target = (np.concatenate(pair) for pair in zip(a, b, strict=True))
    return joints, seen, depth, target


class _RecordingSampler:
    """Samples recordings: a group in proportion to its size ** balance, then one of its recordings, data sets balanced.

    The size of a recording is the square root of the number of its windows, of at most 12 of them, and that of a group
    the sum over its recordings: one long recording is not a crowd.
    """

    def __init__(self, corpus: Corpus, members: NDArray[np.intp], group: NDArray[np.intp], plan: BatchPlan) -> None:
        seconds = corpus.length[members] / corpus.fps[members]
        size = np.sqrt(np.clip(seconds / _WINDOW_S, 1, _MAX_WINDOWS))
        people = corpus.dataset[members] == WEBCAM_POSES
        weight = np.zeros(len(members))
        for value in np.unique(group[members]):
            here = group[members] == value
            _, place = np.unique(corpus.dataset[members][here], return_inverse=True)
            total = np.bincount(place, size[here])
            each = size[here] / np.sqrt(total[place]) * np.where(people[here], plan.people, 1)
            made = plan.generated if (corpus.dataset[members][here] == GENERATED).all() else 1
            weight[here] = each / each.sum() * size[here].sum() ** plan.balance * made
        self._members, self._probability = members, weight / weight.sum()

    def sample(self, rng: np.random.Generator, n: int) -> NDArray[np.intp]:
        return rng.choice(self._members, n, p=self._probability)


def gather(corpus: Corpus, recordings: NDArray[np.intp], positions: NDArray[np.floating]) -> tuple[Array, Mask]:
    """Joints (N, T, 13, 3) and seen (N, T, 13) at frame positions (N, T); between frames interpolated, ends held.

    Positions below 0 are in what leads up to a recording, where there is something.
    """
    last = (corpus.length[recordings] - 1)[:, None]
    positions = np.clip(positions, -corpus.lead[recordings][:, None], last)
    before = np.floor(positions).astype(np.intp)
    after = np.minimum(before + 1, last)
    part = (positions - before).astype(np.float32)[..., None, None]
    first = corpus.first[recordings][:, None]
    joints = corpus.joints[first + before] * (1 - part) + corpus.joints[first + after] * part
    return joints, corpus.seen[first + before] & corpus.seen[first + after]


def splice(joints: Array, seen: Mask, partner: NDArray[np.intp], share: NDArray[np.floating]) -> tuple[Array, Mask]:
    """Clips that keep only the last `share` (N,) of their frames; before that comes the end of their partner's clip,
    moved to where they begin. Poses are interpolated linearly over the join."""
    n, frames = joints.shape[:2]
    cut = np.round(frames * (1 - share)).astype(np.intp)
    now, rows = np.arange(frames), np.arange(n)
    follows = now >= cut[:, None]  # (N, T)
    earlier = np.minimum(now + frames - cut[:, None], frames - 1)  # so that the partner's last frame is the one before
    context, context_seen = joints[partner[:, None], earlier], seen[partner[:, None], earlier]
    hips = augment.middle(joints, [7, 8])
    begin = np.minimum(cut, frames - 1)
    offset = hips[rows, begin] - hips[partner, -1]
    context = context + offset[:, None, None]
    out = np.where(follows[..., None, None], joints, context)
    left, right = np.maximum(cut - _JOIN_FRAMES, 0), np.minimum(cut + _JOIN_FRAMES - 1, frames - 1)
    part = np.clip((now - left[:, None]) / np.maximum(right - left, 1)[:, None], 0, 1).astype(np.float32)[
        ..., None, None
    ]
    across = (1 - part) * out[rows, left][:, None] + part * out[rows, right][:, None]
    joined = (now >= left[:, None]) & (now <= right[:, None]) & (cut > 0)[:, None]
    out = np.where(joined[..., None, None], across, out)
    return out.astype(np.float32), np.where(follows[..., None], seen, context_seen)


def exchange_legs(joints: Array, other: Array) -> Array:
    """The upper body of one clip on the hips and legs of another."""
    out = other.copy()
    shift = augment.middle(other, [7, 8]) - augment.middle(joints, [7, 8])
    out[:, :, :_FIRST_OF_LEGS] = joints[:, :, :_FIRST_OF_LEGS] + shift[:, :, None]
    return out


def upright(joints: Array) -> Mask:
    """(N,) clips whose trunk is upright throughout."""
    trunk = (augment.middle(joints, [7, 8]) - augment.middle(joints, [1, 2]))[..., :2]
    lowest: Array = (trunk[..., 1] / (np.linalg.norm(trunk, axis=-1) + np.float32(1e-6))).min(axis=1)
    return lowest > _UPRIGHT


def sway(joints: Array, rng: np.random.Generator) -> Array:
    """Still clips with a living body's small movements: sway of the whole, hands and head a little more."""
    n, frames, _, channels = joints.shape
    whole = augment.smooth_noise((n, frames, 1, channels), rng, 0.5) * rng.uniform(0, 0.02, (n, 1, 1, 1))
    height = np.array([0.9, *[0.7] * 2, *[0.6] * 4, *[0.5] * 2, 0.25, 0.25, 0, 0], np.float32)[:, None]
    lively = np.array([0.3, *[0.15] * 2, *[0.5] * 2, *[1.0] * 2, *[0.1] * 6], np.float32)[:, None]
    own = augment.smooth_noise(joints.shape, rng, 0.6) * lively * rng.uniform(0, 0.05, (n, 1, 1, 1))
    return (joints + whole * height + own).astype(np.float32)
