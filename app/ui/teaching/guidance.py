"""What the page that teaches says: what to do next, what is being recorded, why training cannot begin."""

from collections.abc import Mapping

from app.names_in_text import action_in_text
from app.plurals import counted
from app.recording.recorder import RecorderState, RecorderView
from app.results import Result
from recognizer.decision import UNKNOWN
from recognizer.teaching.lesson import MIN_EXAMPLES, NOTHING

WANTED_TAKES = 5
_MAX_LEFT_OUT = 3  # actions that are named


def recording_text(action: str) -> str:
    """What to do while takes of an action, or of nothing, are recorded."""
    if action == NOTHING:
        return "Do what you always do, but none of your actions: all of it is kept as “nothing”."
    return f"Do {action_in_text(action)} once in each take, then stand still: the take ends by itself."


def next_step(counts: Mapping[str, int], nothing: int, *, ready: bool, tried: bool, trains: bool) -> str:
    """One sentence while nothing is recorded. counts: takes by the names of the actions; nothing: recordings of
    nothing; ready: it has been taught; tried: what was taught runs; trains: a training is in progress."""
    named = {name: count for name, count in counts.items() if name}
    if trains:
        return "Training: you can go on recording."
    if tried:
        return "Do your actions: what is seen appears below, and over the picture."
    if ready:
        return "Try it. Where it is wrong, record more takes and train again."
    if not any(counts.values()):
        name = next(iter(named), "")
        what = f"Press Record for {action_in_text(name)}" if name else "Name an action and press Record"
        return f"{what}, then step back: {WANTED_TAKES} takes follow one another, each after a countdown."
    few = next((name for name, count in named.items() if count < WANTED_TAKES), "")
    if few:
        wanted = counted(WANTED_TAKES - named[few], "more take")
        return f"Press Record for {action_in_text(few)}: {wanted} to go."
    if len(named) < 2 and not nothing:
        return "Add a second action, or record “nothing”, then train."
    return "Press Train." if nothing else "Record “nothing” for a minute, then train."


def cannot_train(counts: Mapping[str, int], nothing: int) -> str:
    """Why there is too little to learn from; "" where there is enough."""
    enough = [name for name, count in counts.items() if count >= MIN_EXAMPLES]
    if not enough:
        return f"An action needs {MIN_EXAMPLES} takes before it can be trained; {WANTED_TAKES} are better."
    if len(enough) == 1 and not nothing:
        return (
            f"To train, record a second action, or “nothing”: {action_in_text(enough[0])} has to differ from something."
        )
    return ""


def left_out(counts: Mapping[str, int]) -> str:
    """Which actions have too few takes to be trained, and how many are missing; "" where all have enough."""
    few = [(name, count) for name, count in counts.items() if name and count < MIN_EXAMPLES]
    sentences = [
        f"{action_in_text(name)} has {counted(count, 'take')} and is left out: it needs {MIN_EXAMPLES - count} more."
        for name, count in few[:_MAX_LEFT_OUT]
    ]
    if (others := len(few) - len(sentences)) > 0:
        sentences.append(f"{counted(others, 'other action has', 'other actions have')} too few takes, too.")
    return " ".join(sentences)


def take_text(view: RecorderView, count: int, nothing: bool, nothing_s: float) -> str:
    """What is being recorded. count: takes that there are already."""
    which = "" if nothing else f"Take {count + 1}"
    if view.state is RecorderState.COUNTDOWN:
        seconds = counted(view.seconds_left, "second")
        return f"{which} in {seconds}: step back" if which else f"It starts in {seconds}: step back"
    if nothing:
        return f"Recording {view.recorded_s:.0f} of {nothing_s:.0f} s: move as you always do; Stop keeps it"
    return f"{which}: do it now ({view.recorded_s:.1f} s), then stand still"


def nothing_text(seconds: float, wanted_s: float) -> str:
    """How much there is of everything else."""
    return f"{_minutes(seconds)} of {_minutes(wanted_s)}"


def live_text(result: Result) -> str:
    """What the live recognizer says of the first person."""
    for person in result.persons:
        decision = person.decision
        if decision is None:
            return "Seen now: wait a moment"
        if decision.action == UNKNOWN:
            return f"Seen now: none of the actions{f' ({decision.reason})' if decision.reason else ''}"
        return f"Seen now: {action_in_text(decision.action)} ({decision.score:.0%})"
    return "Seen now: nobody"


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
