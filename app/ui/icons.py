"""Line icons, drawn as SVG in the theme's colour and rendered sharp at any scaling."""

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

SIZE_PX = 20
_SCALES = (1.0, 1.5, 2.0, 3.0)
_APPLICATION_PX = (16, 24, 32, 48, 64, 128, 256)
_APPLICATION = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
    '<rect x="0.5" y="0.5" width="23" height="23" rx="5" fill="#15171c"/>'
    '<g fill="none" stroke="#56b4e9" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round">'
    '<path d="M12 9.2v5M12 14.2 8.4 20M12 14.2 15.8 20M12 9.6 7.2 12.6M12 9.6 17 5.6"/></g>'
    '<circle cx="12" cy="5.6" r="2.3" fill="#56b4e9"/><circle cx="17" cy="5.6" r="1.5" fill="#f2bd4b"/></svg>'
)

# On a grid of 24 x 24; `fill` marks closed shapes that are filled instead of drawn as lines.
_SHAPES = {
    "start": '<path class="fill" d="M8 5.5v13l11-6.5z"/>',
    "stop": '<rect class="fill" x="6.5" y="6.5" width="11" height="11" rx="1.5"/>',
    "pause": '<path d="M8.5 6v12M15.5 6v12" stroke-width="3"/>',
    "screenshot": '<path d="M4 8.5h3.2l1.6-2.5h6.4l1.6 2.5H20v10H4z"/><circle cx="12" cy="13" r="3.2"/>',
    "record": '<circle cx="12" cy="12" r="8"/><circle class="fill" cx="12" cy="12" r="4"/>',
    "full_screen": '<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>',
    "mirror": '<path d="M12 3v18" stroke-dasharray="2.6 2.6"/><path d="M9 7v10H3z"/>'
    '<path class="fill" d="M15 7v10h6z"/>',
    "large_text": '<path d="M3 19 8.5 5h1L15 19M5 14.2h8"/><path d="M16.5 19l2.6-7h.8l2.6 7M17.4 16.6h4.2"/>',
    "panel": '<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="M14.5 5v14"/>',
    "attention": '<path d="M2.5 12S6 5.8 12 5.8 21.5 12 21.5 12 18 18.2 12 18.2 2.5 12 2.5 12z"/>'
    '<circle class="fill" cx="12" cy="12" r="3"/>',
    "teach": '<path d="M12 5 2.5 9.6 12 14.2l9.5-4.6z"/>'
    '<path d="M6.5 11.8V16c1.6 1.6 3.4 2.3 5.5 2.3s3.9-.7 5.5-2.3v-4.2M21.5 9.8v5.4"/>',
    "theme": '<circle cx="12" cy="12" r="8"/><path class="fill" d="M12 4a8 8 0 0 1 0 16z"/>',
    "help": '<circle cx="12" cy="12" r="8.5"/><path d="M9.6 9.7a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.2.9-1.2 1.9"/>'
    '<path d="M12 16.6v.2" stroke-width="2.2"/>',
    "warning": '<path d="M12 4 21.5 20h-19z"/><path d="M12 10v4.6M12 17.2v.2"/>',
}


def icon(name: str, colour: str, checked: str | None = None) -> QIcon:
    """The icon in a colour (#rrggbb); checked: its colour while its button is checked."""
    drawn = QIcon()
    for scale in _SCALES:
        drawn.addPixmap(pixmap(name, colour, scale), QIcon.Mode.Normal, QIcon.State.Off)
        if checked is not None:
            drawn.addPixmap(pixmap(name, checked, scale), QIcon.Mode.Normal, QIcon.State.On)
    return drawn


def application_icon() -> QIcon:
    """A person in motion, in the colours of a skeleton, for the window and the list of windows."""
    drawn = QIcon()
    for side in _APPLICATION_PX:
        picture = QPixmap(side, side)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        QSvgRenderer(QByteArray(_APPLICATION.encode())).render(painter, QRectF(picture.rect()))
        painter.end()
        drawn.addPixmap(picture)
    return drawn


def pixmap(name: str, colour: str, scale: float) -> QPixmap:
    """The icon as a picture of SIZE_PX, for a screen of that scaling."""
    key = f"icon {name} {colour} {scale}"
    picture = QPixmap()
    if QPixmapCache.find(key, picture):
        return picture
    shapes = _SHAPES[name].replace('class="fill"', f'fill="{colour}"')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none" stroke="{colour}" '
        f'stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">{shapes}</g></svg>'
    )
    picture = QPixmap(round(SIZE_PX * scale), round(SIZE_PX * scale))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(picture.rect()))
    painter.end()
    picture.setDevicePixelRatio(scale)
    QPixmapCache.insert(key, picture)
    return picture
