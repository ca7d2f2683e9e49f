"""What the program says of itself, from a checkout and as an installed package (tests/test_wheel.py installs one)."""

import tomllib
from pathlib import Path

import pytest

from app import installation
from app.cli import main

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@pytest.fixture
def installed(monkeypatch, tmp_path):
    monkeypatch.setattr(installation, "_PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(installation.metadata, "version", {"actionlens": "9.8"}.__getitem__)


def test_a_checkout_has_its_own_version_whatever_is_installed_beside_it(monkeypatch, capsys):
    monkeypatch.setattr(installation.metadata, "version", lambda name: "0.0.1")
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    version = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    assert capsys.readouterr().out == f"ActionLens {version}\n"


def test_an_installed_program_has_that_of_its_package(installed):
    assert installation.version() == "9.8"


def test_commands_are_those_that_work_there(installed, monkeypatch):
    assert installation.command() == "actionlens"
    assert installation.install_command("train") == 'pip install "actionlens[train]"'
    assert installation.install_command() == "pip install actionlens"
    monkeypatch.setattr(installation, "_PROJECT", PROJECT)
    assert installation.command() == "python main.py"
    assert installation.install_command("train") == 'pip install -e ".[train]"'
    assert installation.install_command() == "pip install -e ."


def test_a_project_of_somebody_else_above_the_packages_is_no_checkout(monkeypatch, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "1"\n')
    monkeypatch.setattr(installation, "_PROJECT", tmp_path / "pyproject.toml")
    assert not installation.from_checkout()
