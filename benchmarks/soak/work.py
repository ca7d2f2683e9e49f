"""The run under test, and the four kinds of work that are repeated on it."""

import asyncio
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from websockets.asyncio.client import connect

from app.capture.reader import Timing
from app.live.engine import Engine
from app.outputs.events import EventServer
from app.outputs.json_lines import result_lines
from app.recording.folder import recordings_folder
from app.recording.recorder import Recorder, RecorderState, TakeSettings
from app.results import EngineState
from app.settings import RunOptions
from benchmarks.soak.feeder import Feeder
from pose.errors import ActionLensError

KINDS = ("losses", "swaps", "clients", "recordings")
_TIMEOUT_S = 120.0
_TIMING = Timing(open_s=20.0, stall_s=20.0, retry_s=(0.01,))
_MODELS = ("act", "st-gcn")
_RESULTS_IN_A_TAKE = 5


class SoakError(ActionLensError):
    """Something that should have happened did not."""


class SoakRun:
    """A live run with an event stream and a recorder, on a stream that can be cut."""

    def __init__(self, feeder: Feeder, folder: Path, make_engine: Callable[..., Engine] = Engine) -> None:
        self._feeder, self._root = feeder, folder
        options = RunOptions(source=feeder.url, provider="cpu", paced=True)
        self._events = EventServer("ws://127.0.0.1:0", model="act")
        self.engine = make_engine(options, timing=_TIMING)
        self.engine.add_tap(lambda result: self._events.publish(result_lines(result)))
        self.results = 0
        self.engine.add_tap(self._count)
        self._saved: list[Path] = []
        self._recorder = Recorder(folder, "soak", options.layout, saved=self._saved.append, failed=self._add_problem)
        self._problems: list[str] = []
        self._recorder.arm(
            TakeSettings("", "Ada", "wave", countdown_s=0, pre_roll_s=0.2, longest_s=30, when_still=False)
        )
        self.engine.add_tap(self._recorder)
        self._model = 0
        self.engine.start()
        self._wait_until(lambda: self.results > 5, "the first results")

    def losses(self, count: int) -> None:
        """The source is lost and comes back."""
        before = self._feeder.connections
        self._feeder.cut(True)
        self._wait_until(lambda: self._feeder.connections >= before + count, "the source back", _TIMEOUT_S + count)
        self._feeder.cut(False)
        self._wait_until_running()

    def swaps(self, count: int) -> None:
        """Another recognizer while the run goes on."""
        for _ in range(count):
            self._swap()

    def clients(self, count: int) -> None:
        """Clients of the event stream, all at once: some close, some vanish, some never finish their request."""
        asyncio.run(self._clients(count))

    def recordings(self, count: int) -> None:
        """Takes, begun and ended; removed afterwards, so that what is left of files is left over."""
        for _ in range(count):
            self._record()
        for folder in self._saved:
            if not (folder / "recording.json").is_file():
                raise SoakError(f"{folder} holds no recording")
            shutil.rmtree(folder)
        self._saved.clear()
        left = sorted(path.name for path in recordings_folder(self._root).iterdir())
        if left:
            raise SoakError(f"left over beside the recordings: {', '.join(left[:5])}")

    def close(self) -> None:
        """End the run."""
        self._recorder.close()
        self.engine.stop(5.0)
        self._events.close()

    def __enter__(self) -> "SoakRun":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _swap(self) -> None:
        self._model = 1 - self._model
        wanted = _MODELS[self._model]
        self.engine.swap_recognizer(wanted, "cpu")
        self._wait_until(lambda: self.engine.info.recognizer == wanted, f"recognizer {wanted}")

    def _record(self) -> None:
        kept = len(self._saved)
        self._recorder.start()
        self._wait_until(lambda: self._recorder.view.state is RecorderState.RECORDING, "a take that begins")
        enough = self.results + _RESULTS_IN_A_TAKE
        self._wait_until(lambda: self.results >= enough, "results in a take")
        self._recorder.stop()
        self._wait_until(lambda: len(self._saved) > kept, "a take that is kept")
        self._wait_until(lambda: self._recorder.view.state is RecorderState.READY, "a recorder that is ready")

    def _count(self, _: object) -> None:
        self.results += 1

    def _add_problem(self, line: str) -> None:
        self._problems.append(line)

    def _wait_until_running(self) -> None:
        self._wait_until(lambda: self.engine.state is EngineState.RUNNING, "a run that goes on")
        before = self.results
        self._wait_until(lambda: self.results > before + 2, "results after a loss")

    def _wait_until(self, condition: Callable[[], bool], what: str, timeout_s: float = _TIMEOUT_S) -> None:
        end_s = time.monotonic() + timeout_s
        while not condition():
            failure = self.engine.failure
            if failure is not None and failure.fatal:
                raise SoakError(f"the run has failed: {failure.message}")
            if self._problems:
                raise SoakError(self._problems[0])
            if time.monotonic() > end_s:
                raise SoakError(f"{what}: waited for {timeout_s:.0f} s in vain; {self.engine.state}, {failure}")
            time.sleep(0.005)

    async def _clients(self, count: int) -> None:
        url = self._events.url
        greeted = await asyncio.gather(*(_client(url, number) for number in range(count)))
        if sum(greeted) != sum(number % 4 != 3 for number in range(count)):
            raise SoakError(f"only {sum(greeted)} of {count} clients were greeted")
        await _wait_until_gone(self._events)


async def _client(url: str, number: int) -> bool:
    """Whether a client was greeted and got a line. Each fourth never finishes its request, each third aborts."""
    if number % 4 == 3:
        host, _, port = url.removeprefix("ws://").partition(":")
        with socket.create_connection((host, int(port))) as silent:
            silent.sendall(b"GET / HT")
        return False
    connection = await connect(url, open_timeout=60)
    try:
        greeting, line = await connection.recv(), await asyncio.wait_for(connection.recv(), 60)
        return '"hello"' in str(greeting) and bool(line)
    finally:
        if number % 3 == 0:
            connection.transport.abort()
        else:
            await connection.close()


async def _wait_until_gone(events: EventServer) -> None:
    end_s = time.monotonic() + 30
    while events.clients and time.monotonic() < end_s:
        await asyncio.sleep(0.01)
    if events.clients:
        raise SoakError(f"{events.clients} clients have gone and are still listed")
