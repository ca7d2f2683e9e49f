"""Rules in the window."""

import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QWidget
from window_fakes import decision, pose, result

from app.alerts.rules import Alerts, Broker, Reaction, Rule, load, save
from app.results import PersonResult
from app.ui.alerts.dialog import AlertsDialog, when_text
from app.ui.alerts.rule_form import TIMES, RuleForm


def writes(file):
    return Reaction("command", (sys.executable, "-c", f"open({str(file)!r}, 'a').write('x')"))


def opened(window):
    window.actions_by_name["alerts"].trigger()
    return window.findChild(AlertsDialog)


def saved(form):
    button = form.buttons.button(QDialogButtonBox.StandardButton.Save)
    assert button.isEnabled(), button.toolTip()
    button.click()


def test_a_rule_is_made_kept_tried_and_fires(running, engines, qtbot, alerts_file, tmp_path):
    dialog = opened(running)
    dialog.add.click()
    form = dialog.findChild(RuleForm)
    form.name.setText("hello")
    form.action.setCurrentIndex(form.action.findData("wave"))
    form.many.setValue(1.5)
    form.kinds["sound"][0].setChecked(False)
    box, field = form.kinds["command"]
    box.setChecked(True)
    out = tmp_path / "my file"
    field.setText(f"\"{sys.executable}\" -c \"open({str(out)!r}, 'a').write('x')\"")
    saved(form)
    rule = load(alerts_file).rules[0]
    assert (rule.name, rule.action, rule.lasts_s, rule.times) == ("hello", "wave", 1.5, None)
    assert rule.reactions[0].value[0] == sys.executable
    dialog.list.setCurrentItem(dialog.list.topLevelItem(0))
    dialog.attempt.click()
    qtbot.waitUntil(lambda: dialog.list.topLevelItem(0).text(3) == "done", timeout=60_000)
    assert out.read_text() == "x"
    engines.last.give(result(3.0, persons=((0, "wave"),)))
    qtbot.waitUntil(lambda: out.read_text() == "xx", timeout=60_000)
    dialog.close()


def test_a_rule_fires_in_every_run(running, engines, qtbot, alerts_file, tmp_path):
    out = tmp_path / "out"
    running.alerts.use(Alerts((Rule("a", "wave", (writes(out),), lasts_s=1.0, limit_s=60.0),)))
    engines.last.give(result(3.0, persons=((0, "wave"),)))
    qtbot.waitUntil(lambda: out.exists() and out.read_text() == "x", timeout=60_000)
    first = engines.last
    running.run_choices.restart()
    qtbot.waitUntil(lambda: engines.last is not first)
    engines.last.give(result(3.5, persons=((0, "wave"),)))  # the clocks do not tell the runs apart
    qtbot.waitUntil(lambda: out.read_text() == "xx", timeout=60_000)


def test_a_failure_is_shown_in_the_list_and_over_the_picture(running, engines, qtbot, alerts_file):
    rule = Rule("broken", "wave", (Reaction("command", ("no-such-program",)),), lasts_s=1.0)
    running.alerts.use(Alerts((rule,)))
    dialog = opened(running)
    dialog.list.setCurrentItem(dialog.list.topLevelItem(0))
    dialog.attempt.click()
    qtbot.waitUntil(lambda: "no program" in dialog.list.topLevelItem(0).text(3), timeout=60_000)
    assert "no program" in dialog.state.text()
    assert "no program" in running.toast.findChildren(type(dialog.state))[0].text()
    dialog.close()


def test_rules_are_switched_changed_and_deleted(running, engines, qtbot, alerts_file, tmp_path):
    running.alerts.use(
        Alerts((Rule("a", "wave", (writes(tmp_path / "o"),), times=5), Rule("b", "idle", (Reaction("sound"),), 2.0)))
    )
    dialog = opened(running)
    assert [dialog.list.topLevelItem(row).text(1) for row in (0, 1)] == ["wave 5 times", "idle lasts 2 s"]
    dialog.list.topLevelItem(1).setCheckState(0, Qt.CheckState.Unchecked)
    assert [rule.on for rule in load(alerts_file).rules] == [True, False]
    dialog.list.setCurrentItem(dialog.list.topLevelItem(0))
    dialog.change.click()
    form = dialog.findChild(RuleForm)
    assert form.how.currentText() == TIMES
    form.many.setValue(12)
    saved(form)
    assert load(alerts_file).rules[0] == Rule("a", "wave", (writes(tmp_path / "o"),), times=12)
    dialog.list.setCurrentItem(dialog.list.topLevelItem(0))
    dialog.delete.click()
    assert [rule.name for rule in load(alerts_file).rules] == ["b"]
    dialog.close()


def test_what_cannot_be_is_said_before_it_is_saved(running, engines, alerts_file):
    running.alerts.use(Alerts((Rule("a", "wave", (Reaction("sound"),), 2.0),)))
    dialog = opened(running)
    dialog.new()
    form = dialog.findChild(RuleForm)
    save_button = form.buttons.button(QDialogButtonBox.StandardButton.Save)
    form.name.setText("a")
    assert "already" in form.hint.text()
    assert not save_button.isEnabled()
    form.name.setText("b")
    form.how.setCurrentText(TIMES)
    form.action.setCurrentIndex(form.action.findData("nobody"))
    assert "is not counted" in form.hint.text()
    form.action.setCurrentIndex(form.action.findData("wave"))
    form.kinds["post"][0].setChecked(True)
    assert "fill in a value" in form.hint.text()
    form.kinds["post"][0].setChecked(False)
    form.kinds["sound"][0].setChecked(False)
    assert "at least one" in form.hint.text()
    form.close()
    dialog.close()


def test_a_file_that_cannot_be_read_is_said_and_never_written_over(qtbot, engines, alerts_file, open_window):
    alerts_file.parent.mkdir(parents=True)
    alerts_file.write_text("[[rule]]\naction = 3\n")
    window = open_window(source="demo")
    assert "action must be a text" in window.alerts.unread
    dialog = opened(window)
    assert not dialog.add.isEnabled()
    assert "action must be a text" in dialog.state.text()
    assert alerts_file.read_text() == "[[rule]]\naction = 3\n"
    dialog.close()


def test_a_rule_written_by_hand_keeps_what_the_form_does_not_show(running, engines, alerts_file):
    twice = Rule("a", "wave", (Reaction("sound"), Reaction("sound", "b.wav")), 2.0)
    save(Alerts((twice,)), alerts_file)
    running.alerts.use(Alerts((twice,)))
    dialog = opened(running)
    dialog.list.setCurrentItem(dialog.list.topLevelItem(0))
    dialog.edit()
    saved(dialog.findChild(RuleForm))
    assert load(alerts_file).rules == (twice,)
    dialog.close()


def test_a_count_stands_beside_the_action(running, engines, qtbot):
    person = PersonResult(pose(0, 4.0), decision(0, 4.0, "squat", 0.9, 1.0), True, count=7, per_minute=31.4)
    given = replace(result(4.0), persons=(person,))
    engines.last.give(given)
    qtbot.waitUntil(lambda: running.video.result is given)
    running._refresh()
    assert (running.panel.action.text(), running.panel.count.text()) == ("squat", "7")
    assert " · 31 per minute" in running.panel.detail.text()
    again = replace(given, persons=(replace(person, count=0, per_minute=0.0),))
    running.panel.show_result(again)
    assert running.panel.count.text() == ""


def test_names_from_right_to_left_leave_the_sentences_of_rules_in_their_order(qtbot, theme):
    """In marks on the screen; a rule that is made of them has none."""
    name = "\u05e9\u05dc\u05d5\u05dd"
    rule = Rule(name, name, (Reaction("sound", ""),), 2.0)
    assert when_text(rule) == f"\u2068{name}\u2069 lasts 2 s"
    holder = QWidget()
    qtbot.addWidget(holder)
    form = RuleForm(None, (name,), {f"{name} 5"}, holder)
    assert form.hint.text().startswith(f"A rule “\u2068{name} 5\u2069” already exists")
    made = []
    form.made.connect(made.append)
    form._taken = ()
    form._check()
    form.buttons.button(QDialogButtonBox.StandardButton.Save).click()
    assert [rule.name for rule in made] == [f"{name} 5"]


def test_rules_without_a_name_never_get_one_that_is_taken(running, engines, alerts_file):
    """The name has the seconds in it, so that it changes with them."""
    running.alerts.use(Alerts((Rule("idle 5", "idle", (Reaction("sound"),), 5.0),)))
    dialog = opened(running)
    dialog.new()
    form = dialog.findChild(RuleForm)
    save_button = form.buttons.button(QDialogButtonBox.StandardButton.Save)
    form.action.setCurrentIndex(form.action.findData("idle"))
    assert "already" in form.hint.text()
    form.many.setValue(8)
    assert (form.hint.text(), save_button.isEnabled()) == ("", True)
    form.many.setValue(5)
    assert "already" in form.hint.text()
    assert not save_button.isEnabled()
    form._accept()
    assert form.isVisible()
    assert len(load(alerts_file).rules) == 1
    form.close()
    dialog.close()


@pytest.mark.parametrize("command", ['""', "'' x", "' '"])
def test_a_program_without_a_name_is_refused(running, engines, alerts_file, command):
    dialog = opened(running)
    dialog.new()
    form = dialog.findChild(RuleForm)
    form.kinds["command"][0].setChecked(True)
    form.kinds["command"][1].setText(command)
    assert "the program has no name" in form.hint.text()
    assert not form.buttons.button(QDialogButtonBox.StandardButton.Save).isEnabled()
    form.close()
    dialog.close()


def test_what_is_written_into_the_file_meanwhile_is_used_and_kept(running, engines, qtbot, alerts_file):
    running.alerts.use(Alerts((Rule("a", "wave", (Reaction("key", "no such key"),), 2.0),)))
    dialog = opened(running)
    dialog.list.setCurrentItem(dialog.list.topLevelItem(0))
    dialog.attempt.click()
    qtbot.waitUntil(lambda: str(alerts_file) in dialog.state.text())  # where keys are allowed
    text = alerts_file.read_text().replace("allow_keys = false", 'allow_keys = true\n[mqtt]\nhost = "127.0.0.1"')
    alerts_file.write_text(text.replace('name = "a"', 'name = "b"'))
    dialog.attempt.click()
    assert "no longer has a rule 'a'" in dialog.state.text()
    assert dialog.list.topLevelItem(0).text(0) == "b"
    dialog.list.topLevelItem(0).setCheckState(0, Qt.CheckState.Unchecked)
    kept = load(alerts_file)
    assert (kept.allow_keys, kept.broker, kept.rules[0].on) == (True, Broker("127.0.0.1"), False)
    dialog.close()


def test_a_file_that_is_spoilt_and_mended_while_the_dialog_is_open(running, engines, alerts_file):
    running.alerts.use(Alerts((Rule("a", "wave", (Reaction("sound"),), 2.0),)))
    good = alerts_file.read_text()
    alerts_file.write_text("[[rule]]\naction = 3\n")
    dialog = opened(running)
    assert "action must be a text" in dialog.state.text()
    assert not dialog.add.isEnabled()
    alerts_file.write_text(good.replace("wave", "clap"))
    opened(running)
    assert dialog.add.isEnabled()
    assert dialog.list.topLevelItem(0).text(1) == "clap lasts 2 s"
    dialog.close()


def test_the_actions_are_asked_when_a_rule_is_made(window, engines):
    """The dialog may be open before the recognizer is loaded."""
    dialog = opened(window)
    engines.last.run()
    window.live.update_state()
    dialog.new()
    form = dialog.findChild(RuleForm)
    assert form.action.findData("wave") >= 0
    form.close()
    dialog.close()
