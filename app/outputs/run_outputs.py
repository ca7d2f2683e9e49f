"""Where the results of a run go besides the window: JSON lines, the event stream, the video, and printed changes."""

import logging
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import OutputError
from app.live.engine import Engine, Tap
from app.palette import action_text, view_text
from app.results import Result
from app.settings import RunOptions
from pose.address import local_path

if TYPE_CHECKING:
    from app.live.relevance import JointRelevance
    from app.outputs.events import EventServer
    from app.outputs.video_writer import VideoWriter


log = logging.getLogger(__name__)


class Outputs:
    """Opens every output that the options name; OutputError when one cannot be opened, with none left open.

    printing: a line on stdout for each change of action. mirror and model may be changed at any time: how the video is
    drawn, and what is explained in it. events_url: where the stream is, with the port that it got. pipe_closed: the
    reader of our stdout has gone (`| head -3`), which ends a run and is no failure.
    """

    def __init__(self, options: RunOptions, *, printing: bool = False) -> None:
        self.mirror = options.mirror
        self.model = options.model
        self.pipe_closed = False
        self.events_url = ""
        self._taps: list[Callable[[Engine], Tap]] = []
        named = {"--save": options.save, "--json": options.json, "--events-csv": options.events_csv}
        outputs = {option: Path(name) for option, name in named.items() if name is not None and name != "-"}
        _refuse_one_for_two(outputs)
        self._files = list(outputs.values())
        self._refuse_overwriting(options.source)
        for what, read in (("file of rules", options.alerts), ("pose model", options.pose_model)):
            if read is not None:
                self._refuse(read, what)
        with ExitStack() as opened:
            self._open(options, opened)
            self._opened = opened.pop_all()
        if printing:
            self._taps.append(lambda engine: self._to_stdout(ChangePrinter()))

    def attach(self, engine: Engine) -> None:
        """Send every result of this run to the outputs; for several runs in a row, call it once for each.

        Raises OutputError if the run reads a file that an output writes.
        """
        self._refuse_overwriting(engine.options.source)
        for make_tap in self._taps:
            engine.add_tap(make_tap(engine))

    def close(self) -> None:
        """Finish what was written. Raises OutputError when that fails; everything is closed all the same."""
        self._opened.close()

    def _refuse_overwriting(self, source: str) -> None:
        self._refuse(local_path(source), "video")

    def _refuse(self, read: Path, what: str) -> None:
        for file in self._files:
            if _is_same(file, read):
                raise OutputError(f"cannot write {file}: it is the {what} that is read; give the output another name")

    def _open(self, options: RunOptions, opened: ExitStack) -> None:
        # Each brings libraries of its own: only what is asked for is imported. What empties a file is opened last, so
        # that a mistake in another output costs no lines; it gets the results first, so as not to wait for drawing.
        if options.events is not None:
            from app.outputs.events import EventServer

            server = EventServer(options.events)
            opened.callback(server.close)
            self.events_url = server.url
            self._taps.append(lambda engine: _in_file_time(engine, _EventTap(server, engine)))
        if options.save is not None:
            from app.outputs.video_writer import VideoWriter

            drawing = _VideoTap(VideoWriter(options.save), self, explain=options.explain)
            opened.callback(drawing.close)
            self._taps.append(drawing.follow)
        if options.json is not None:
            from app.outputs.json_lines import JsonLinesWriter, result_lines

            writer = JsonLinesWriter(None if options.json == "-" else Path(options.json))
            opened.callback(writer.close)
            tap = self._to_stdout(lambda result: writer.write(result_lines(result)))
            self._taps.insert(0, lambda engine: _in_file_time(engine, tap))
        if options.events_csv is not None:
            from app.outputs.event_table import EventTableWriter

            table = EventTableWriter(options.events_csv)
            opened.callback(table.close)
            self._taps.insert(0, lambda engine: _in_file_time(engine, table))

    def _to_stdout(self, tap: Tap) -> Tap:
        def guarded(result: Result) -> None:
            if self.pipe_closed:
                return
            try:
                tap(result)
            except (OutputError, OSError) as error:
                if not isinstance(error.__context__ or error, BrokenPipeError):
                    raise
                self.pipe_closed = True

        return guarded


def _refuse_one_for_two(outputs: dict[str, Path]) -> None:
    """Raises OutputError where two options name one file: each would write over the other's."""
    for (option, file), (other, same) in combinations(outputs.items(), 2):
        there = file.exists()
        if there and not file.is_file():  # /dev/null, for one, takes everything
            continue
        if _is_same(file, same) if there else file.resolve() == same.resolve():
            raise OutputError(f"{option} and {other} both name {file}; give each a file of its own")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # one of them is not there, or is no name of a file
        return False


def _is_lossless(engine: Engine) -> bool:
    """As the engine takes frames: each one, of a source that waits for it, as fast as it can be worked on."""
    source = engine.info.source
    return not engine.options.paced and source is not None and not source.live


def _in_file_time(engine: Engine, tap: Tap) -> Tap:
    """Give a tap the times of the played file: the run's own clock keeps going at a jump."""

    def timed(result: Result) -> None:
        played = engine.playback
        if played is None:
            tap(result)
            return
        file_s = played.file_s
        events = tuple(replace(event, time_s=file_s(event.time_s)) for event in result.events)
        repetitions = tuple(replace(each, time_s=file_s(each.time_s)) for each in result.repetitions)
        frame = replace(result.frame, time_s=file_s(result.frame.time_s))
        tap(replace(result, frame=frame, events=events, repetitions=repetitions))

    return timed


class _EventTap:
    """Publishes the lines, and says what is running whenever that changes."""

    def __init__(self, server: "EventServer", engine: Engine) -> None:
        self._server = server
        self._engine = engine
        self._announced: tuple[str, tuple[str, ...]] = ("", ())

    def __call__(self, result: Result) -> None:
        from app.outputs.json_lines import result_lines

        info = self._engine.info
        if self._announced != (info.recognizer, info.actions):
            self._announced = info.recognizer, info.actions
            self._server.hello(info.recognizer, info.actions)
        self._server.publish(result_lines(result))


class _VideoTap:
    """Draws each result into the video; a later run goes on where the one before ended."""

    def __init__(self, video: "VideoWriter", outputs: Outputs, *, explain: bool) -> None:
        self._video = video
        self._explain = explain
        self._relevance: JointRelevance | None = None
        self._outputs = outputs
        self._starting: Engine | None = None  # whose first result has not come yet
        self._offset_s = self._last_s = 0.0

    def follow(self, engine: Engine) -> Tap:
        self._starting = engine
        return self

    def close(self) -> None:
        """Finish the video, and tell what is not in it. Raises OutputError."""
        if self._relevance is not None:
            self._relevance.close()
        self._video.close()
        if self._video.note:
            log.warning("%s", self._video.note)

    def _begin(self, engine: Engine, time_s: float) -> None:
        """A run has its first result: only now is it known whether its source waits."""
        self._starting, self._offset_s = None, self._last_s + 0.04 - time_s
        lossless = _is_lossless(engine)
        if self._explain and (self._relevance is None or lossless != self._video.lossless):
            from app.live.relevance import JointRelevance

            if self._relevance is not None:
                self._relevance.close()
            self._relevance = JointRelevance(self._outputs.model, wait=lossless)
        self._video.lossless = lossless

    def __call__(self, result: Result) -> None:
        from app.outputs.overlay import NO_RELEVANCE, NOTHING_EXPLAINED, draw

        if self._starting is not None:
            self._begin(self._starting, result.frame.time_s)
        time_s = result.frame.time_s + self._offset_s
        if time_s > self._last_s:  # the end of a run repeats its last frame
            self._last_s = time_s
            relevance, explained = NO_RELEVANCE, NOTHING_EXPLAINED
            if self._relevance is not None:
                self._relevance.use(self._outputs.model)
                relevance, explained = self._relevance(result), self._relevance.actions
            picture = draw(result, mirror=self._outputs.mirror, relevance=relevance, explained=explained)
            self._video.write(picture, time_s)


class ChangePrinter:
    """A tap that writes a line to stdout whenever the action of a person changes, or the view becomes empty."""

    def __init__(self) -> None:
        self._actions: dict[int | None, str] = {}

    def __call__(self, result: Result) -> None:
        """The tap. Raises OutputError where stdout cannot be written."""
        lines = []
        for person in result.persons:
            decision = person.decision
            if decision is None or self._actions.get(person.pose.person) == decision.action:
                continue
            self._actions.pop(None, None)
            self._actions[person.pose.person] = decision.action
            notes = ", ".join(note for note in (decision.reason, view_text(decision)) if note)
            why = f"  ({notes})" if notes else ""
            who = f"{result.frame.time_s:8.2f} s  person {decision.person}"
            lines.append(f"{who}  {action_text(decision.action):<16}{decision.score:5.2f}{why}\n")
        if result.nobody and None not in self._actions:
            self._actions = {None: ""}
            lines.append(f"{result.frame.time_s:8.2f} s  nobody in view\n")
        if lines:
            try:
                sys.stdout.writelines(lines)
                sys.stdout.flush()
            except BrokenPipeError:
                raise
            except OSError as error:
                raise OutputError(f"cannot print results: {error.strerror}; send them elsewhere") from error
