"""An address with a secret, given to any option of any command line, is repeated nowhere."""

import argparse
import sys
from pathlib import Path

import pytest
from spellings import FIRST, LAST, PLAIN, spellings

from app import cli, models
from app.library import commands as library
from app.live.engine import Engine
from app.outputs.headless import run_headless
from app.settings import RunOptions, settings_path
from pose.address import is_local, redacted
from pose.arguments import Parser
from recognizer.errors import CardError
from recognizer.model_card import find_model

ADDRESSES = spellings(9)
URL = f"https://user:{PLAIN}@127.0.0.1:9/m?token={PLAIN}"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def leaks(text):
    return [line for line in text.splitlines() for half in (FIRST, LAST) if half.lower() in line.lower()]


def parsers(parser):
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


def training_parser():
    pytest.importorskip("torch")
    from recognizer.training.command_line import COMMANDS, _parser

    return _parser("recognizer.training", "", COMMANDS)


def research_parser():
    pytest.importorskip("torch")
    from recognizer.training.command_line import _parser
    from research.command_line import COMMANDS

    return _parser("research", "", COMMANDS)


PARSERS = {
    "main.py": cli._parser,
    "library": library._parser,
    "training": training_parser,
    "research": research_parser,
}


@pytest.mark.parametrize("name", PARSERS)
def test_no_parser_takes_an_address_for_a_path_or_repeats_one(name, capsys):
    tried = 0
    for parser in parsers(PARSERS[name]()):
        assert isinstance(parser, Parser)
        for action in parser._actions:
            if (action.type is None and action.choices is None) or isinstance(action, argparse._SubParsersAction):
                continue
            for address in (URL, f"rtsp://admin:{PLAIN}@127.0.0.1:9/live"):
                try:
                    parser._get_values(action, [address])
                except argparse.ArgumentError as error:
                    try:
                        parser.error(str(error))
                    except (SystemExit, cli.UsageError) as refused:
                        capsys_text = f"{refused}{''.join(capsys.readouterr())}"
                    assert not leaks(capsys_text)
                    tried += 1
                else:
                    assert action.type not in (Path,), f"{action.option_strings} takes {address}"
    assert tried >= 10


@pytest.mark.parametrize("option", ["--model", "--json", "--save", "--pose-model", "--people", "--teaching"])
def test_main_repeats_no_address(option, capfd):
    for address in ADDRESSES:
        assert cli.main(["--headless", "--camera", "demo", "--seconds", "1", option, address]) == 2
    assert not leaks("".join(capfd.readouterr()))
    if settings_path().exists():
        assert not leaks(settings_path().read_text())


def test_the_library_repeats_no_address(capfd):
    for address in ADDRESSES:
        for arguments in (["--root", address, "check"], ["import", address], ["export", "tables", address], [address]):
            try:
                assert library.main(arguments) == 2
            except SystemExit:  # argparse's own, with 2
                continue
    assert not leaks("".join(capfd.readouterr()))


def test_a_model_that_is_not_there_is_named_without_a_secret():
    for address in ADDRESSES:
        for find in (models.find, find_model):
            with pytest.raises(CardError, match="no model") as error:
                find(address)
            assert not leaks(str(error.value))


def test_failures_of_a_run_name_no_secret(capfd, tmp_path):
    wrong = {"model": URL}, {"provider": URL}, {"pose_model": Path(URL)}
    for options in wrong:
        assert run_headless(RunOptions(source="demo", seconds=1, paced=False, **options), Engine) == 2
    assert not leaks("".join(capfd.readouterr()))


@pytest.mark.parametrize(
    "text",
    [
        "no model 'mine@9'; the models here are: act, mine@1; or give a folder",
        "/home/me@work/models/card.json: expected a number, got 'x'",
        "./a@b/card.json is missing; a model folder has card.json and model.onnx",
        "C:\\models\\me@work\\card.json is missing",
    ],
)
def test_names_that_are_no_addresses_stay(text):
    assert redacted(text) == text


@pytest.mark.parametrize("path", ["weights/mine@2", "out.npz", "/data/me@work/x", "a b.json", "-", "..", "~/x", "x=1"])
def test_paths_are_local(path):
    assert is_local(path)


@pytest.mark.skipif(sys.platform == "win32", reason="no such file name on Windows")
def test_a_file_that_is_there_is_local(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a:b@c").write_text("")
    assert is_local("a:b@c")
    assert not is_local("a:b@d")
