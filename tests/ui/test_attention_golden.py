"""The attention panel as committed pictures, one for each recognizer: strip, joints by time with its colour bar, every
matrix of the network, the inspected frame with circles and bones.

Only what has no text is compared, in small and with tolerance, since fonts and smoothing differ between machines.
After a wanted change: ACTIONLENS_RENEW_GOLDEN=1 pytest tests/ui/test_attention_golden.py, and look at tests/ui/golden.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import window_fakes as fakes
from PySide6.QtCore import QCoreApplication, QRect, QRectF, Qt
from PySide6.QtGui import QImage

from app.outputs import heat
from app.ui.attention import matrix, strip, views
from app.ui.attention.control import _widths
from app.ui.attention.inspected import InspectedFrame
from app.ui.attention.moments import Moment, SmallFrame
from app.ui.attention.panel import AttentionPanel, frame_relevance
from app.ui.attention.strip import HeatStrip
from app.ui.theme import _DARK
from pose.skeleton import MPOSE_13, convert
from recognizer import attention
from recognizer.clips import Clip, Explanation, Prediction

GOLDEN = Path(__file__).parent / "golden"
T, V = 30, 13
WIDE, HIGH = 128, 72  # of a region in the pictures
MEAN, BLOCK = 6.0, 45.0  # of 255: how far all of a region, and any 4 x 4 pixels of it, may be off


def clip() -> Clip:
    """Somebody raises the left arm."""
    pose = fakes.pose(x=160.0, y=60.0, height=120.0)
    xy, confidence = convert(pose.xy_px, pose.confidence, pose.layout, MPOSE_13)
    moving = np.repeat(xy[None], T, axis=0).astype(np.float32)
    moving[:, MPOSE_13.index("left_wrist"), 1] -= np.linspace(0, 70, T)
    moving[:, MPOSE_13.index("left_elbow"), 1] -= np.linspace(0, 35, T)
    return Clip(moving, np.repeat(confidence[None], T, axis=0).astype(np.float32), 20.0, MPOSE_13, 2.0, 0)


def uneven(*shape: int) -> np.ndarray:
    """Rows of smooth values that sum to 1 and look different however they are turned or flipped."""
    rows, columns = np.mgrid[0 : shape[-2], 0 : shape[-1]] / max(shape[-2:])
    peak = np.exp(-8 * ((columns - 0.25 - 0.3 * rows) ** 2 + 0.3 * (rows - 0.2) ** 2)) + 0.02
    values = np.broadcast_to(peak, shape).astype(np.float32)
    return values / values.sum(axis=-1, keepdims=True)


def outputs(name: str) -> dict[str, np.ndarray]:
    if name == "act":
        between = np.cos(np.subtract.outer(np.arange(T + 1), 1.4 * np.arange(T + 1)) / 8).astype(np.float32)
        return {"attention": uneven(4, 3, T + 1, T + 1), "position_similarity": between[None]}
    if name == "st-gcn":
        activation = np.stack([np.sin(uneven(15, V) * 40 + place) for place in range(6)]).astype(np.float32)
        links = np.zeros((3, 3, V, V), np.float32)
        for place, (a, b) in enumerate(MPOSE_13.edge_indices):
            links[:, 1, a, b], links[:, 2, b, a] = 0.1 + place / 6, 0.1 + place / 9
        return {"class_activation": activation, "edge_importance": links}
    return {"spatial_attention_1": uneven(4, T, V, V), "temporal_attention_1": uneven(4, V, T, T)}


@pytest.fixture
def shown(qtbot):
    """Makes the regions of a recognizer by name."""

    def make(name: str) -> dict[str, np.ndarray]:
        of, maps = clip(), outputs(name)
        picture = np.tile(np.linspace(30, 160, 320).astype(np.uint8)[None, :, None], (200, 1, 3))
        moment = Moment(0, of, Prediction(0, 2.0, fakes.ACTIONS, np.ones(6, np.float32) / 6, maps), ())
        relevance = uneven(T, V)
        relevance = (relevance / relevance.max() - 0.3).astype(np.float32)
        relevance[10:, MPOSE_13.index("left_wrist")] = 1
        explained = Explanation(of, "wave", "occlusion", 0.8, relevance)
        looks = maps.get(attention.ATTENTION)
        row, panel = HeatStrip(_DARK), AttentionPanel(_DARK)
        for widget, size in ((row, (640, row.height())), (panel, (460, 900))):
            qtbot.addWidget(widget)
            widget.resize(*size)
            widget.show()
        row.show_clip(of, frame_relevance(explained) if looks is None else attention.frame_scores(looks), "title")
        panel.show_explanation(explained)
        found = {"strip": cut(row, row.cell(0).united(row.cell(T - 1)))}
        found["relevance"], found["colour bar"] = drawn(panel.map)
        found["relevance on joints"] = inspected(panel, SmallFrame(2.0, picture, 1.0), moment, explained)
        panel.tabs.setCurrentWidget(panel.inside)
        panel.show_moment(moment)
        for title in [choice.value for choice in panel.inside.kind.choices]:
            panel.inside.kind.set_value(title)
            panel.inside.kind.chosen.emit(title)
            found[title], _ = drawn(panel.inside.matrix)
            if title in (views.SPATIAL_TITLE, views.LINKS_TITLE):
                found[f"{title} on joints"] = inspected(panel, SmallFrame(2.0, picture, 1.0), moment, explained)
        return found

    return make


def inspected(panel: AttentionPanel, picture: SmallFrame, moment: Moment, explained: Explanation) -> np.ndarray:
    """The chosen frame as the panel would show it now."""
    links = _widths(panel.links, moment.prediction.attention.get(attention.EDGE_IMPORTANCE))
    frame: InspectedFrame = panel.frame
    frame.show_frame(picture, moment.clip, T - 1, panel.joint_scores(explained), links)
    frame.resize(400, 180)  # its shape decides how much of the picture there is
    return cut(frame, QRectF(frame.rect()))


def drawn(view: matrix.MatrixView) -> tuple[np.ndarray, np.ndarray]:
    """The matrix and the colour bar without their axes."""
    for _ in range(2):  # axes find their width when they are painted, and the matrix gets what they leave
        view.grab()
        QCoreApplication.processEvents()
    assert view._plot.isVisible()
    areas = [item.mapRectToScene(item.boundingRect()) for item in (view._image, view._bar.bar)]
    return tuple(cut(view._plot, QRectF(view._plot.mapFromScene(area).boundingRect())) for area in areas)


def cut(widget, area: QRectF) -> np.ndarray:
    """(HIGH, WIDE, 3) of a part of a widget."""
    whole = widget.grab()
    ratio = whole.devicePixelRatio()
    part = QRect(*(round(value * ratio) for value in area.getRect()))
    assert min(part.width(), part.height()) > 4
    image = whole.toImage().copy(part)
    image = image.scaled(WIDE, HIGH, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    return pixels(image)


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def differences(name: str, found: dict[str, np.ndarray]) -> list[str]:
    """The regions that are not as in the committed picture."""
    stacked = pixels(QImage(str(GOLDEN / f"attention-{name}.png")))
    if len(stacked) != HIGH * len(found):
        return ["another number of regions"]
    wrong = []
    for place, (title, region) in enumerate(found.items()):
        away = np.abs(region.astype(float) - stacked[place * HIGH : (place + 1) * HIGH]).mean(axis=2)
        blocks = away.reshape(HIGH // 4, 4, WIDE // 4, 4).mean(axis=(1, 3))
        if away.mean() > MEAN or blocks.max() > BLOCK:
            wrong.append(f"{title}: {away.mean():.1f} off, {blocks.max():.1f} where it is most")
    return wrong


RECOGNIZERS = ("act", "st-gcn", "st-tr")


@pytest.mark.parametrize("name", RECOGNIZERS)
def test_the_panel_looks_as_it_did(shown, name):
    found = shown(name)
    if os.environ.get("ACTIONLENS_RENEW_GOLDEN"):
        image = np.ascontiguousarray(np.concatenate(list(found.values())))
        made = QImage(image.data, WIDE, len(image), 3 * WIDE, QImage.Format.Format_RGB888)
        assert made.save(str(GOLDEN / f"attention-{name}.png"))
    assert not differences(name, found)


MISTAKES = {
    "another colour map": (heat, "_HEAT", heat._HEAT[:, [2, 1, 0]]),
    "colours the other way round": (heat, "_HEAT", heat._HEAT[::-1]),
    "signs the other way round": (heat, "_SIGNED", heat._SIGNED[::-1]),
    "times the other way round": (strip, "heat_rgb", lambda values: heat.heat_rgb(values[::-1])),
}


@pytest.mark.skipif(bool(os.environ.get("ACTIONLENS_RENEW_GOLDEN")), reason="the pictures are being made")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_colours_is_seen(shown, monkeypatch, mistake):
    module, name, wrong = MISTAKES[mistake]
    monkeypatch.setattr(module, name, wrong)
    assert differences("act", shown("act"))


@pytest.mark.skipif(bool(os.environ.get("ACTIONLENS_RENEW_GOLDEN")), reason="the pictures are being made")
@pytest.mark.parametrize(
    "turned", [lambda m: m.T, lambda m: m[::-1], lambda m: m[:, ::-1]], ids=["T", "rows", "columns"]
)
def test_a_turned_matrix_is_seen(shown, monkeypatch, turned):
    real = matrix.MatrixView.show_matrix

    def show(view, values, *names, **how):
        real(view, None if values is None else np.ascontiguousarray(turned(np.asarray(values))), *names, **how)

    monkeypatch.setattr(matrix.MatrixView, "show_matrix", show)
    monkeypatch.setattr(matrix.MatrixView, "_name", lambda *_: None)
    wrong = " ".join(differences("st-tr", shown("st-tr")))
    assert "relevance:" in wrong
    assert views.SPATIAL_TITLE in wrong


@pytest.mark.skipif(bool(os.environ.get("ACTIONLENS_RENEW_GOLDEN")), reason="the pictures are being made")
def test_missing_circles_bones_and_matrices_are_seen(shown, monkeypatch):
    found = shown("st-gcn")
    del found[views.LINKS_TITLE]
    assert differences("st-gcn", found) == ["another number of regions"]
    real = InspectedFrame.show_frame
    monkeypatch.setattr(InspectedFrame, "show_frame", lambda frame, *what: real(frame, *what[:3]))
    wrong = " ".join(differences("st-gcn", shown("st-gcn")))
    assert "relevance on joints" in wrong
    assert f"{views.LINKS_TITLE} on joints" in wrong
