"""An action is written for people in one way: "sit down", never the name that files and other programs have."""

import ast
from pathlib import Path

import pytest
from window_fakes import result

from app.alerts.rules import load
from app.library.catalogue import Library
from app.outputs.run_outputs import ChangePrinter
from app.ui.teaching.guidance import cannot_train, left_out, next_step, recording_text
from app.ui.teaching.report import examples_html, plain_result, worst_takes
from app.ui.teaching.take_store import same_display_name

ROOT = Path(__file__).resolve().parents[2]
# Lines for other programs and for files, which have the names themselves; benchmarks make rules up.
MACHINES = {
    "app/outputs/json_lines.py",
    "app/outputs/events.py",
    "app/alerts/rules.py",
    "app/alerts/mqtt.py",
    "app/alerts/reactions.py",
}
BENCHMARKS = {"app/tools/bench_everything.py", "app/tools/bench_teaching.py"}


def raw_names(tree: ast.AST) -> list[int]:
    """Lines with an f-string that has `action` or `x.action` in it as it is."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue):
            value = node.value
            name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
            if name == "action":
                found.append(node.lineno)
    return found


def test_no_text_has_a_name_as_it_is():
    wrong = []
    for file in sorted((ROOT / "app").rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        if name not in MACHINES | BENCHMARKS:
            wrong += [f"{name}:{line}" for line in raw_names(ast.parse(file.read_text(encoding="utf-8")))]
    assert wrong == [], "write it with action_text()"


def test_such_a_text_is_found():
    assert raw_names(ast.parse('f"{card.action}: nobody"\nf"{action_text(card.action)}"\nf"{action}"')) == [1, 3]


def test_lines_without_a_window(capsys):
    ChangePrinter()(result(2.0, ((0, "sit_down"),)))
    assert capsys.readouterr().out.split("person 0")[1].startswith("  sit down  ")


def test_what_the_teaching_page_says():
    assert "Press Record for sit down" in next_step({"sit_down": 0}, 0, ready=False, tried=False, trains=False)
    assert "Press Record for sit down" in next_step({"sit_down": 2}, 0, ready=False, tried=False, trains=False)
    assert "Do sit down once" in recording_text("sit_down")
    assert "sit down has 2 takes" in left_out({"sit_down": 2})
    assert "sit down has to differ" in cannot_train({"sit_down": 5}, 0)
    assert same_display_name("sit_down", "Sit down")
    assert not same_display_name("sit_down", "stand_up")


def test_what_a_check_says():
    strict = {"clips": 4, "confusions": [("sit_down", "pick_up", 2)], "actions": {"sit_down": {"clips": 4}}}
    check = {
        "checks": [strict],
        "needed": {"push_up": 2},
        "suspects": [{"clip": "a", "action": "sit_down", "looks_like": "pick_up"}],
        "alarms": {"seconds": 60.0, "shown": {"stand_up": 1}},
    }
    text = plain_result(check)
    for words in ("sit down is mistaken for pick up in 2", "push up needs", "stand up 1 time"):
        assert words in text
    assert worst_takes(check) == [("a", "A take of sit down looks like pick up.")]
    assert "<b>sit down</b> (1): a" in examples_html({"sit_down": ["a"]})


def test_a_rule_without_a_name_is_called_by_the_action(tmp_path):
    file = tmp_path / "rules.toml"
    file.write_text('[[rule]]\naction = "sit_down"\nlasts_s = 3\ndo = [{ sound = "" }]\n', encoding="utf-8")
    (rule,) = load(file).rules
    assert (rule.name, rule.action) == ("sit down 3", "sit_down")


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path) as opened:
        yield opened


def test_what_can_be_undone_is_told_in_words(library):
    library.add_name("action", "sit_down")
    library.set_key("sit_down", "3")
    assert "sit down" in library.undo_text()
    assert "sit_down" in [named.name for named in library.names("action")]
