import contextlib
import json
import logging
import socket
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app.errors import OutputError
from app.outputs.events import EventServer

FREE = "ws://127.0.0.1:0"


@pytest.fixture
def server():
    server = EventServer(FREE, model="act", actions=("walk", "挥手"))
    yield server
    server.close()
    assert "events" not in {thread.name for thread in threading.enumerate()}


@contextlib.contextmanager
def client_of(server: EventServer, **options):
    """A connected client that has read its hello."""
    with connect(server.url, compression=None, close_timeout=0.5, **options) as client:
        assert received(client)["type"] == "hello"
        yield client


def received(client: ClientConnection, timeout_s: float = 5.0) -> dict:
    return json.loads(client.recv(timeout=timeout_s))


def lines(count: int, start: int = 0, padding: int = 0) -> list[str]:
    return [json.dumps({"n": n, "padding": "x" * padding}) for n in range(start, start + count)]


def read_until(client: ClientConnection, last: int) -> tuple[list[int], int]:
    """Numbers received up to `last`, and how many lines the server says it dropped."""
    numbers, dropped = [], 0
    while not numbers or numbers[-1] != last:
        line = received(client)
        if line.get("type") == "dropped":
            dropped += line["count"]
        else:
            numbers.append(line["n"])
    return numbers, dropped


def wait_for(condition, timeout_s: float = 60.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and not condition():
        time.sleep(0.01)
    return condition()


def test_a_client_is_greeted_and_gets_every_line_in_order(server: EventServer):
    with connect(server.url) as client:
        assert received(client) == {"type": "hello", "model": "act", "actions": ["walk", "挥手"]}
        server.publish(lines(100))
        server.publish(lines(100, 100))
        assert read_until(client, 199) == (list(range(200)), 0)


def test_another_recognizer_is_announced(server: EventServer):
    with client_of(server) as early:
        server.hello("st-gcn", ["kick", "\ud800"])
        told = {"type": "hello", "model": "st-gcn", "actions": ["kick", "?"]}
        assert received(early) == told
        with connect(server.url) as late:
            assert received(late) == told


def test_a_client_that_never_reads_slows_nobody(server: EventServer):
    with client_of(server) as good, raw_client(server):
        assert wait_for(lambda: server.clients == 2)
        slowest = 0.0
        for start in range(0, 10_000, 10):
            began = time.monotonic()
            server.publish(lines(10, start, padding=1000))
            slowest = max(slowest, time.monotonic() - began)
            if start % 200 == 0:
                numbers, dropped = read_until(good, start + 9)
                assert dropped == 0
        numbers, dropped = read_until(good, 9999)
        assert numbers[-1] == 9999
        assert dropped == 0
        assert slowest < 1.0
        [stuck] = [client for client in server._clients if client._dropped]
        assert len(stuck._lines) <= 512
    assert wait_for(lambda: server.clients == 0)


@contextlib.contextmanager
def raw_client(server: EventServer):
    """Says what a WebSocket client says to get in, then never reads again."""
    host, port = server.url.removeprefix("ws://").split(":")
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect((host, int(port)))
        request = (
            f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        raw.sendall(request.encode())
        assert raw.recv(12) == b"HTTP/1.1 101"
        yield raw


def test_a_slow_client_loses_the_oldest_lines_and_is_told_how_many(server: EventServer):
    with client_of(server, max_queue=1) as slow:
        for start in range(0, 20_000, 100):
            server.publish(lines(100, start, padding=2000))
        numbers, dropped = read_until(slow, 19_999)
    assert dropped > 0
    assert len(numbers) + dropped == 20_000
    assert numbers == sorted(set(numbers))


def test_a_client_that_leaves_in_the_middle_disturbs_nobody(server: EventServer):
    with client_of(server) as stays:
        with client_of(server) as leaves, raw_client(server) as breaks:
            server.publish(lines(10))
            assert read_until(leaves, 9)[0] == list(range(10))
            breaks.shutdown(socket.SHUT_RDWR)
        server.publish(lines(10, 10))
        assert read_until(stays, 19) == (list(range(20)), 0)
        assert wait_for(lambda: server.clients == 1)


def test_what_a_client_says_is_ignored(server: EventServer):
    with client_of(server) as talks:
        for n in range(200):
            talks.send(f"message {n}")
        server.publish(lines(1))
        assert read_until(talks, 0) == ([0], 0)
        talks.send("x" * 100_000)  # more than the server is willing to hold
        with pytest.raises(ConnectionClosed):
            talks.recv(timeout=60)
    with client_of(server):
        pass


def test_the_last_lines_reach_the_clients_and_closing_is_quick(server: EventServer):
    with client_of(server) as client, raw_client(server):
        server.publish(lines(300))
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 10
        assert read_until(client, 299) == (list(range(300)), 0)
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=60)
    server.close()
    server.publish(lines(1))


def test_a_stuck_client_does_not_hold_up_closing(server: EventServer):
    with raw_client(server):
        assert wait_for(lambda: server.clients == 1)
        server.publish(lines(500, padding=20_000))
        time.sleep(0.1)
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 10
    assert "events" not in {thread.name for thread in threading.enumerate()}


def test_many_threads_may_publish(server: EventServer):
    with client_of(server) as client:
        threads = [threading.Thread(target=server.publish, args=(lines(50, 50 * n),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(received(client)["n"] for _ in range(400)) == list(range(400))


def test_a_port_in_use(server: EventServer):
    with pytest.raises(OutputError, match="another program uses this port") as raised:
        EventServer(server.url)
    assert "\n" not in str(raised.value)
    assert threading.active_count() < 20
    assert [t.name for t in threading.enumerate()].count("events") == 1


@pytest.mark.parametrize(
    "url",
    [
        *("", "8765", "127.0.0.1:8765", "http://127.0.0.1:8765", "wss://127.0.0.1:8765", "ws://127.0.0.1"),
        *("ws://:8765", "ws://127.0.0.1:port", "ws://127.0.0.1:99999", "ws://[::1", "ws://203.0.113.9:8765"),
        "ws://no such host:8765",
    ],
)
def test_an_address_that_is_none(url: str):
    with pytest.raises(OutputError, match=r"ws://127\.0\.0\.1:8765") as raised:
        EventServer(url)
    assert "\n" not in str(raised.value)
    assert wait_for(lambda: "events" not in {thread.name for thread in threading.enumerate()})


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://localhost", "http://127.0.0.1:8000", None])
def test_pages_of_this_machine_and_programs_may_listen(server: EventServer, origin: str | None):
    with client_of(server, origin=origin):
        pass


@pytest.mark.parametrize(
    "origin",
    [
        *("https://example.org", "http://localhost.example.org", "http://127.0.0.1.example.org:80", "null"),
        *("http://example.org:8765", "file://", "https://localhost:1@example.org"),
    ],
)
def test_pages_from_elsewhere_are_turned_away(server: EventServer, origin: str, caplog: pytest.LogCaptureFixture):
    with pytest.raises(InvalidStatus, match="403"):
        connect(server.url, origin=origin)
    assert not caplog.records


def test_noise_on_the_port_says_nothing(server: EventServer, caplog: pytest.LogCaptureFixture):
    host, port = server.url.removeprefix("ws://").split(":")
    for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\xa5" * 10, b"x" * 20_000):
        with socket.create_connection((host, int(port))) as raw, contextlib.suppress(OSError):
            raw.sendall(noise)
    with client_of(server):
        pass
    assert not caplog.records


def test_this_machine_only_unless_asked(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        EventServer("ws://localhost:0").close()
        assert not caplog.records
        open_server = EventServer("ws://0.0.0.0:0")
        open_server.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert open_server.url in caplog.text
