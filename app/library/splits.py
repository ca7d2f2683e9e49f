"""Splits of segments into train, validation and test by group: a person, a session, a recording.

Segments of one recording are similar, so a split that separates them is too optimistic. Groups stay whole.
"""

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from app.library.edit_operations import PARTS
from app.library.rows import SegmentRow
from recognizer.teaching.copies import joined_groups

By = Literal["person", "session", "recording", "segment"]
BY: tuple[By, ...] = ("person", "session", "recording", "segment")
SHARES = (70, 15, 15)  # of train, validation and test, in hundredths
_DRAWS = 200
NOT_KNOWN = ""  # the group of segments whose person or session nobody has named

Groups = dict[str, list[int]]


def grouped(segments: Iterable[SegmentRow], by: By) -> Groups:
    """The ids of segments that go into a part together, by the name of their group, in the order of the segments."""
    found: Groups = {}
    for segment in segments:
        name = {
            "person": segment.who,
            "session": segment.session,
            "recording": segment.recording,
            "segment": segment.name,
        }[by]
        found.setdefault(name or NOT_KNOWN, []).append(segment.id)
    return found


def part_of(segments: Sequence[int], parts: Mapping[int, str]) -> str:
    """The part of all segments of a group, "" if they have none, "mixed" if they differ."""
    found = {parts.get(segment, "") for segment in segments}
    return next(iter(found)) if len(found) == 1 else "mixed"


def share_out(
    segments: Sequence[SegmentRow],
    by: By,
    seed: int = 0,
    shares: Sequence[int] = SHARES,
    copies: Iterable[tuple[int, int]] = (),
) -> dict[int, str]:
    """The part of each segment by its id: groups assigned at random; of many draws the one whose parts come nearest to
    their share of every action. With two groups or more, train and test are not empty.

    copies: ids of segments of the same moment (app.library.copies.copy_pairs), whose groups stay together.
    """
    groups = _joined(list(grouped(segments, by).values()), copies)
    action = {segment.id: segment.action for segment in segments}
    of_group = [Counter(action[segment] for segment in members) for members in groups]
    total = Counter(segment.action for segment in segments)
    wanted = {
        (part, a): total[a] * share / sum(shares) for part, share in zip(PARTS, shares, strict=True) for a in total
    }
    chance, best, least = random.Random(seed), ["train"] * len(groups), math.inf
    for _ in range(_DRAWS if len(groups) > 1 else 0):
        drawn = chance.choices(PARTS, shares, k=len(groups))
        if not {"train", "test"} <= set(drawn):
            first, second = chance.sample(range(len(groups)), 2)
            drawn[first], drawn[second] = "train", "test"
        found: Counter[tuple[str, str | None]] = Counter()
        for part, counts in zip(drawn, of_group, strict=True):
            found.update({(part, a): count for a, count in counts.items()})
        off = sum(abs(found[place] - number) for place, number in wanted.items())
        if off < least:
            best, least = drawn, off
    return {segment: part for members, part in zip(groups, best, strict=True) for segment in members}


def _joined(groups: list[list[int]], copies: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Groups that share a moment as one."""
    place = {segment: number for number, members in enumerate(groups) for segment in members}
    pairs = [(place[a], place[b]) for a, b in copies if a in place and b in place]
    firsts = joined_groups(len(groups), pairs).tolist()
    found: dict[int, list[int]] = {}
    for members, first in zip(groups, firsts, strict=True):
        found.setdefault(first, []).extend(members)
    return list(found.values())
