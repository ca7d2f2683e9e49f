"""Rules and their file: TOML, written whole, read with one clear line about what is wrong."""

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from app.errors import UsageError
from pose.whole_file import write_private_text
from recognizer.action_names import action_text

NOBODY = "nobody"  # in the place of an action: there is no person in view
KINDS = ("sound", "notify", "command", "post", "mqtt", "osc", "key")
_RULE_KEYS = {"name", "action", "lasts_s", "times", "limit_s", "on", "do"}
_MAX_TIMES = 1_000_000
_FILE_KEYS = {"allowed_hosts", "allow_keys", "mqtt", "rule"}


class AlertError(UsageError):
    """Rules that cannot be read, or something that could not be done; one line that says how to fix it."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """Something to do. kind: of KINDS.

    value: sound: a file, "" for a beep; notify: a text; command: program and arguments; post: an address;
    mqtt: a topic; osc: "HOST:PORT/ADDRESS"; key: a key's name.
    """

    kind: str
    value: str | tuple[str, ...] = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """When somebody does `action` for lasts_s seconds, or repeats it `times` times: one of the two is given.

    action: also unknown, idle and nobody. limit_s: it fires once in this time at most. on: it is watched.
    """

    name: str
    action: str
    reactions: tuple[Reaction, ...]
    lasts_s: float | None = None
    times: int | None = None
    limit_s: float = 10.0
    on: bool = True


@dataclass(frozen=True, slots=True)
class Broker:
    """Where MQTT messages go. password_env: the environment variable that holds the password; no file has it.

    home_assistant: the first person's action appears there as a sensor.
    """

    host: str
    port: int = 1883
    tls: bool = False
    username: str = ""
    password_env: str = ""
    home_assistant: bool = False


@dataclass(frozen=True, slots=True)
class Alerts:
    """Everything in the file. allowed_hosts: may be posted to though they are outside of private networks.

    allow_keys: keys may be pressed. file: where it was read or is kept, for messages; None where there is none.
    """

    rules: tuple[Rule, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    allow_keys: bool = False
    broker: Broker | None = None
    file: Path | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """The file as messages name it."""
        return str(self.file) if self.file is not None else "the file of the rules"


def alerts_path() -> Path:
    """The file that the window keeps."""
    return user_config_path("actionlens", appauthor=False) / "alerts.toml"


def load(path: Path) -> Alerts:
    """Raises AlertError where the file is not there or says what cannot be done."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AlertError(f"the rules in {path} cannot be read: {error.strerror or error}; name another file") from None
    except (ValueError, RecursionError) as error:  # also of UTF-8, and of a number of 5000 digits
        raise AlertError(f"{path} is not a valid TOML file: {error}") from None
    return _alerts(values, path)


def _alerts(values: Mapping[str, Any], path: Path) -> Alerts:
    _refuse_unknown(values, _FILE_KEYS, str(path))
    items = _list(values, "rule", str(path))
    rules = tuple(_rule(item, f"{path}, rule {index + 1}") for index, item in enumerate(items))
    names = [rule.name for rule in rules]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise AlertError(f"{path} has two rules called {twice!r}; rename one")
    return Alerts(
        rules,
        _hosts(values, str(path)),
        _typed(values, "allow_keys", bool, False, str(path)),
        _broker(values["mqtt"], f"{path}, mqtt") if "mqtt" in values else None,
        path,
    )


def save(alerts: Alerts, path: Path) -> None:
    """Write everything, through a temporary file; AlertError where that fails, or where load() would refuse it."""
    text = as_toml(alerts)
    _alerts(tomllib.loads(text), path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private_text(path, text)  # an address to post to may hold a token
    except OSError as error:
        raise AlertError(f"rules cannot be kept in {path}: {error.strerror or error}") from None


def as_toml(alerts: Alerts) -> str:
    """The file's text."""
    lines = [f"allowed_hosts = {_text(list(alerts.allowed_hosts))}", f"allow_keys = {_text(alerts.allow_keys)}"]
    if alerts.broker is not None:
        broker = alerts.broker
        lines += ["", "[mqtt]", *(f"{name} = {_text(getattr(broker, name))}" for name in broker.__slots__)]
    for rule in alerts.rules:
        lines += ["", "[[rule]]", f"name = {_text(rule.name)}", f"action = {_text(rule.action)}"]
        lines += [f"{name} = {_text(v)}" for name in ("lasts_s", "times") if (v := getattr(rule, name)) is not None]
        lines += [f"limit_s = {_text(rule.limit_s)}", f"on = {_text(rule.on)}"]
        reactions = ", ".join(f"{{ {reaction.kind} = {_text(_plain(reaction.value))} }}" for reaction in rule.reactions)
        lines.append(f"do = [{reactions}]")
    return "\n".join(lines) + "\n"


def _plain(value: str | tuple[str, ...]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _text(value: Any) -> str:
    # JSON's strings, numbers, lists and truth values are TOML's, but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _rule(item: Any, where: str) -> Rule:
    if not isinstance(item, dict):
        raise AlertError(f"{where} is not a table; write [[rule]] above it")
    _refuse_unknown(item, _RULE_KEYS, where)
    action = _typed(item, "action", str, "", where)
    if not action:
        raise AlertError(f'{where} has no action; write action = "wave", or unknown, idle, nobody')
    lasts_s, times = item.get("lasts_s"), item.get("times")
    if (lasts_s is None) == (times is None):
        raise AlertError(f"{where} needs lasts_s or times, one of the two")
    if lasts_s is not None:
        lasts_s = _number(item, "lasts_s", 0.0, where)
    elif not _is_whole(times, 1, _MAX_TIMES):
        raise AlertError(f"{where}: times must be a whole number from 1 to {_MAX_TIMES}")
    elif action in (NOBODY, "unknown", "idle", "walk", "run"):
        raise AlertError(f"{where}: {action} is not counted; use lasts_s")
    reactions = tuple(_reaction(reaction, where) for reaction in _list(item, "do", where))
    if not reactions:
        raise AlertError(f'{where} does nothing; write for instance do = [{{ sound = "" }}]')
    amount = times if lasts_s is None else f"{lasts_s:g}"
    name = _typed(item, "name", str, "", where) or f"{action_text(action)} {amount}"
    limit_s = _number(item, "limit_s", 0.0, where) if "limit_s" in item else 10.0
    return Rule(name, action, reactions, lasts_s, times, limit_s, _typed(item, "on", bool, True, where))


def _hosts(values: Mapping[str, Any], where: str) -> tuple[str, ...]:
    hosts = _list(values, "allowed_hosts", where)
    if not all(isinstance(host, str) for host in hosts):
        raise AlertError(f'{where}: allowed_hosts is a list of names, as in ["example.org"]')
    return tuple(host.lower() for host in hosts)


def _reaction(item: Any, where: str) -> Reaction:
    if not isinstance(item, dict) or len(item) != 1 or next(iter(item)) not in KINDS:
        raise AlertError(f'{where}: each part of do is one of {", ".join(KINDS)}, as in {{ post = "http://..." }}')
    ((kind, value),) = item.items()
    if kind == "command":
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value) or not value[0]:
            raise AlertError(f'{where}: a command is a list of its program and arguments, as in ["aplay", "a.wav"]')
        return Reaction(kind, tuple(value))
    if not isinstance(value, str) or (not value and kind != "sound"):
        raise AlertError(f"{where}: {kind} needs a text")
    return Reaction(kind, value)


def _broker(item: Any, where: str) -> Broker:
    if not isinstance(item, dict):
        raise AlertError(f"{where} is not a table; write [mqtt] above it")
    _refuse_unknown(item, set(Broker.__slots__), where)
    host = _typed(item, "host", str, "", where)
    tls = _typed(item, "tls", bool, False, where)
    port = item.get("port", 8883 if tls else 1883)
    if not host or not _is_whole(port, 1, 65535):
        raise AlertError(f'{where} needs host = "..." and a port from 1 to 65535')
    if any(mark in host for mark in "/@"):  # which would also show a password in messages
        raise AlertError(f'{where}: host is a name alone, as in host = "192.168.1.10"; username is given by itself')
    texts = [_typed(item, name, str, "", where) for name in ("username", "password_env")]
    return Broker(host, port, tls, texts[0], texts[1], _typed(item, "home_assistant", bool, False, where))


def _refuse_unknown(item: Mapping[str, Any], keys: set[str], where: str) -> None:
    unknown = sorted(set(item) - keys)
    if unknown:
        raise AlertError(f"{where}: {unknown[0]!r} is not one of {', '.join(sorted(keys))}")


def _typed(item: Mapping[str, Any], key: str, kind: type, default: Any, where: str) -> Any:
    value = item.get(key, default)
    if type(value) is not kind:
        raise AlertError(f"{where}: {key} must be {'true or false' if kind is bool else 'a text'}")
    return value


def _number(item: Mapping[str, Any], key: str, least: float, where: str) -> float:
    value = item[key]
    if type(value) not in (int, float) or not least <= value <= sys.float_info.max:  # which NaN is not, either
        raise AlertError(f"{where}: {key} must be a number of seconds from {least:g} on")
    return float(value)


def _is_whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _list(values: Mapping[str, Any], key: str, where: str) -> Sequence[Any]:
    value = values.get(key, [])
    if not isinstance(value, list):
        raise AlertError(f"{where}: {key} must be a list")
    return value
