"""What rules do, with real programs and servers on this machine."""

import json
import os
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

from app.alerts import http_post, reactions
from app.alerts.http_post import post
from app.alerts.mqtt import AVAILABLE, DISCOVERY, STATE, MqttLink
from app.alerts.reactions import Reactions, notify, play, press, run_command, send_osc
from app.alerts.rules import AlertError, Alerts, Broker, Reaction, Rule
from app.alerts.watch import Alert

ALERT = Alert(Rule("r", "wave", (Reaction("sound"),), lasts_s=2.0), 7.5, 0, 2.04, 3)
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


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


def test_osc_reaches_a_server():
    dispatcher = pytest.importorskip("pythonosc.dispatcher", reason="needs the extra `alerts`")
    from pythonosc.osc_server import BlockingOSCUDPServer

    got = []
    paths = dispatcher.Dispatcher()
    paths.set_default_handler(lambda address, *values: got.append((address, values)))
    with BlockingOSCUDPServer(("127.0.0.1", 0), paths) as osc:
        osc.timeout = 5
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
def mosquitto(tmp_path):
    """start(lines) -> port: a broker with these lines of configuration."""
    pytest.importorskip("paho.mqtt", reason="needs the extra `alerts`")
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    running = []

    def start(*lines):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = tmp_path / "mosquitto.conf"
        config.write_text("\n".join([f"listener {port} 127.0.0.1", "persistence false", "user root", *lines, ""]))
        running.append(
            subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return port
        pytest.fail("mosquitto did not start")

    yield start
    for broker in running:
        broker.terminate()
        broker.wait(60)


def listen(port, *topics, ca=None, user=None):
    """A client that keeps (topic, payload)."""
    from paho.mqtt import client as paho

    got, ready = [], threading.Event()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: got.append((message.topic, message.payload.decode()))
    client.on_subscribe = lambda *_: ready.set()
    client.on_connect = lambda *_: client.subscribe([(topic, 1) for topic in topics])
    if ca:
        client.tls_set(str(ca))
    if user:
        client.username_pw_set(*user)
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert ready.wait(60)
    return client, got


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def test_mqtt_messages_and_the_sensor_of_home_assistant(mosquitto):
    port = mosquitto("allow_anonymous true")
    client, got = listen(port, "#")
    made = Reactions(Alerts(broker=Broker("127.0.0.1", port, home_assistant=True)))
    made.do(Reaction("mqtt", "room/alert"), ALERT)
    made.mqtt.show_action("wave")
    wait_for(lambda: (STATE, "wave") in got)
    assert json.loads(dict(got)["room/alert"])["action"] == "wave"
    assert dict(got)[AVAILABLE] == "online"
    sensor = json.loads(dict(got)[DISCOVERY])
    assert (sensor["state_topic"], sensor["availability_topic"]) == (STATE, AVAILABLE)
    made.close()
    wait_for(lambda: got[-1] == (AVAILABLE, "offline"))
    client.disconnect()
    client.loop_stop()


def test_mqtt_with_tls_and_a_password(mosquitto, tmp_path, monkeypatch):
    for command in (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1",
        "mosquitto_passwd -b -c passwords me secret",
    ):
        if shutil.which(command.split()[0]) is None:
            pytest.skip(f"{command.split()[0]} is not installed")
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    certificate = tmp_path / "cert.pem"
    port = mosquitto(
        f"certfile {certificate}", f"keyfile {tmp_path / 'key.pem'}", f"password_file {tmp_path / 'passwords'}"
    )
    client, got = listen(port, "t", ca=certificate, user=("me", "secret"))
    monkeypatch.setenv("LENS_PASSWORD", "secret")
    link = MqttLink(Broker("127.0.0.1", port, True, "me", "LENS_PASSWORD"), ca_file=str(certificate))
    link.publish("t", {"a": 1})
    wait_for(lambda: got == [("t", '{"a": 1}')])
    link.close()
    untrusting = MqttLink(Broker("127.0.0.1", port, True, "me", "LENS_PASSWORD"))
    with pytest.raises(AlertError, match="cannot be reached"):
        untrusting.publish("t", "x")
    monkeypatch.setenv("LENS_PASSWORD", "wrong")
    refused = MqttLink(Broker("127.0.0.1", port, True, "me", "LENS_PASSWORD"), ca_file=str(certificate))
    with pytest.raises(AlertError, match="refuses the connection"):
        refused.publish("t", "x")
    refused.close()
    client.disconnect()
    client.loop_stop()


def test_a_broker_that_is_not_there_is_one_line():
    pytest.importorskip("paho.mqtt", reason="needs the extra `alerts`")
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
