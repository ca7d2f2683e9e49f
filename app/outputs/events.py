"""The JSON lines as a WebSocket stream, for any number of clients on this machine."""

import asyncio
import contextlib
import errno
import ipaddress
import json
import logging
import re
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from app.errors import OutputError
from pose.address import redacted

log = logging.getLogger(__name__)

_CLIENT_LINES = 512  # about ten seconds of one person's lines
_OPEN_S = 5.0
_DRAIN_S = 0.3  # how long the last lines may take to the clients when the run ends
_HANDSHAKE_S = 0.3
_EXAMPLE = "ws://127.0.0.1:8765"
# A web page from anywhere can open a socket to this machine; its browser says where the page came from. Programs
# say nothing, pages served on this machine are its user's own. "null" (files, sandboxed frames) is anybody.
_ORIGINS = [None, re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")]


class EventServer:
    """Streams lines to every client of a `ws://HOST:PORT`.

    A client first gets {"type": "hello", "model", "actions"}, then each line as one text message. A client that reads
    too slowly loses its oldest lines and is told {"type": "dropped", "count"}; one that stops answering pings is
    disconnected after 40 s. Raises OutputError where the address is wrong or the port cannot be had. Port 0 takes a
    free one, see `url`.
    """

    def __init__(self, url: str, *, model: str = "", actions: Sequence[str] = ()) -> None:
        host, port = _address(url)
        self.url = ""
        self._clients: set[_Client] = set()
        self._lock = threading.Lock()
        self._hello = _hello(model, actions)
        self._error: OSError | UnicodeError | None = None
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(host, port), name="events", daemon=True)
        self._thread.start()
        if not self._ready.wait(_OPEN_S):
            self._error = OSError(f"no answer within {_OPEN_S:.0f} s")
            self._call(self._stopping.set)
        if self._error is not None:
            self._thread.join(_OPEN_S)
            raise OutputError(_cannot_listen(host, port, self._error))

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def hello(self, model: str, actions: Sequence[str]) -> None:
        """Another recognizer runs from now on: tells those who listen and those who come later."""
        with self._lock:
            self._hello = _hello(model, actions)
        self.publish([self._hello])

    def publish(self, lines: Iterable[str]) -> None:
        """Give lines to every client; any thread, never waits."""
        batch = list(lines)
        if not batch or not self._clients:
            return
        with self._lock:
            for client in self._clients:
                client.add(batch)
        self._call(self._wake)

    def close(self) -> None:
        """Send what is left, close every connection and end the thread, within 1 s. Any number of times."""
        self._call(self._stopping.set)
        self._thread.join(2.0)

    def _call(self, function: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nobody to tell
            self._loop.call_soon_threadsafe(function)

    # The loop's thread.

    def _run(self, host: str, port: int) -> None:
        try:
            self._loop.run_until_complete(self._listen(host, port))
        finally:
            self._ready.set()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _listen(self, host: str, port: int) -> None:
        quiet = log.getChild("websocket")
        quiet.setLevel(logging.CRITICAL)  # a port scan or a page that is turned away is no error of ours
        try:
            server = await serve(
                self._serve,
                host,
                port,
                origins=_ORIGINS,
                compression=None,
                max_size=4096,
                close_timeout=_HANDSHAKE_S,
                logger=quiet,
            )
        except (OSError, UnicodeError) as error:  # the latter from host names that are none
            self._error = error
            return
        name = f"[{host}]" if ":" in host else host
        self.url = f"ws://{name}:{server.sockets[0].getsockname()[1]}"
        if not _is_loopback(host):
            log.warning("%s can be read by everybody who reaches this machine over the network", self.url)
        self._ready.set()
        await self._stopping.wait()
        await self._drain()
        server.close()
        try:
            await asyncio.wait_for(server.wait_closed(), _HANDSHAKE_S)
        except TimeoutError:
            for client in list(self._clients):
                client.connection.transport.abort()
            await server.wait_closed()

    async def _serve(self, connection: ServerConnection) -> None:
        client = _Client(connection)
        with self._lock:
            client.add([self._hello])
            self._clients.add(client)
        sender = self._loop.create_task(client.send())
        try:
            async for _ in connection:  # nothing is expected; reading keeps pings and the end working
                pass
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                self._clients.discard(client)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def _wake(self) -> None:
        for client in self._clients:
            client.wake.set()

    async def _drain(self) -> None:
        deadline = self._loop.time() + _DRAIN_S
        while any(client.pending for client in self._clients) and self._loop.time() < deadline:
            await asyncio.sleep(0.01)


class _Client:
    """One connection and the lines that it has not been sent yet."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.wake = asyncio.Event()
        self.wake.set()
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._sending = False
        self._lock = threading.Lock()

    @property
    def pending(self) -> bool:
        return bool(self._lines) or self._sending

    def add(self, lines: list[str]) -> None:
        """Any thread."""
        with self._lock:
            self._lines.extend(lines)
            while len(self._lines) > _CLIENT_LINES:
                self._lines.popleft()
                self._dropped += 1

    async def send(self) -> None:
        try:
            while True:
                await self.wake.wait()
                self.wake.clear()
                while (line := self._take()) is not None:
                    await self.connection.send(line)
                self._sending = False
        except ConnectionClosed:
            self._sending = False

    def _take(self) -> str | None:
        with self._lock:
            self._sending = True
            if self._dropped:
                line = json.dumps({"type": "dropped", "count": self._dropped})
                self._dropped = 0
                return line
            return self._lines.popleft() if self._lines else None


def _hello(model: str, actions: Sequence[str]) -> str:
    text = json.dumps({"type": "hello", "model": model, "actions": list(actions)}, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8")  # a name may hold a lone surrogate, which is not UTF-8


def _address(url: str) -> tuple[str, int]:
    """Host and port of a ws:// address; OutputError where it is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or parts.scheme != "ws":
        raise OutputError(f"cannot stream events to {redacted(url)!r}: give an address like {_EXAMPLE}")
    return ("127.0.0.1" if host == "localhost" else host), port


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _cannot_listen(host: str, port: int, error: OSError | UnicodeError) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        fix = "another program uses this port; choose another one"
    elif code == errno.EACCES:
        fix = "the system does not allow this port; choose one above 1023"
    else:
        fix = f"{getattr(error, 'strerror', None) or error}; use {_EXAMPLE}"
    return f"cannot stream events on {host}:{port}: {fix}"
