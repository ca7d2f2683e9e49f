"""What the page that teaches says: what to do next, what is being recorded, why training cannot begin."""

from collections.abc import Mapping

from app.palette import action_text
from app.plurals import counted
from app.recording.recorder import RecorderState, RecorderView
from app.results import Result
from recognizer.decision import UNKNOWN
from recognizer.teaching.lesson import FEWEST_EXAMPLES

WANTED_TAKES = 5


def next_step(counts: Mapping[str, int], nothing: int, ready: bool, tried: bool) -> str:
    """One sentence. counts: takes by the names of the actions; nothing: recordings of nothing; ready: it has been
    taught; tried: what was taught runs."""
    named = {name: count for name, count in counts.items() if name}
    if tried:
        return "Do your actions: what is seen appears below, and over the picture."
    if ready:
        return "Try it. Where it is wrong, record more takes and train again."
    if not any(counts.values()):
        name = next(iter(named), "")
        what = f"Press Record for {action_text(name)}" if name else "Name an action and press Record"
        return f"{what}, then step back: {WANTED_TAKES} takes follow one another, each after a countdown."
    few = next((name for name, count in named.items() if count < WANTED_TAKES), "")
    if few:
        return f"Do {action_text(few)} once in each take, then stand still: the take ends by itself."
    if len(named) < 2:
        return "Add a second action, or record “nothing”, then train."
    return "Press Train." if nothing else "Record “nothing” for a minute, then train."


def cannot_train(counts: Mapping[str, int], nothing: int) -> str:
    """Why there is too little to learn from; "" where there is enough."""
    enough = [name for name, count in counts.items() if count >= FEWEST_EXAMPLES]
    if not enough:
        return f"An action needs {FEWEST_EXAMPLES} takes before it can be trained; {WANTED_TAKES} are better."
    if len(enough) == 1 and not nothing:
        return f"To train, record a second action, or “nothing”: {action_text(enough[0])} has to differ from something."
    return ""


def take_text(view: RecorderView, count: int, nothing: bool, nothing_s: float) -> str:
    """What is being recorded. count: takes that there are already."""
    which = "" if nothing else f"Take {count + 1}"
    if view.state is RecorderState.COUNTDOWN:
        seconds = counted(max(1, round(view.left_s + 0.5)), "second")
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
        return f"Seen now: {action_text(decision.action)} ({decision.score:.0%})"
    return "Seen now: nobody"


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
