"""Pictures of segments for lists: made and decoded on a thread, the newest request first, so that scrolling never
waits."""

import logging
import threading
from collections import OrderedDict, deque
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from app.library.rows import SegmentRow
from app.library.thumbnails import segment_picture

log = logging.getLogger(__name__)

_POLL_MS = 40
_SHARP = 2  # pixels of a picture for each of the window's, which is sharp on dense screens too
_KEPT = 400  # pictures in memory: 400 of 40 x 150 pixels are 10 MB
_MAX_REQUESTS = 48  # more than a screen shows; what was scrolled past is forgotten

_Key = tuple[str, float, float, int]


class Strips(QObject):
    """ready: the pictures of these segments (ids) are there now."""

    ready = Signal(object)  # list[int]

    def __init__(self, size_px: tuple[int, int], parent: QObject | None = None) -> None:
        """size_px: width and height that a picture is to fit into."""
        super().__init__(parent)
        self._size_px = size_px
        self._root: Path | None = None
        self._kept: OrderedDict[_Key, QPixmap | None] = OrderedDict()
        self._requests: OrderedDict[_Key, SegmentRow] = OrderedDict()
        self._made: deque[tuple[_Key, SegmentRow, QImage | None]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._deliver)

    def open(self, root: Path) -> None:
        """Of the library in this folder."""
        self._root = root
        self._thread = threading.Thread(target=self._work, args=(root,), name="segment-pictures", daemon=True)
        self._thread.start()

    def of(self, row: SegmentRow) -> QPixmap | None:
        """The picture of a segment, None while there is none; it is then made, and `ready` tells."""
        key = _key(row)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if self._thread is not None and not self._closed:
            with self._changed:
                self._requests[key] = row
                self._requests.move_to_end(key)
                while len(self._requests) > _MAX_REQUESTS:
                    self._requests.popitem(last=False)
                self._changed.notify()
            if not self._timer.isActive():  # a restart would delay the next tick
                self._timer.start()
        return None

    def close(self, timeout_s: float = 1.0) -> None:
        """Make no more. Any number of times."""
        self._timer.stop()
        with self._changed:
            self._closed = True
            self._requests.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _deliver(self) -> None:
        ids = []
        while self._made:
            key, row, image = self._made.popleft()
            self._kept[key] = None if image is None else QPixmap.fromImage(image)  # keeps its pixel ratio
            ids.append(row.id)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        if ids:
            self.ready.emit(ids)
        with self._changed:
            idle = not self._requests and not self._made
        if idle and not ids:
            self._timer.stop()

    def _work(self, root: Path) -> None:
        """On the thread."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._requests)
                if self._closed:
                    return
                key, row = next(reversed(self._requests.items()))
            try:
                image = self._image(root, row)
            except Exception:  # top of the thread: one bad recording must not take the others their pictures
                log.exception("no picture of segment %s", row.name)
                image = None
            with self._changed:
                self._made.append((key, row, image))
                self._requests.pop(key, None)

    def _image(self, root: Path, row: SegmentRow) -> QImage | None:
        path = segment_picture(root, row)
        image = QImage(str(path)) if path is not None else QImage()
        if image.isNull():
            return None
        width, height = (_SHARP * side for side in self._size_px)
        ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        small = image.scaled(width, height, *ways)
        small.setDevicePixelRatio(_SHARP)
        return small


def _key(row: SegmentRow) -> _Key:
    return row.recording, row.start_s, row.end_s, row.person
