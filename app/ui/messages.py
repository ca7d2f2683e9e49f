"""What the video view says while there is no picture, and over a picture that stands still."""

from app.results import EngineState, PersonResult
from app.settings import RunOptions
from app.ui.choices import AUTO, DEMO, source_text
from app.ui.live_run import RunView
from recognizer.decision import HALF_BODY, UNKNOWN

_OTHERS = "Choose the demo (Ctrl+D), open a video file (Ctrl+O), or choose another source (Ctrl+1)"


def source_words(options: RunOptions) -> str:
    """The source that was asked for, in a sentence."""
    source = options.source
    if source == DEMO:
        return "the demo"
    if is_camera(options):
        return "the camera"
    return source_text(source)


def is_camera(options: RunOptions) -> bool:
    """Whether a camera was asked for."""
    return options.source == AUTO or options.source.isdecimal()


def empty_message(view: RunView) -> tuple[str, str]:
    """Title and hint while there is no picture."""
    if view.stopping:
        return "Closing the source…", ""
    if view.state is EngineState.FAILED:
        if view.failure is None or view.failure.stage != "source":
            return "It could not start", "See the message above"
        return ("No camera? Choose Demo" if is_camera(view.options) else "Nothing to show"), _OTHERS
    if view.state is EngineState.STOPPED:
        return "Stopped", "Press F5 to start"
    return f"Starting {source_words(view.options)}…", view.progress[:1].upper() + view.progress[1:]


def notice(view: RunView) -> str:
    """A few words over the last picture; "" while it is live."""
    if view.stopping:
        return "Stopping…"
    if view.state is EngineState.PAUSED:
        return "Paused"
    if view.state is EngineState.RETRYING:
        return f"Waiting for {source_words(view.options)}…"
    if view.state is EngineState.FAILED:
        return "Stopped"
    if view.state is EngineState.STOPPED:
        ended = view.info is not None  # by itself: the engine is still there
        return "The end. F5 plays it again" if ended else "Stopped. F5 starts"
    return ""


def advice(person: PersonResult | None) -> str:
    """What somebody can do for a better answer, where what is seen of the body is what limits it; "" elsewhere."""
    decision = person.decision if person is not None else None
    if decision is None or decision.action != UNKNOWN:
        return ""
    if decision.reason == HALF_BODY:
        return "Step back until your knees show"
    return "Upper body only: arm actions" if decision.view == "upper" else ""


def cannot_record(view: RunView) -> str:
    """Why no take can begin now, and what to do; "" while there are pictures."""
    ended = view.info is not None and not is_camera(view.options)
    return {
        EngineState.RUNNING: "",
        EngineState.STARTING: f"{_first_upper(source_words(view.options))} is still being opened: wait for the picture",
        EngineState.PAUSED: "It is paused: Ctrl+P resumes, then F8 records",
        EngineState.RETRYING: f"There is no picture: waiting for {source_words(view.options)}",
        EngineState.FAILED: "There is no picture: see the message above, or F5 starts again",
        EngineState.STOPPED: "The end: F5 plays it again, then F8 records" if ended else "It has stopped: F5 starts",
    }[view.state]


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
