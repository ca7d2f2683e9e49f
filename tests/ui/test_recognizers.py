"""The Recognizers dialog: what there is, and what is done with those that were taught."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from taught_stand_in import stand_in

from app import models
from app.recording.folder import library_root
from app.results import EngineState, Failure
from app.ui.recognizers_dialog import RecognizersDialog

TIMEOUT_MS = 60_000


@pytest.fixture
def dialog(running, qtbot):
    stand_in("mine", 1)
    stand_in("mine", 2)
    running.actions_by_name["recognizers"].trigger()
    (made,) = running.findChildren(RecognizersDialog)
    yield made
    made.close()


def names(dialog):
    return [dialog.list.topLevelItem(row).text(0) for row in range(dialog.list.topLevelItemCount())]


def choose(dialog, name):
    place = [text.partition(" ")[0] for text in names(dialog)].index(name)
    dialog.list.setCurrentItem(dialog.list.topLevelItem(place))


def test_it_lists_all_and_says_why_a_button_does_nothing(dialog):
    assert names(dialog) == ["act · in use", "gl-transformer", "st-gcn", "st-tr", "mine@2", "mine@1"]
    assert dialog.chosen().name == "act"
    refusals = {b.text(): b.toolTip() for b in (dialog.switch, dialog.change, dialog.delete, dialog.export)}
    assert refusals == {
        "&Use it": "It is already in use",
        "&Rename": "Shipped recognizers cannot be changed",
        "&Delete…": "Shipped recognizers cannot be changed",
        "&Export…": "Shipped recognizers cannot be changed",
    }
    choose(dialog, "mine@1")
    assert dialog.switch.isEnabled()
    assert dialog.delete.isEnabled()
    assert (dialog.change.isEnabled(), dialog.change.toolTip()) == (False, "Type another name first")


def test_use_switches_the_run_and_is_shown_under_the_same_name_everywhere(dialog, running, engines):
    choose(dialog, "mine@2")
    dialog.switch.click()
    assert engines.last.swaps == [("mine@2", "auto")]
    running.live.update_state()
    assert running.toolbar.model.currentText() == "mine@2"
    assert "mine@2 · in use" in names(dialog)
    assert dialog.delete.toolTip() == "It is in use: choose another one first"
    running.run_choices.offer_models()
    assert "mine@1" in [choice.value for choice in running.toolbar.model.choices]


def test_a_switch_that_fails_is_taken_back_in_the_list(dialog, running, engines, qtbot):
    choose(dialog, "mine@1")
    dialog.state.setText("mine@3 is deleted")
    choose(dialog, "st-gcn")
    dialog.switch.click()
    assert dialog.state.text().startswith("The same names work on the command line")
    assert "st-gcn · in use" in names(dialog)
    engines.last.fail(Failure("recognizer", "st-gcn cannot be loaded"), EngineState.RUNNING)
    running.live.update_state()
    assert names(dialog)[:3] == ["act · in use", "gl-transformer", "st-gcn"]
    assert dialog.chosen().name == "st-gcn"
    assert dialog.switch.isEnabled()


def test_a_recognizer_that_is_chosen_in_the_toolbar_is_marked(dialog, running):
    running.run_choices.choose_model("mine@2")
    assert "mine@2 · in use" in names(dialog)
    choose(dialog, "mine@2")
    assert not dialog.delete.isEnabled()


def test_no_mark_is_cut_off_whatever_the_letters(letters, dialog, qtbot):
    qtbot.waitUntil(lambda: dialog.list.columnWidth(0) >= dialog.list.sizeHintForColumn(0), timeout=TIMEOUT_MS)


def test_a_rename_of_what_runs_goes_on_under_the_new_name(dialog, running, engines, qtbot):
    choose(dialog, "mine@1")
    dialog.switch.click()
    dialog.name.setText("gym")
    dialog.change.click()
    qtbot.waitUntil(lambda: "gym@1 · in use" in names(dialog), timeout=TIMEOUT_MS)
    assert dialog.state.text() == "mine is now called gym"
    assert running.live.options.model == "gym@1"
    dialog.name.setText("走る/jump")
    dialog.change.click()
    qtbot.waitUntil(lambda: "letters a to z" in dialog.state.text(), timeout=TIMEOUT_MS)
    assert models.find("gym@2").is_dir()


def test_a_half_typed_name_outlives_a_look_at_another_window(dialog, qtbot):
    choose(dialog, "mine@1")
    dialog.name.selectAll()
    qtbot.keyClicks(dialog.name, "gymnas")
    dialog.read()  # as when its window is active again
    assert dialog.name.text() == "gymnas"
    assert dialog.change.isEnabled()
    choose(dialog, "mine@2")
    assert dialog.name.text() == "mine"


def test_a_version_is_deleted_after_a_question(dialog, qtbot):
    choose(dialog, "mine@1")
    dialog.delete.click()
    (question,) = dialog.findChildren(QMessageBox)
    assert question.text() == "Delete mine@1?"
    next(button for button in question.buttons() if button.text() == "&Delete").click()
    qtbot.waitUntil(lambda: "mine@1" not in names(dialog), timeout=TIMEOUT_MS)
    assert dialog.state.text() == "mine@1 is deleted"
    assert not (models.models_folder() / "mine" / "1").exists()


def test_what_is_exported_comes_in_again(dialog, tmp_path, qtbot):
    choose(dialog, "mine@2")
    dialog.export.click()
    (asked,) = dialog.findChildren(QFileDialog)
    asked.fileSelected.emit(str(tmp_path / "mine.zip"))
    asked.close()
    qtbot.waitUntil(lambda: dialog.state.text() == "mine@2 is exported to mine.zip", timeout=TIMEOUT_MS)
    dialog.import_model(tmp_path / "mine.zip")
    qtbot.waitUntil(lambda: dialog.state.text() == "mine@3 with 18 actions is imported", timeout=TIMEOUT_MS)
    assert dialog.chosen().name == "mine@3"
    dialog.import_model(Path("/gone.zip"))
    qtbot.waitUntil(lambda: "cannot be imported" in dialog.state.text(), timeout=TIMEOUT_MS)
    assert models.find("mine@3").parent.parent == library_root() / "models"
