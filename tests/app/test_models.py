"""Recognizers by name: found, listed, and what is done with the folders of taught ones."""

import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from taught_stand_in import stand_in

from app import model_files, models
from app.cli import main, parse
from app.errors import UsageError
from app.library.catalogue import Library
from app.library.rows import Model
from app.live import run_inputs
from app.recording.folder import library_root
from app.settings import UserSettings
from pose.whole_file import write_bytes
from recognizer.errors import CardError
from recognizer.model_card import CARD_FILE, ModelCard, shipped_models


@pytest.mark.parametrize("given", ["mine", "mine@2", "mine/2"])
def test_a_taught_recognizer_is_found_by_its_name(given):
    stand_in("mine", 1)
    folder = stand_in("mine", 2)
    assert models.find(given) == folder
    assert models.name_of(given) == "mine@2"
    assert models.name_of(str(folder)) == "mine@2"
    assert models.find("mine@1") == folder.parent / "1"


def test_what_is_shipped_keeps_its_name():
    folder = stand_in("act", 1)
    assert models.find("act") == shipped_models()["act"]
    assert models.name_of("act") == "act"
    assert models.find("act@1") == folder
    assert model_files.refusal_of("act") == "act is the name of a shipped recognizer; choose another"


def test_any_other_folder_stays_a_path(tmp_path):
    assert models.find(str(tmp_path)) == tmp_path
    assert models.name_of(str(tmp_path / "3")) == str(tmp_path / "3")
    assert models.name_of("./mine") == "./mine"


@pytest.mark.parametrize("given", ["mine@3", "mine@", "@1", "mime", "mine/../act", "m" * 300, "mine\0", ""])
def test_what_is_not_there_is_one_line_with_all_names(given):
    stand_in("mine", 1)
    stand_in("mine", 2)
    with pytest.raises(CardError, match="act, gl-transformer, st-gcn, st-tr, mine@2, mine@1; or give a folder"):
        models.find(given)


def test_the_command_line_takes_the_names_and_old_settings_their_paths():
    folder = stand_in("mine", 1)
    assert parse(["--model", "mine", "--headless"], UserSettings()).options.model == "mine@1"
    assert parse(["--model", "mine/1", "--headless"], UserSettings()).options.model == "mine@1"
    assert parse(["--camera", "demo"], UserSettings(model=str(folder))).options.model == "mine@1"


def test_a_recognizer_says_its_name_also_where_its_card_is_older():
    stand_in("mine", 1, card_name="mine")
    recognizer = run_inputs.open_recognizer("mine", "cpu")
    assert (recognizer.name, recognizer.card.name) == ("mine@1", "mine@1")
    recognizer.close()


def test_all_are_listed_with_where_they_come_from(capsys):
    stand_in("mine", 1)
    newest = stand_in("mine", 2)
    (stand_in("broken", 1) / CARD_FILE).write_text("{")
    assert main(["--list-models"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert list(lines) == ["NAME", "act", "gl-transformer", "st-gcn", "st-tr", "broken@1", "mine@2", "mine@1"]
    assert "taught, the newest: also mine " in lines["mine@2"]
    assert str(newest) in lines["mine@2"]
    assert " shipped " in lines["act"]
    assert " 18 " in lines["act"]
    assert "not valid JSON" in lines["broken@1"]
    assert "also" not in lines["mine@1"]


def test_a_card_that_has_changed_is_listed_anew(tmp_path, monkeypatch):
    shutil.copy(shipped_models()["act"] / CARD_FILE, tmp_path)
    monkeypatch.setattr(models, "shipped_models", lambda: {"act": tmp_path})
    (before,) = models.known_models()
    assert (before.actions, before.problem) == (18, "")
    card = ModelCard.load_text(tmp_path)
    replace(card, created="2030-01-02T00:00:00").save(tmp_path)
    (after,) = models.known_models()
    assert (after.made, after.problem) == ("2030-01-02", "")
    (tmp_path / CARD_FILE).write_text("{}")
    (broken,) = models.known_models()
    assert str(tmp_path / CARD_FILE) in broken.problem


def test_a_rename_moves_all_versions_with_their_cards_and_the_library_s_note():
    stand_in("mine", 1)
    stand_in("mine", 2)
    root = library_root()
    with Library(root) as library:
        library.add_model(Model("mine/2", "2026-01-01", "quick", "models/mine/2", (("r/1", "wave"),)))
    model_files.rename(root, "mine", "gym")
    assert [model.name for model in models.known_models() if model.origin == models.TAUGHT] == ["gym@2", "gym@1"]
    assert ModelCard.load(models.find("gym@1")).name == "gym@1"
    with Library(root) as library:
        (noted,) = library.models()
    assert (noted.name, noted.folder, noted.segments) == ("gym@2", "models/gym/2", (("r/1", "wave"),))
    with pytest.raises(CardError):
        models.find("mine")


@pytest.mark.parametrize(
    ("failing", "at"),
    [("recognizer.model_card.write_bytes", 2), ("app.model_files.os.replace", 4)],  # the second card: written, placed
)
def test_a_rename_that_fails_half_way_changes_nothing(failing, at, monkeypatch):
    root, home = library_root(), stand_in("mine", 1).parent
    (stand_in("mine", 2) / CARD_FILE).write_text("{")  # damaged, and moved as it is
    stand_in("mine", 3)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    does, calls = (write_bytes if failing.endswith("write_bytes") else os.replace), []

    def fail_once(*arguments):
        calls.append(arguments)
        if len(calls) == at:
            raise OSError(28, "No space left on device")
        return does(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(failing, fail_once)
        with pytest.raises(UsageError, match=r"mine cannot be renamed \(No space left on device\); try again"):
            model_files.rename(root, "mine", "gym")
    assert len(calls) >= at
    assert {path: path.read_bytes() for path in home.parent.rglob("*") if path.is_file()} == before
    model_files.rename(root, "mine", "gym")
    assert ModelCard.load(models.find("gym@3")).name == "gym@3"
    assert sorted(path.name for path in (home.parent / "gym").iterdir()) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("act", "shipped"),
        ("mine", "already"),
        ("Gym", "there is already a recognizer gym"),
        ("a/b", "letters a to z"),
        ("../x", "letters a to z"),
        ("w" * 200, "up to 48"),
        ("走る", "letters a to z"),
        ("", "letters a to z"),
        ("mine@2", "letters a to z"),
    ],
)
def test_a_name_that_cannot_be_is_one_line_and_changes_nothing(new, says):
    stand_in("mine", 1)
    stand_in("gym", 1)
    with pytest.raises(UsageError, match=says) as raised:
        model_files.rename(library_root(), "mine", new)
    assert "\n" not in str(raised.value)
    assert models.find("mine@1").is_dir()
    assert models.find("gym@1").is_dir()


def test_one_version_is_removed_and_the_last_takes_the_name_with_it():
    root = library_root()
    first, second = stand_in("mine", 1), stand_in("mine", 2)
    with Library(root) as library:
        library.add_model(Model("mine@2", "2026-01-01", "quick", "models/mine/2", ()))
    model_files.remove(root, second)
    assert models.find("mine") == first
    with Library(root) as library:
        assert library.models() == []
    model_files.remove(root, first)
    assert list(models.models_folder().iterdir()) == []


def test_what_is_exported_is_brought_in_as_the_next_version(tmp_path):
    folder = stand_in("mine", 1)
    file = model_files.export(folder, tmp_path / "out")
    assert file.name == "out.actionlens.zip"
    made = model_files.import_model(library_root(), file)
    assert made == folder.parent / "2"
    assert ModelCard.load(made).name == "mine@2"
    assert (made / "clips.json").read_text() == (folder / "clips.json").read_text()
    elsewhere = model_files.import_model(tmp_path / "another library", file)
    assert models.find("mine", tmp_path / "another library") == elsewhere
    shipped = model_files.import_model(library_root(), shipped_models()["act"])
    assert models.name_of(str(shipped)) == "act-mine@1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another library", "out.actionlens.zip"]


def test_an_export_replaces_no_file_whose_name_nobody_has_typed(tmp_path):
    folder = stand_in("mine", 1)
    (tmp_path / "out.actionlens.zip").write_text("precious")
    with pytest.raises(UsageError, match="already there"):
        model_files.export(folder, tmp_path / "out")
    assert (tmp_path / "out.actionlens.zip").read_text() == "precious"
    model_files.export(folder, tmp_path / "out.actionlens.zip")
    assert zipfile.is_zipfile(tmp_path / "out.actionlens.zip")


@pytest.mark.parametrize("target", [".", "/", "x" * 300])
def test_an_export_to_what_can_be_no_file_is_one_line(target):
    with pytest.raises(UsageError, match=r"give the name|too long") as raised:
        model_files.export(stand_in("mine", 1), Path(target))
    assert "\n" not in str(raised.value)


def test_archives_that_hold_no_recognizer_are_one_line_and_leave_nothing(tmp_path):
    root = library_root()
    (tmp_path / "no.zip").write_bytes(b"PK nothing")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("../../card.json", "{}")
    with zipfile.ZipFile(tmp_path / "damaged.zip", "w") as archive:
        archive.writestr("../../card.json", "{}")
        archive.writestr("../../model.onnx", "no")
    with zipfile.ZipFile(tmp_path / "nameless.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), "x")
    with zipfile.ZipFile(tmp_path / "bits.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", "ABCD" * 500)
        archive.writestr("model.onnx", "no")
    bits = (tmp_path / "bits.zip").read_bytes()
    (tmp_path / "bits.zip").write_bytes(bits[:39] + b"\xff" * 9 + bits[48:])  # no stream of Deflate's
    for name, kind, says in (
        ("no.zip", UsageError, "is not a readable archive"),
        ("other.zip", UsageError, "holds no recognizer"),
        ("damaged.zip", CardError, "card.json"),
        ("nameless.zip", UsageError, "is not a readable archive"),
        ("bits.zip", UsageError, "is not a readable archive"),
        ("gone.zip", UsageError, "cannot be imported"),
    ):
        with pytest.raises(kind, match=says) as raised:
            model_files.import_model(root, tmp_path / name)
        assert "\n" not in str(raised.value)
    assert not models.models_folder().exists() or not list(models.models_folder().glob("*/*"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("bits.zip", "damaged.zip", "nameless.zip", "no.zip", "other.zip")
    ]


def test_a_full_disk_leaves_no_half_export(tmp_path, monkeypatch):
    folder = stand_in("mine", 1)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(UsageError, match="No space left on device"):
        model_files.export(folder, tmp_path / "out.zip")
    assert list(tmp_path.iterdir()) == []
