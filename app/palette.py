"""Colours and label text that the saved video and the window share. Colours are (red, green, blue), 0..255."""

import colorsys
from functools import cache
from zlib import crc32

from app.names_in_text import action_in_text
from app.plurals import counted
from app.results import PersonResult
from recognizer.action_names import action_text as action_text
from recognizer.decision import HALF_BODY, IDLE, LOW_EVIDENCE, UNKNOWN, Decision

Rgb = tuple[int, int, int]

# Sky blue, orange, bluish green, yellow, reddish purple, vermilion and blue of Okabe and Ito, "Color Universal Design"
# (2008), and white: told apart with any kind of colour vision, the darker ones lightened for pictures.
PERSONS: tuple[Rgb, ...] = (
    *((86, 180, 233), (230, 159, 0), (0, 200, 140), (240, 228, 66)),
    *((224, 140, 190), (233, 110, 40), (70, 120, 255), (236, 236, 240)),
)
FADED: Rgb = (88, 88, 96)  # joints and bones that are hardly seen
LABEL_BACKGROUND: Rgb = (24, 24, 28)
LABEL_TEXT: Rgb = (255, 255, 255)

_IDLE: Rgb = (150, 158, 168)
_UNKNOWN: Rgb = (92, 96, 104)
# Everyday actions take the first places, which lie far apart on the colour circle; any other name is hashed.
_PLACES = {
    action: index
    for index, action in enumerate(
        (
            *("walk", "run", "sit_down", "stand_up", "pick_up", "wave", "clap", "throw", "punch", "kick"),
            *("squat", "push_up", "sit_up", "jumping_jacks", "pull_up", "swing"),
        )
    )
}
_GOLDEN = 0.6180339887


def person_rgb(person: int) -> Rgb:
    """The colour of a person's skeleton and label."""
    return PERSONS[person % len(PERSONS)]


def confidence_rgb(confidence: float, person: int = 0) -> Rgb:
    """From FADED at confidence 0 to the person's colour at 1."""
    share = min(max(confidence, 0.0), 1.0)
    red, green, blue = (round(low + (high - low) * share) for low, high in zip(FADED, person_rgb(person), strict=True))
    return red, green, blue


@cache
def action_rgb(action: str) -> Rgb:
    """The colour of an action: the same in every run and for every recognizer."""
    if action == IDLE:
        return _IDLE
    if action == UNKNOWN:
        return _UNKNOWN
    place = _PLACES.get(action, len(_PLACES) + crc32(action.encode("utf-8", "replace")) % 1009)
    lightness = (0.58, 0.46, 0.70)[place % 3]
    red, green, blue = colorsys.hls_to_rgb((0.55 + place * _GOLDEN) % 1.0, lightness, 0.62)
    return round(red * 255), round(green * 255), round(blue * 255)


def text_rgb(background: Rgb) -> Rgb:
    """Black or white, whichever reads better on a background (relative luminance of ITU-R BT.709)."""
    red, green, blue = background
    return (0, 0, 0) if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140 else (255, 255, 255)


# Under this score a shown action is about to give way to another: its percentage would say nothing of what is seen.
_DOUBTFUL = 0.3
NONE_KNOWN = "unknown action"


def state_text(decision: Decision) -> str:
    """The shown state in words that its figures bear out: "idle, ending" where another action is ahead by now, and
    "unknown action" where the figures themselves say unknown."""
    if decision.action == UNKNOWN:
        return NONE_KNOWN if reason_text(decision) != decision.reason else UNKNOWN
    said = action_in_text(decision.action)
    return f"{said}, ending" if is_ending(decision) else said


def reason_text(decision: Decision) -> str:
    """Why it is unknown; "" where state_text() says it already."""
    leads = bool(decision.top) and decision.top[0][0] == UNKNOWN
    return "" if decision.reason == LOW_EVIDENCE and leads else decision.reason


def is_ending(decision: Decision) -> bool:
    """Whether something else is more likely than the action that is still shown."""
    return decision.action != UNKNOWN and any(p > decision.score for a, p in decision.top if a != decision.action)


def view_text(decision: Decision) -> str:
    """ "upper body only" where no more than that was judged; "" otherwise, and where the reason says so already."""
    return "upper body only" if decision.view == "upper" and decision.reason != HALF_BODY else ""


def label_text(person: PersonResult, explained: str = "", *, numbered: bool = False) -> str:
    """What stands at a person's head: "sit down 93%", or "unknown" with the reason, or that it is too early.

    Behind it how often it was repeated, and where it is so, that only the upper body was judged. explained: the action
    that circles on the joints are for. numbered: with the person's number before it, where there are several.
    """
    decision, number = person.decision, str(person.pose.person + 1) if numbered else ""
    if decision is None:
        return f"{number} · watching" if number else "watching"
    circles = f"circles: {action_in_text(explained)}" if explained else ""
    parts = number, _state_text(decision), count_text(person), view_text(decision), circles
    return " · ".join(text for text in parts if text)


def count_text(person: PersonResult) -> str:
    """ "5 times", or "" before the first repetition."""
    return counted(person.count, "time") if person.count else ""


def _state_text(decision: Decision) -> str:
    text = state_text(decision)
    if decision.action == UNKNOWN:
        return f"{text}: {reason}" if (reason := reason_text(decision)) else text
    if decision.score < _DOUBTFUL or is_ending(decision):
        return text
    return f"{text} {round(decision.score * 100)}%"
