"""What a rule does. Each reaction ends within seconds and raises AlertError where it fails."""

import os
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import IO

import numpy as np

from app.alerts.http_post import post
from app.alerts.look_up import look_up
from app.alerts.mqtt import MqttLink
from app.alerts.rules import AlertError, Alerts, Reaction
from app.alerts.watch import Alert
from pose.address import public_name, redacted
from pose.whole_file import atomic_write

_COMMAND_S = 10.0
_LOOK_UP_S = 5.0  # for the name server to give an OSC server's address
_SAID_BYTES = 4096  # of the end of what a program that failed has said
_PLAYERS = ("pw-play", "paplay", "aplay", "afplay")
_RATE = 22050


class Reactions:
    """Carries out reactions. One thread at a time."""

    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts
        self.mqtt = MqttLink(alerts.broker) if alerts.broker is not None else None

    def do(self, reaction: Reaction, alert: Alert) -> None:
        """Raises AlertError."""
        value = reaction.value
        if isinstance(value, tuple):
            run_command([part.replace("{action}", alert.rule.action) for part in value])
        elif reaction.kind == "sound":
            play(value)
        elif reaction.kind == "notify":
            notify(value)
        elif reaction.kind == "post":
            post(value, alert.values(), self._alerts.allowed_hosts, self._alerts.place)
        elif reaction.kind == "mqtt":
            if self.mqtt is None:
                raise AlertError(f'no MQTT broker is named; write [mqtt] with host = "..." into {self._alerts.place}')
            self.mqtt.publish(value, alert.values())
        elif reaction.kind == "osc":
            send_osc(value, alert)
        else:
            press(value, allowed=self._alerts.allow_keys, place=self._alerts.place)

    def close(self) -> None:
        """End connections."""
        if self.mqtt is not None:
            self.mqtt.close()


def run_command(arguments: Sequence[str]) -> None:
    """Run a program, never through a shell, for _COMMAND_S at most. What it leaves running is not waited for."""
    program = arguments[0]
    try:
        with tempfile.TemporaryFile() as said:  # a pipe ends only with the last program that has it
            status = _status_of(arguments, said)
            last = _last_line(said) if status else ""
    except FileNotFoundError:
        raise AlertError(f"there is no program {program!r}; give its whole path") from None
    except (OSError, ValueError) as error:
        raise AlertError(f"{program} cannot be run: {getattr(error, 'strerror', None) or error}") from None
    if status is None:
        raise AlertError(f"{program} did not end within {_COMMAND_S:.0f} s and was stopped")
    if status:
        raise AlertError(f"{program} failed with status {status}{': ' + redacted(last) if last else ''}")


def _status_of(arguments: Sequence[str], errors: IO[bytes]) -> int | None:
    """None where it took too long and was stopped."""
    process = subprocess.Popen(list(arguments), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
    try:
        return process.wait(_COMMAND_S)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()


def _last_line(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _SAID_BYTES))
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def play(file: str) -> None:
    """A sound file, or a beep."""
    if file and not Path(file).expanduser().is_file():
        raise AlertError(f"there is no sound file {file}")
    path = str(Path(file).expanduser()) if file else str(_beep())
    if sys.platform == "win32":
        import winsound

        winsound.PlaySound(path, winsound.SND_FILENAME)
        return
    player = next((found for name in _PLAYERS if (found := shutil.which(name))), None)
    if player is None:
        raise AlertError(f"no program plays sounds here; install one of {', '.join(_PLAYERS)}")
    run_command([player, path])


def _beep() -> Path:
    """A file of two short tones, made once."""
    path = Path(tempfile.gettempdir()) / "actionlens-beep.wav"
    if not path.is_file():
        at = np.arange(int(0.16 * _RATE)) / _RATE
        tones = [np.sin(2 * np.pi * hertz * at) * np.hanning(len(at)) for hertz in (880.0, 1175.0)]
        # Whole, since another program of ours may play it meanwhile.
        with atomic_write(path) as temporary, wave.open(str(temporary), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(_RATE)
            out.writeframes((np.concatenate(tones) * 12000).astype("<i2").tobytes())
    return path


def notify(text: str) -> None:
    """A notification of the desktop."""
    if sys.platform == "darwin":
        script = 'on run argv\ndisplay notification (item 1 of argv) with title "ActionLens"\nend run'
        run_command(["osascript", "-e", script, text])
    elif sys.platform.startswith("linux"):
        if shutil.which("notify-send") is None:
            raise AlertError("notifications need the program notify-send; install libnotify-bin")
        run_command(["notify-send", "--app-name=ActionLens", "--", "ActionLens", text])
    else:
        raise AlertError("notifications are not supported on this system; use a sound or a command")


def send_osc(where: str, alert: Alert) -> None:
    """The action's name, seconds and count to HOST:PORT/ADDRESS."""
    try:
        from pythonosc.udp_client import SimpleUDPClient
    except ImportError:
        raise AlertError("OSC needs python-osc: pip install 'actionlens[alerts]'") from None
    target, slash, address = where.partition("/")
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or not slash:
        raise AlertError(f"OSC cannot send to {redacted(where)!r}: write 127.0.0.1:9000/action")
    try:
        found, *_ = look_up(host.strip("[]"), int(port), _LOOK_UP_S)
        with closing(SimpleUDPClient(found, int(port))) as client:
            client.send_message(f"/{address}", [alert.rule.action, float(alert.lasted_s), int(alert.count)])
    except (OSError, ValueError) as error:
        raise AlertError(f"OSC cannot send to {target}: {getattr(error, 'strerror', None) or error}") from None


def press(key: str, *, allowed: bool, place: str = "the file of the rules") -> None:
    """Press and release a key, in whatever window has the keyboard. place: the file that allows it."""
    if not allowed:
        raise AlertError(f"keys are not pressed unless allowed; set allow_keys = true in {place}")
    try:
        from pynput.keyboard import Controller, Key
    except ImportError:  # also where there is no display
        raise AlertError("key presses need pynput and a display: pip install 'actionlens[alerts]'") from None
    named = getattr(Key, key, None)
    if named is None and len(key) != 1:
        raise AlertError(f"there is no key {key!r}; write one character, or a name like space, enter, media_play_pause")
    keyboard = Controller()
    keyboard.press(named or key)
    keyboard.release(named or key)


def describe(reaction: Reaction) -> str:
    """For lists: "post http://...", "command aplay a.wav"; without the secrets of an address."""
    value = " ".join(reaction.value) if isinstance(reaction.value, tuple) else reaction.value
    value = public_name(value) if reaction.kind == "post" else redacted(value)
    return f"{reaction.kind} {value}".strip()
