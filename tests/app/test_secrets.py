"""No password or token of an address is shown or written down anywhere."""

import json
import logging
import os
import stat
import sys
import threading

import keyring
import pytest
from engine_fakes import FakeEstimator, FakeRecognizer, InPlace
from spellings import FIRST, LAST, PLAIN, spellings

from app import cli, keyring_store
from app.live.engine import Engine
from app.outputs.headless import run_headless
from app.recording.writer import RecordingWriter
from app.settings import RunOptions, UserSettings, settings_path
from app.ui.choices import source_text
from pose.address import is_address, public_source, redacted, without_secrets
from pose.errors import SourceError
from pose.skeleton import MEDIAPIPE_33
from pose.source import open_source
from tests.pose.conftest import closed_port

__all__ = ["closed_port"]


def leaks(text):
    return [half for half in (FIRST, LAST) if half.lower() in text.lower()]


@pytest.fixture
def addresses(closed_port):
    made = spellings(closed_port)
    assert len(made) >= 50
    return made


class MemoryKeyring(keyring.backend.KeyringBackend):
    priority = 5

    def __init__(self):
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password


@pytest.fixture
def system_keyring(monkeypatch):
    made = MemoryKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    return made


def everything_below(folder):
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file())


def test_names_of_every_spelling(addresses):
    for address in addresses:
        shown = [public_source(address), without_secrets(address), source_text(address), redacted(f"bad: {address!r}")]
        assert not leaks("\n".join(shown)), shown
        assert is_address(address)


def test_a_malformed_address_says_how_to_mend_it_and_repeats_nothing(addresses):
    for address in addresses:
        with pytest.raises(SourceError) as error:
            open_source(address)
        line = str(error.value)
        assert "\n" not in line
        assert not leaks(line), line
    for mark in "/#? ":
        with pytest.raises(SourceError, match="percent-encode the password"):
            open_source(f"rtsp://admin:sec{mark}retB@host/live")


def test_runs_write_no_secret_anywhere(addresses, tmp_path, capfd):
    cli.start_logging(verbose=True)
    for number, address in enumerate(addresses):
        options = RunOptions(
            source=address, paced=False, json=str(tmp_path / f"{number}.jsonl"), save=tmp_path / "a.mp4"
        )

        def engine(options):
            return Engine(
                options,
                open_pose_worker=lambda *_: InPlace(FakeEstimator()),
                open_recognizer=lambda *_: FakeRecognizer(),
            )

        assert run_headless(options, engine) == 2
        for arguments in ([address], ["--cam", address], ["--people", address], [f"--x={address}"]):
            assert cli.main(arguments) == 2
    assert cli.main(["--bench", addresses[0], "--provider", "cpu"]) == 2
    logging.getLogger("app").warning("opening http://admin:%s@127.0.0.1/ failed", PLAIN)
    try:
        raise OSError(5, "Input/output error", f"http://admin:{PLAIN}@127.0.0.1/")
    except OSError:
        logging.getLogger("app").exception("capture failed")
    written = "\n".join(capfd.readouterr()) + everything_below(tmp_path)
    written += everything_below(settings_path().parents[2])  # configuration, state with the log
    assert "capture failed" in written
    assert not leaks(written), [line for line in written.splitlines() if leaks(line)][:5]


def test_settings_and_recordings_hold_no_secret(addresses, tmp_path):
    for address in addresses:
        UserSettings(source=address).save()
        assert not leaks(settings_path().read_text())
        size, layout = (64, 48), MEDIAPIPE_33
        writer = RecordingWriter(tmp_path, source=address, session="", layout=layout, size=size, skeleton_only=True)
        writer.add(0.0, None, ())
        writer.finish()
    assert not leaks(everything_below(tmp_path))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_settings_are_for_the_user_alone():
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text("{}")
    settings_path().chmod(0o644)
    before = os.umask(0)
    try:
        UserSettings().save()
    finally:
        os.umask(before)
    assert stat.S_IMODE(settings_path().stat().st_mode) == 0o600


def test_the_keyring_keeps_the_password(system_keyring):
    address = f"rtsp://admin:{PLAIN}@10.0.0.7:554/Streaming/Channels/101?channel=1"
    UserSettings(source=address).save()
    kept = json.loads(settings_path().read_text())["source"]
    assert kept == "rtsp://…@10.0.0.7:554/Streaming/Channels/101?channel=1"
    assert system_keyring.kept == {("actionlens", kept): address}
    settings = UserSettings.load()
    assert cli.parse(["--headless"], settings).options.source == "auto", "the keyring is not asked in vain"
    assert settings.whole_source() == address
    settings.save()  # as when nothing else was chosen
    assert UserSettings.load().whole_source() == address


class OfAnotherLibrary(Exception):
    """As those of secretstorage and jeepney are, which keyring lets through."""


BROKEN = [None, keyring.errors.KeyringLocked("locked"), RuntimeError("no bus"), OfAnotherLibrary("gone")]


@pytest.mark.parametrize("broken", BROKEN)
def test_without_a_keyring_the_password_is_asked_for_again(monkeypatch, system_keyring, broken):
    def fail(*_):
        raise broken

    if broken is None:
        monkeypatch.setattr(system_keyring, "priority", 0.5, raising=False)  # writes passwords into files
    else:
        system_keyring.get_password = system_keyring.set_password = fail
    UserSettings(source=f"rtsp://admin:{PLAIN}@10.0.0.7/live").save()
    assert system_keyring.kept == {}
    source = UserSettings.load().whole_source()
    assert not leaks(source)
    with pytest.raises(SourceError, match="open the address again with it"):
        open_source(source)


def test_a_keyring_that_does_not_answer_is_asked_once(monkeypatch, system_keyring):
    answered, asked = threading.Event(), []

    def hang(*_):
        asked.append(1)
        answered.wait(60)

    monkeypatch.setattr(keyring_store, "LONGEST_S", 0.2)
    monkeypatch.setattr(keyring_store, "_silent", threading.Event())
    system_keyring.get_password = hang
    UserSettings(source=f"rtsp://admin:{PLAIN}@10.0.0.7/live").save()
    assert UserSettings.load().whole_source() == "rtsp://…@10.0.0.7/live"
    answered.set()
    assert len(asked) == 1
    assert system_keyring.kept == {}


def test_addresses_without_a_secret_need_no_keyring(system_keyring):
    for address in ("http://10.0.0.7:8080/video", "rtsp://10.0.0.7/cam/realmonitor?channel=1&subtype=0", "0", "a.mp4"):
        UserSettings(source=address).save()
        assert UserSettings.load().whole_source() == address
    assert system_keyring.kept == {}


def test_what_an_earlier_version_wrote_down_is_taken_out(system_keyring):
    settings_path().parent.mkdir(parents=True)
    address = f"http://admin:{PLAIN}@10.0.0.7/video"
    settings_path().write_text(json.dumps({"source": address}))
    assert UserSettings.load().source == address
    assert not leaks(settings_path().read_text())
    assert UserSettings.load().whole_source() == address


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("rtsp://u:p@cam.local:554/a?x=1#f", "rtsp://cam.local:554/a"),
        ("http://user:p@ss@10.0.0.2/v", "http://10.0.0.2/v"),
        ("udp://@:1234", "udp://:1234"),
        ("rtsp://10.0.0.2:554/h264Preview_01_main", "rtsp://10.0.0.2:554/h264Preview_01_main"),
        ("http://10.0.0.2/a b/20260101-120000.mp4", "http://10.0.0.2/a b/20260101-120000.mp4"),
        ("rtsp://u:p@[fe80::1%25eth0]:554/live", "rtsp://[fe80::1%25eth0]:554/live"),
        ("rtsp://u:p@[fe80::1%wlp3s0]/live", "rtsp://[fe80::1%wlp3s0]/live"),
        ("rtmp://10.0.0.2/live/abc", "rtmp://10.0.0.2/live/…"),
        ("0", "0"),
        ("demo:3", "demo:3"),
        ("a:b.mp4", "a:b.mp4"),
        ("me@home.mp4", "me@home.mp4"),
        (r"C:\videos\walk.mp4", r"C:\videos\walk.mp4"),
        ("file:///videos/walk.mp4", "file:///videos/walk.mp4"),
    ],
)
def test_what_is_harmless_is_shown(url, name):
    assert public_source(url) == name


def test_a_file_that_is_there_is_no_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:b@c=token").write_text("x")
    assert public_source("a:b@c=token") == "a:b@c=token"


def test_a_word_of_many_letters_is_no_work():
    word = "a" * 50_000  # hours, where each of its letters may begin an address that ends at any other
    assert redacted(word) == word
    assert "secret" not in redacted(f"{word} rtsp://ada:secret@10.0.0.1/{word}")
