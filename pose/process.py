"""An estimator in a process of its own, so that poses never wait for Python's lock (docs/adr/0001-live-path.md).

Pictures go there through shared memory, poses come back through a pipe. A crash of its library ends that process alone.
"""

import multiprocessing
import os
import queue
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, NamedTuple

import cv2  # noqa: F401  while it is imported, sys.path leads to its own `typing`, and a process started then inherits that
import numpy as np
from numpy.typing import NDArray

from pose import processors
from pose.ctrl_c import start_process
from pose.errors import ActionLensError, PoseError, PoseModelError
from pose.estimators import ESTIMATORS, EstimatorKind, EstimatorSpec, open_estimator
from pose.skeleton import LAYOUTS
from pose.types import Frame, Pose

IN_WORK = 2  # frames that may be submitted and not yet taken back: one is worked on, one waits with its pixels there
_END_S = 1.0  # for the process to end by itself
_LOOK_S = 0.1  # between looks at `cancel` while the process starts


class _Task(NamedTuple):
    """A frame whose pixels lie in shared memory. memory: its name, read by the process at the first use."""

    slot: int
    memory: str
    height: int
    width: int
    time_s: float
    number: int


class _Done(NamedTuple):
    """people: identity, layout's name, joints and confidence of each. took_ms: of the estimator alone."""

    people: list[tuple[int, str, NDArray[np.float32], NDArray[np.float32]]]
    took_ms: float


class _Failed(NamedTuple):
    line: str
    model: bool  # the pose model is to blame, and Restart will not help


class PoseProcess:
    """An estimator elsewhere. submit() and result() may be called from two threads, close() from any.

    The process is started by the constructor and loads the model meanwhile; ready() waits for it.
    """

    def __init__(self, spec: EstimatorSpec, *, cancel: threading.Event | None = None) -> None:
        """spec: of the estimator. cancel: once it is set, ready() waits no longer."""
        context = multiprocessing.get_context("spawn")  # a fork would copy the locks of other threads
        self._connection, theirs = context.Pipe()
        given = theirs, spec, ESTIMATORS[spec.kind]
        self._process = context.Process(target=_serve, args=given, name="poses", daemon=True)
        start_process(self._process)
        theirs.close()  # so that the end of the process is seen
        self._cancel = cancel
        self._ready = False
        self._slots: list[SharedMemory | None] = [None] * IN_WORK
        self._times_s: list[float] = [0.0] * IN_WORK
        self._submitted = 0
        self._taken = 0
        self._divided = False
        self._closed = False

    def ready(self) -> None:
        """Wait until the model is loaded. Raises PoseModelError where it cannot be used, PoseError when cancelled."""
        while not self._connection.poll(_LOOK_S):
            if self._cancel is not None and self._cancel.is_set():
                raise PoseError("finding poses was cancelled while its model was loaded; start it again")
        self._receive()
        self._ready = True

    def take_processor(self) -> None:
        """Share two processors out as in pose.processors, until close(). For runs that are to be done soon."""
        self._divided = True
        processors.divide(self._process.pid or 0)

    def submit(self, frame: Frame) -> None:
        """Hand over a frame; at most IN_WORK without taking a result. Raises PoseError where the process has ended."""
        slot = self._submitted % IN_WORK
        height, width = frame.bgr.shape[:2]
        memory = self._memory(slot, frame.bgr.nbytes)
        np.copyto(_picture(memory, height, width), frame.bgr)
        self._times_s[slot] = frame.time_s
        self._submitted += 1
        try:
            self._connection.send(_Task(slot, memory.name, height, width, frame.time_s, frame.index))
        except OSError as error:
            raise self._ended() from error

    def result(self) -> tuple[tuple[Pose, ...], float]:
        """The people in the earliest frame whose result was not taken yet, and the milliseconds that they took.

        Waits for it. Raises PoseError where the estimator fails or the process has ended.
        """
        done: _Done = self._receive()
        time_s = self._times_s[self._taken % IN_WORK]
        self._taken += 1
        poses = (Pose(xy, confidence, LAYOUTS[name], time_s, person) for person, name, xy, confidence in done.people)
        return tuple(poses), done.took_ms

    def close(self) -> None:
        """End the process. Any number of times."""
        if self._closed:
            return
        self._closed = True
        if self._divided:
            processors.unite()
        if self._ready:
            with suppress(OSError):
                self._connection.send(None)
            self._process.join(_END_S)
        if self._process.is_alive():  # or it still loads the model, and has nothing yet that it could lose
            self._process.kill()
            self._process.join()
        self._connection.close()
        for memory in self._slots:
            _free(memory)

    def _receive(self) -> Any:
        try:
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if isinstance(answer, _Failed):
            raise (PoseModelError if answer.model else PoseError)(answer.line)
        return answer

    def _ended(self) -> PoseError:
        self._process.join(_END_S)
        return PoseError(f"the process that finds poses ended (exit status {self._process.exitcode}); start it again")

    def _memory(self, slot: int, size: int) -> SharedMemory:
        """The slot's shared memory, a larger one where the frame needs it."""
        memory = self._slots[slot]
        if memory is None or memory.size < size:
            _free(memory)
            self._slots[slot] = None
            try:
                memory = self._slots[slot] = SharedMemory(create=True, size=size)
                _allocate(memory, size)
            except OSError as error:
                _free(self._slots[slot])
                self._slots[slot] = None
                raise PoseError(
                    f"no shared memory for a picture ({error.strerror or error}); make /dev/shm larger"
                ) from error
        return memory


def _allocate(memory: SharedMemory, size: int) -> None:
    """Take the space now. Raises OSError: a full /dev/shm would end the whole process at the first write to it."""
    if sys.platform == "linux":
        with Path("/dev/shm", memory.name).open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)


def _picture(memory: SharedMemory, height: int, width: int) -> NDArray[np.uint8]:
    return np.ndarray((height, width, 3), np.uint8, memory.buf)


def _free(memory: SharedMemory | None) -> None:
    """The process takes the name away as soon as it has opened the memory; here only what it never opened is left."""
    if memory is not None:
        memory.close()
        with suppress(FileNotFoundError):
            memory.unlink()


def _serve(connection: Connection, spec: EstimatorSpec, row: EstimatorKind) -> None:
    """The other process: poses of what comes, until None or the end of the one that asks."""
    with suppress(EOFError, ConnectionError):  # the asking process is gone, perhaps long before the model is loaded
        try:
            estimator = open_estimator(spec, row)
        except ActionLensError as error:
            connection.send(_Failed(str(error), model=True))
        else:
            _answer(connection, estimator)


def _answer(connection: Connection, estimator: Any) -> None:
    """Say that it is loaded, then answer until None; closes the estimator. Raises EOFError and ConnectionError."""
    answers: queue.SimpleQueue[_Done | _Failed | None] = queue.SimpleQueue()
    # On a thread, beside the next frame: to wake the other side takes 0.1 ms.
    sender = threading.Thread(target=_send, args=(connection, answers), daemon=True)
    opened: dict[int, SharedMemory] = {}
    try:
        connection.send(None)
        sender.start()
        while (task := connection.recv()) is not None:
            try:
                answers.put(_work(estimator, opened, task))
            except RuntimeError as error:
                answers.put(_Failed(f"{error}; start it again", model=False))
    finally:
        answers.put(None)
        estimator.close()
        if sender.ident is not None:
            sender.join()
        for memory in opened.values():
            memory.close()


def _send(connection: Connection, answers: "queue.SimpleQueue[_Done | _Failed | None]") -> None:
    with suppress(ConnectionError):  # the asking process is gone
        while (answer := answers.get()) is not None:
            connection.send(answer)


def _work(estimator: Any, opened: dict[int, SharedMemory], task: _Task) -> _Done:
    memory = opened.get(task.slot)
    if memory is None or memory.name != task.memory:
        if memory is not None:
            memory.close()
        memory = opened[task.slot] = SharedMemory(task.memory)
        if sys.platform != "win32":  # where the name goes with the last who has it open
            memory.unlink()  # now nobody's death can leave it behind
    began_s = time.perf_counter()
    bgr = _picture(memory, task.height, task.width)
    poses = estimator.estimate(Frame(bgr, task.time_s, 0.0, task.number))
    took_ms = (time.perf_counter() - began_s) * 1000
    return _Done([(pose.person, pose.layout.name, pose.xy_px, pose.confidence) for pose in poses], took_ms)
