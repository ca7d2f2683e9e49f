"""What rules do, with real programs and servers on this machine."""

import contextlib
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
from types import SimpleNamespace

import psutil
import pytest
from mqtt_broker import FakeBroker
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

from app.alerts import reactions
from app.alerts.mqtt import AVAILABLE, DISCOVERY, STATE, MqttLink
from app.alerts.reactions import Reactions, describe, notify, play, press, run_command, send_osc
from app.alerts.rules import AlertError, Alerts, Broker, Reaction, Rule
from app.alerts.watch import Alert

ALERT = Alert(Rule("r", "wave", (Reaction("sound"),), lasts_s=2.0), 7.5, 0, 2.04, 3)


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


@pytest.mark.parametrize("status", [0, 3])
def test_what_a_command_leaves_running_is_not_waited_for(status, tmp_path, monkeypatch):
    """As xdg-open does with a viewer, which has the command's outputs for as long as it is open."""
    end, pid = tmp_path / "end", tmp_path / "pid"
    viewer = f"import os, pathlib, time\nwhile not pathlib.Path({str(end)!r}).exists(): time.sleep(0.02)"
    script = (
        f"import pathlib, subprocess, sys; viewer = subprocess.Popen([sys.executable, '-c', {viewer!r}])\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(viewer.pid)); sys.stderr.write('opened'); sys.exit({status})"
    )
    monkeypatch.setattr(reactions, "_COMMAND_S", 60.0)
    try:
        with pytest.raises(AlertError, match=r"status 3: opened$") if status else contextlib.nullcontext():
            run_command([sys.executable, "-c", script])
        assert psutil.pid_exists(int(pid.read_text()))
    finally:
        end.touch()


def test_a_command_that_takes_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(reactions, "_COMMAND_S", 0.2)
    with pytest.raises(AlertError, match="did not end within 0 s and was stopped"):
        run_command([sys.executable, "-c", "import time; time.sleep(600)"])


def test_no_line_shows_a_secret_of_an_address():
    secret = "http://me:Zq7xVkW4yB@10.0.0.7/api Zq7xVkW4yB?token=Zq7xVkW4yB"
    with pytest.raises(AlertError, match="failed with status 3: cannot reach") as failed:
        run_command([sys.executable, "-c", f"import sys; sys.exit(sys.stderr.write('cannot reach {secret}') and 3)"])
    with pytest.raises(AlertError, match="write 127") as unclear:
        send_osc(secret.partition(" ")[0], ALERT)
    lines = [str(failed.value), str(unclear.value), *(describe(Reaction(kind, secret)) for kind in ("post", "osc"))]
    assert not [line for line in lines if "Zq7x" in line]


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
    for host in ("no.such.host.invalid", "x" * 70, "a..b"):
        with pytest.raises(AlertError, match="OSC cannot send to"):
            send_osc(f"{host}:9000/action", ALERT)


@pytest.mark.parametrize("kind", ["osc", "mqtt"])
def test_a_name_server_that_does_not_answer_holds_up_no_other_alert(monkeypatch, kind):
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60) and [])
    monkeypatch.setattr(f"app.alerts.{'reactions._LOOK_UP_S' if kind == 'osc' else 'mqtt._CONNECT_S'}", 0.2)
    send = {
        "osc": lambda: send_osc("lamp.home:9000/action", ALERT),
        "mqtt": lambda: MqttLink(Broker("broker.home")).publish("gym", {}),
    }[kind]
    with pytest.raises(AlertError, match="no answer from a name server within"):
        send()
    assert not answered.is_set()
    answered.set()


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
    wait_for(lambda: started.published.count((STATE, "wave", 1, True)) == 2)  # the broker may have lost it
    assert started.published.count((AVAILABLE, "online", 1, True)) == 2
    link.show_action("clap")
    link.close()
    assert [message.payload for message in started.published if message.topic == STATE] == ["wave", "wave", "clap"]


def test_a_message_that_failed_does_not_come_late(broker, monkeypatch):
    started = broker()
    link = MqttLink(Broker("127.0.0.1", started.port, home_assistant=True))
    link.show_action("idle")
    monkeypatch.setattr("app.alerts.mqtt._TIMEOUT_S", 0.3)
    started.silent = True
    for send in (lambda: link.publish("gym", "fall"), lambda: link.show_action("wave")):
        with pytest.raises(AlertError, match=r"did not confirm|does not answer"):
            send()
    started.silent = False
    started.drop()
    monkeypatch.setattr("app.alerts.mqtt._TIMEOUT_S", 60.0)
    link.show_action("nobody")
    link.publish("gym", "later")
    link.close()
    payloads = [message.payload for message in started.published if message.topic in (STATE, "gym")]
    assert payloads == ["idle", "nobody", "later"]


def test_a_state_that_no_broker_took_is_shown_by_the_next_connection(broker):
    started = broker()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        link = MqttLink(Broker("127.0.0.1", free.getsockname()[1], home_assistant=True))
        with pytest.raises(AlertError, match="cannot be reached"):
            link.show_action("wave")
    link._broker = Broker("127.0.0.1", started.port, home_assistant=True)  # as if this one had been away
    link.publish("t", "x")
    link.close()
    assert started.published.count((STATE, "wave", 1, True)) == 1


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


def test_waiting_for_the_connection_and_for_the_answer_take_their_time_from_one_limit(monkeypatch):
    now, given = [100.0], []

    class Slow:
        def wait(self, limit_s):
            now[0] += limit_s - 1.0
            return True

        def publish(self, *_, **__):
            return self

        def wait_for_publish(self, limit_s):
            given.append(limit_s)

        def is_published(self):
            return False

        def end(self):
            pass

        disconnect = loop_stop = clear = end

    monkeypatch.setattr("app.alerts.mqtt.time", SimpleNamespace(monotonic=lambda: now[0]))
    link = MqttLink(Broker("127.0.0.1"))
    link._client = link._connected = Slow()
    with pytest.raises(AlertError, match="did not confirm"):
        link.publish("t", "x")
    assert given == [1.0]
