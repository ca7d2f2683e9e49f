"""What rules do, with real programs and servers on this machine."""

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import wave
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from mqtt_broker import FakeBroker
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

from app.alerts import http_post, reactions
from app.alerts.http_post import post
from app.alerts.mqtt import AVAILABLE, DISCOVERY, STATE, MqttLink
from app.alerts.reactions import Reactions, notify, play, press, run_command, send_osc
from app.alerts.rules import AlertError, Alerts, Broker, Reaction, Rule
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


def test_a_command_has_its_arguments_as_they_are(tmp_path):
    out = tmp_path / "out"
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(' | '.join(sys.argv[2:]))"
    strange = "$(touch /tmp/never); `x` && {action}"
    Reactions(Alerts()).do(Reaction("command", (sys.executable, "-c", script, str(out), strange)), ALERT)
    assert out.read_text() == "$(touch /tmp/never); `x` && wave"


def test_commands_that_fail_say_why():
    with pytest.raises(AlertError, match="there is no program 'no-such-program'"):
        run_command(["no-such-program"])
    with pytest.raises(AlertError, match="failed with status 3: too bad"):
        run_command([sys.executable, "-c", "import sys; sys.stderr.write('too bad'); sys.exit(3)"])


def test_a_beep_is_whole_before_another_program_finds_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    def write(self, frames):
        seen.append([path.name for path in tmp_path.iterdir()])
        wave.Wave_write.writeframesraw(self, frames)

    monkeypatch.setattr(wave.Wave_write, "writeframes", write)
    beep = reactions._beep()
    assert "actionlens-beep.wav" not in seen[0]
    with wave.open(str(beep)) as sound:
        assert sound.getnframes() == 2 * int(0.16 * sound.getframerate())
    assert [path.name for path in tmp_path.iterdir()] == ["actionlens-beep.wav"]
    assert reactions._beep() == beep
    assert len(seen) == 1


def test_sounds_and_notifications_go_to_the_system(tmp_path, monkeypatch):
    said = tmp_path / "said"
    for name in ("aplay", "notify-send"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$0" "$@" >> {said}\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("app.alerts.reactions._PLAYERS", ("aplay",))
    monkeypatch.setattr(sys, "platform", "linux")
    play("")
    notify("--hint=x of me")
    lines = said.read_text().splitlines()
    assert lines[0].endswith("aplay")
    with open(lines[1], "rb") as beep:
        assert beep.read(4) == b"RIFF"
    assert lines[-2:] == ["ActionLens", "--hint=x of me"]
    assert "--" in lines
    with pytest.raises(AlertError, match="no sound file"):
        play(str(tmp_path / "none.wav"))


def test_keys_are_off_unless_allowed():
    with pytest.raises(AlertError, match="allow_keys = true"):
        press("space", allowed=False)
    with pytest.raises(AlertError, match="allow_keys = true"):
        Reactions(Alerts()).do(Reaction("key", "space"), ALERT)


@pytest.mark.parametrize(
    "reaction", [Reaction("key", "space"), Reaction("mqtt", "home/x"), Reaction("post", "http://8.8.8.8/x")]
)
def test_what_has_to_be_written_into_the_file_is_said_with_its_path(reaction, tmp_path):
    file = tmp_path / "alerts.toml"
    with pytest.raises(AlertError, match=f"(in|into) {re.escape(str(file))}$"):
        Reactions(Alerts(file=file)).do(reaction, ALERT)


def test_osc_reaches_a_server():
    got = []
    paths = Dispatcher()
    paths.set_default_handler(lambda address, *values: got.append((address, values)))
    with BlockingOSCUDPServer(("127.0.0.1", 0), paths) as osc:
        osc.timeout = 60
        send_osc(f"127.0.0.1:{osc.server_address[1]}/lens/action", ALERT)
        osc.handle_request()
    address, (action, lasted_s, count) = got[0]
    assert (address, action, count) == ("/lens/action", "wave", 3)
    assert lasted_s == pytest.approx(2.04, abs=1e-3)
    with pytest.raises(AlertError, match="write 127"):
        send_osc("nowhere", ALERT)


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pythonosc.udp_client", None)
    monkeypatch.setitem(sys.modules, "paho.mqtt", None)
    with pytest.raises(AlertError, match=r"pip install 'actionlens\[alerts\]'"):
        send_osc("127.0.0.1:9000/x", ALERT)
    with pytest.raises(AlertError, match=r"pip install 'actionlens\[alerts\]'"):
        MqttLink(Broker("127.0.0.1")).publish("x", "y")


@pytest.fixture
def broker():
    """broker(...) -> a FakeBroker."""
    running = []

    def start(**given):
        running.append(FakeBroker(**given))
        return running[-1]

    yield start
    for started in running:
        started.close()


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def test_mqtt_messages_and_the_sensor_of_home_assistant(broker):
    started = broker()
    made = Reactions(Alerts(broker=Broker("127.0.0.1", started.port, home_assistant=True)))
    made.do(Reaction("mqtt", "room/alert"), ALERT)
    made.mqtt.show_action("wave")
    made.close()
    wait_for(lambda: len(started.published) == 5)
    discovery, online, alert, state, offline = started.published
    assert (discovery.topic, discovery.qos, discovery.retain) == (DISCOVERY, 1, True)
    sensor = json.loads(discovery.payload)
    assert (sensor["state_topic"], sensor["availability_topic"]) == (STATE, AVAILABLE)
    assert online == (AVAILABLE, "online", 1, True)
    assert (alert.topic, alert.qos, alert.retain) == ("room/alert", 1, False)
    assert json.loads(alert.payload) == ALERT.values()
    assert state == (STATE, "wave", 1, True)
    assert offline == (AVAILABLE, "offline", 1, True)


def test_a_connection_that_breaks_is_told_by_the_broker_and_comes_back(broker):
    started = broker()
    link = MqttLink(Broker("127.0.0.1", started.port, home_assistant=True))
    link.show_action("wave")
    started.drop()
    wait_for(lambda: (AVAILABLE, "offline", 1, True) in started.published)
    wait_for(lambda: started.published.count((AVAILABLE, "online", 1, True)) == 2)
    link.show_action("clap")
    link.close()
    assert [message.payload for message in started.published if message.topic == STATE] == ["wave", "clap"]


def test_without_home_assistant_there_is_no_sensor(broker):
    started = broker()
    link = MqttLink(Broker("127.0.0.1", started.port))
    link.publish("t", {"a": 1})
    link.close()
    assert started.published == [("t", '{"a": 1}', 1, False)]


@pytest.fixture
def certificate(tmp_path):
    """A key and a certificate of 127.0.0.1 in one file, made for this test."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("needs the program openssl")
    key, made = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", made]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *request, *name], check=True, capture_output=True)
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + made.read_bytes())
    return both


def test_mqtt_with_tls_and_a_password(broker, certificate, monkeypatch):
    started = broker(passwords={"me": "secret"}, certificate=certificate)
    named = Broker("127.0.0.1", started.port, True, "me", "LENS_PASSWORD")
    monkeypatch.setenv("LENS_PASSWORD", "secret")
    link = MqttLink(named, ca_file=str(certificate))
    link.publish("t", {"a": 1})
    assert started.published == [("t", '{"a": 1}', 1, False)]
    link.close()
    with pytest.raises(AlertError, match="cannot be reached"):
        MqttLink(named).publish("t", "x")  # which does not trust the certificate
    monkeypatch.setenv("LENS_PASSWORD", "wrong")
    refused = MqttLink(named, ca_file=str(certificate))
    with pytest.raises(AlertError, match="refuses the connection"):
        refused.publish("t", "x")
    refused.close()
    assert len(started.published) == 1


def test_a_broker_that_is_not_there_is_one_line():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(AlertError, match=f"127.0.0.1:{port} cannot be reached"):
        MqttLink(Broker("127.0.0.1", port)).publish("t", "x")


@pytest.mark.parametrize("error", [RuntimeError("Message publish failed"), ValueError("Message is not queued")])
def test_a_connection_that_has_just_been_lost_can_be_closed(error):
    class Lost:
        done = ()

        def publish(self, *_, **__):
            return self

        def wait_for_publish(self, _):
            raise error

        def disconnect(self):
            self.done += ("disconnect",)

        def loop_stop(self):
            self.done += ("loop_stop",)

    link, client = MqttLink(Broker("127.0.0.1", home_assistant=True)), Lost()
    link._client = client
    link._connected.set()
    link.close()
    link.close()
    assert client.done == ("disconnect", "loop_stop")
