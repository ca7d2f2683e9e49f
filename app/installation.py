"""Where the program runs from: a checkout or an installed package; its version and the commands that go with it."""

import tomllib
from importlib import metadata
from pathlib import Path

_PACKAGE = "actionlens"
_PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def from_checkout() -> bool:
    """Whether the packages lie beside the project's own pyproject.toml."""
    return _PROJECT.is_file() and _PROJECT.with_name("main.py").is_file()


def command() -> str:
    """What is typed to start the program."""
    return "python main.py" if from_checkout() else _PACKAGE


def install_command(extra: str = "") -> str:
    """What is typed to install what the program needs, with an extra or without."""
    what = "." if from_checkout() else _PACKAGE
    option = "-e " if from_checkout() else ""
    return f'pip install {option}"{what}[{extra}]"' if extra else f"pip install {option}{what}"


def version() -> str:
    """The checkout's own version, where there is one: what is installed beside it may be older."""
    if from_checkout():
        found: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
        return found
    return metadata.version(_PACKAGE)
