"""Switches the virtual camera on and off, and says what has become of it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAction

from app.ui.live_run import LiveRun
from app.ui.panel import Panel
from app.ui.toast import Toast

if TYPE_CHECKING:
    from app.outputs.virtual_camera import VirtualCamera

_POLL_MS = 200


class VirtualCameraControl(QObject, Panel):
    """Off at every start: others see the picture only after it was asked for."""

    def __init__(self, live: LiveRun, action: QAction, toast: Toast, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live, self._action, self._toast = live, action, toast
        self._camera: VirtualCamera | None = None
        self._announced = False
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)

    def show(self, shown: bool) -> None:
        """Begin, or end."""
        if not shown:
            self.end()
            return
        from app.outputs.virtual_camera import VirtualCamera

        self._camera, self._announced = VirtualCamera(), False
        self._live.add_tap(self._camera)
        self._timer.start()

    def end(self) -> None:
        """End it."""
        self._timer.stop()
        camera, self._camera = self._camera, None
        if camera is not None:
            self._live.remove_tap(camera)
            camera.close()

    def _poll(self) -> None:
        camera = self._camera
        if camera is None:
            return
        if camera.failure:
            line = camera.failure
            self._action.setChecked(False)
            self.end()
            self._toast.show_message(line[:1].upper() + line[1:])
        elif camera.device and not self._announced:
            self._announced = True
            self._toast.show_message(f"The picture is now the camera “{camera.device}”: choose it in the other program")
