"""Saves screenshots where the user keeps pictures."""

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtGui import QImage

from app.errors import OutputError
from pose.whole_file import atomic_write


def pictures_folder(chosen: str) -> Path:
    """The chosen folder, or ActionLens in the system's folder for pictures."""
    if chosen:
        return Path(chosen)
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return Path(pictures or Path.home()) / "ActionLens"


def save_picture(image: QImage, folder: Path, now: datetime) -> Path:
    """Write a PNG named after the time, beside those already there; its path. Raises OutputError."""
    name = now.strftime("ActionLens %Y-%m-%d %H-%M-%S")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = next(p for p in _names(folder, name) if not p.exists())
    except OSError as error:
        raise OutputError(
            f"no picture can be saved in {folder} ({error.strerror or error}); choose another folder"
        ) from None
    try:
        with atomic_write(path) as temporary:
            if not image.save(str(temporary)):
                raise OutputError(
                    f"no picture can be saved in {folder}: make room, or choose another folder (Ctrl+Shift+S)"
                )
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error}); choose another folder") from None
    return path


def _names(folder: Path, name: str) -> list[Path]:
    return [folder / f"{name}{f' ({n})' if n > 1 else ''}.png" for n in range(1, 1000)]
