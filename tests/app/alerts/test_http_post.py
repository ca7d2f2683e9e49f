"""Posts, to servers on this machine: where they may go, what they say, and that no message repeats a secret."""

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.alerts import http_post
from app.alerts.http_post import post
from app.alerts.reactions import Reactions
from app.alerts.rules import AlertError, Alerts, Reaction, Rule
from app.alerts.watch import Alert

ALERT = Alert(Rule("r", "wave", (Reaction("sound"),), lasts_s=2.0), 7.5, 0, 2.04, 3)


@pytest.fixture
def server():
    """An HTTP server that keeps what is posted; `answer` is the status it gives."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            httpd.got.append((self.path, json.loads(body)))
            self.send_response(httpd.answer)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    httpd.got, httpd.answer = [], 200
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_post_has_what_happened_as_json(server):
    url = f"http://127.0.0.1:{server.server_port}/alert?room=1"
    Reactions(Alerts()).do(Reaction("post", url), ALERT)
    assert server.got == [
        (
            "/alert?room=1",
            {"rule": "r", "action": "wave", "time_s": 7.5, "person": 0, "lasted_s": 2.04, "count": 3},
        )
    ]


@pytest.mark.parametrize("answer", [302, 404, 500])
def test_an_answer_that_is_no_yes_is_a_failure_and_redirects_are_not_followed(server, answer):
    server.answer = answer
    with pytest.raises(AlertError, match=f"status {answer}"):
        post(f"http://127.0.0.1:{server.server_port}/", {})
    assert len(server.got) == 1


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "169.254.169.254", "0.0.0.0", "100.64.0.1", "172.32.0.1", "[2001:4860:4860::8888]", "[::ffff:8.8.8.8]"],
)
def test_nothing_goes_outside_of_private_networks(address, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it connected"))
    with pytest.raises(AlertError, match="allowed_hosts"):
        post(f"http://{address}/x", {})


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.0.9", "::1", "fd00::1"])
def test_what_is_private(address):
    assert http_post._is_private(address)


def test_a_host_that_was_named_may_be_posted_to(server, monkeypatch):
    asked = []
    look_up = socket.getaddrinfo

    def public(host, *rest, **named):
        asked.append(host)
        return look_up("127.0.0.1", *rest, **named) if len(asked) > 5 else [(2, 1, 6, "", ("8.8.8.8", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", public)
    connected = []
    monkeypatch.setattr(socket, "create_connection", lambda address, *_: connected.append(address) or _refuse())
    with pytest.raises(AlertError, match="did not take"):
        post("http://example.org/x", {}, ("example.org",))
    assert connected == [("8.8.8.8", 80)], "to the address that was looked up, once"
    assert asked == ["example.org"]


def looked_up(monkeypatch, *addresses):
    """localhost stands for these."""
    look_up = socket.getaddrinfo

    def found(host, port, *rest, **named):
        if host != "localhost":
            return look_up(host, port, *rest, **named)
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_a_name_with_several_addresses_is_posted_to_where_the_server_listens(server, monkeypatch):
    looked_up(monkeypatch, "::1", "127.0.0.1")
    post(f"http://localhost:{server.server_port}/", {"a": 1})
    assert server.got == [("/", {"a": 1})]


def test_of_several_addresses_only_those_that_may_be_are_tried(monkeypatch):
    looked_up(monkeypatch, "8.8.8.8", "::1", "169.254.169.254", "127.0.0.1")
    tried = []
    monkeypatch.setattr(socket, "create_connection", lambda address, *_: tried.append(address[0]) or _refuse())
    with pytest.raises(AlertError, match="did not take the message: Connection refused"):
        post("http://localhost:1/", {})
    assert tried == ["::1", "127.0.0.1"]


def test_a_name_server_that_does_not_answer_holds_up_no_other_alert(monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(http_post, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60) and [])
    with pytest.raises(AlertError, match=r"its host is not known \(no answer within"):
        post("http://nas.home/x", {})
    assert not answered.is_set()
    answered.set()


def _refuse():
    raise ConnectionRefusedError(111, "Connection refused")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "127.0.0.1", "http://", "http://127.0.0.1:no/"])
def test_what_is_no_address_is_said(url):
    with pytest.raises(AlertError, match="give an address like"):
        post(url, {})


def test_nobody_there_is_one_line():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(AlertError, match="did not take the message"):
        post(f"http://127.0.0.1:{port}/", {})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:9/a b?token=Zq7xVkW4yB", "a space is %20"),
        ("http://127.0.0.1:9/Zq7xVkW4yB\x7f", "a space is %20"),
        ("http://127.0.0.1:9/x?token=Zq7xVkW4yBä", "a space is %20"),
        ("http://a b:9/Zq7xVkW4yB", "its host is not known"),
        ("http://Zq7xVkW4yB..b:9/x@y", "its host is not known"),
        ("http://8.8.8.8 /Zq7xVkW4yB", "not known|outside"),
        ("http://me:Zq7xVkW4yB/x@8.8.8.8/", "give an address like"),
        ("Zq7xVkW4yB", "give an address like"),
    ],
)
def test_no_message_repeats_a_secret_of_the_address(url, says):
    with pytest.raises(AlertError, match=says) as error:
        post(url, {})
    assert "zq7x" not in str(error.value).lower()
    assert "\n" not in str(error.value)


def answering(parts):
    """A server that gives one connection these bytes as they come; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listening, contextlib.suppress(OSError), listening.accept()[0] as connection:
            connection.recv(65536)
            for part in parts:
                connection.sendall(part)

    threading.Thread(target=serve, daemon=True).start()
    return listening.getsockname()[1]


def test_an_answer_that_is_not_http_is_not_repeated():
    port = answering([b"POST /x?token=Zq7xVkW4yB\r\n\r\n"])
    with pytest.raises(AlertError, match=r"did not take the message: its answer is not HTTP$"):
        post(f"http://127.0.0.1:{port}/x?token=Zq7xVkW4yB", {})


def test_a_server_that_answers_a_byte_at_a_time_has_no_more_time_than_another(monkeypatch):
    monkeypatch.setattr(http_post, "TIMEOUT_S", 0.5)
    done = threading.Event()

    def trickle():
        yield b"HTTP/1.1 200 OK\r\n"
        while not done.wait(0.05):
            yield b"X: y\r\n"

    try:
        with pytest.raises(AlertError, match="no answer within"):
            post(f"http://127.0.0.1:{answering(trickle())}/", {})
    finally:
        done.set()
