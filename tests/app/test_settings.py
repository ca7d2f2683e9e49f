import json
import logging

import pytest

from app.settings import UserSettings, settings_path


def test_defaults_where_nothing_was_saved():
    assert UserSettings.load() == UserSettings()


def test_what_is_saved_is_loaded():
    settings = UserSettings(source="demo", people=3, mirror=True, theme="dark", large_text=True, geometry="AdnQ==")
    settings.save()
    assert UserSettings.load() == settings
    assert [path.name for path in settings_path().parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[]", b"3", b"[" * 100_000])
def test_a_damaged_file_gives_the_defaults_and_a_warning(content, caplog):
    settings_path().parent.mkdir(parents=True)
    settings_path().write_bytes(content)
    assert UserSettings.load() == UserSettings()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert str(settings_path()) in caplog.text


def test_unknown_keys_and_wrong_types_are_left_out():
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text(json.dumps({"source": "demo", "people": "two", "mirror": 1, "from_the_future": {}}))
    assert UserSettings.load() == UserSettings(source="demo")


def test_a_number_of_people_out_of_range_is_left_out():
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text(json.dumps({"people": 9}))
    assert UserSettings.load().people == 1


@pytest.mark.parametrize(
    ("saved", "pose"),
    [
        ({"pose": "blazepose", "people": 8}, "blazepose"),
        ({"pose": "mediapipe", "people": 4}, "mediapipe"),
        ({"pose": "mediapipe", "people": 6}, "auto"),
        ({"pose": "of a later version"}, "auto"),
    ],
)
def test_an_estimator_that_cannot_be_used_is_left_out(saved, pose):
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text(json.dumps(saved))
    assert UserSettings.load().pose == pose


def test_a_folder_that_cannot_be_written_is_only_a_warning(tmp_path, caplog):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    UserSettings().save(blocked / "settings.json")
    assert "cannot be kept" in caplog.text


def test_a_failed_save_leaves_the_old_settings(tmp_path, monkeypatch, caplog):
    path = tmp_path / "settings.json"
    UserSettings(source="demo").save(path)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    UserSettings(source="0").save(path)
    monkeypatch.undo()
    assert UserSettings.load(path).source == "demo"
    assert list(tmp_path.iterdir()) == [path]
