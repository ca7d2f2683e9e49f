"""A camera's password is on no widget of the window, and not in the dialog that asks for an address."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QWidget

from app.ui.choices import OPEN_URL
from app.ui.source_dialog import SourceDialog

ADDRESS = "rtsp://admin:Zq7xVkW4yB@10.0.0.7:554/live/user=admin_password=Zq7xVkW4yB?token=Zq7xVkW4yB"


def texts(window):
    """Everything that a window's widgets can show."""
    said = [window.windowTitle()]
    for widget in window.findChildren(QWidget):
        said += [widget.toolTip(), widget.accessibleName(), widget.statusTip(), widget.windowTitle()]
        if isinstance(widget, QLabel | QLineEdit):
            said.append(widget.text())
        if isinstance(widget, QComboBox):
            for row in range(widget.count()):
                said += [widget.itemText(row), str(widget.itemData(row, Qt.ItemDataRole.ToolTipRole))]
    return "\n".join(said)


def test_no_widget_shows_it(open_window, engines):
    window = open_window(source=ADDRESS)
    window.live.update_state()
    assert "Zq7x" not in texts(window)
    engines.last.run()
    window.live.update_state()
    assert "Zq7x" not in texts(window)


def test_the_dialog_offers_the_address_without_it_and_takes_it_back_whole(open_window, qtbot):
    window = open_window(source=ADDRESS)
    window.run_choices.choose_source(OPEN_URL)
    dialog = window.findChild(SourceDialog)
    assert dialog.address.text() == "rtsp://…@10.0.0.7:554/live/…?…"
    before = window.live.options.source
    dialog._accept()
    qtbot.waitUntil(lambda: window.findChild(SourceDialog) is None or not dialog.isVisible())
    assert window.live.options.source == before == ADDRESS
