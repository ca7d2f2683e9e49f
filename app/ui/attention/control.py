"""Fills strip, panel and picture from the live run while the panel is open, or from a moment that is held."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from app.explaining import Explainer
from app.palette import action_text
from app.types import PersonResult, Result, RunInfo
from app.ui.attention.heat import heat_rgb
from app.ui.attention.moments import Moment, Moments
from app.ui.attention.panel import PREDICTED, AttentionPanel, frame_relevance, joint_relevance
from app.ui.attention.strip import HeatStrip
from app.ui.live_run import LiveRun
from app.ui.people_painter import JointScores
from app.ui.video_view import VideoView
from pose.errors import ActionLensError
from recognizer.attention import frame_scores
from recognizer.explain import methods_of
from recognizer.model_card import ModelCard, find_model
from recognizer.types import Explanation

_REFRESH_MS = 100
_CLOSE_S = 0.2  # what the window waits for an explanation in work; the thread ends by itself


class AttentionControl(QObject):
    """Works while it is open; closed, it costs nothing: no timer, no second session, no small pictures."""

    def __init__(
        self, live: LiveRun, video: VideoView, strip: HeatStrip, panel: AttentionPanel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._live, self._video, self._strip, self._panel = live, video, strip, panel
        self._moments = Moments()
        self._explainer: Explainer | None = None
        self._model = self._trouble = ""
        self._result: Result | None = None
        self._person: PersonResult | None = None
        self._held: Moment | None = None
        self._explanation: Explanation | None = None
        self._asked: object = None
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        panel.asked.connect(lambda *_: self._ask_anew())
        panel.hold.toggled.connect(self._hold)
        panel.overlay.toggled.connect(lambda _: self._show_on_picture())
        strip.picked.connect(lambda _: self._show_frame())

    @property
    def held(self) -> Moment | None:
        """The moment that is kept for inspection."""
        return self._held

    @property
    def explanation(self) -> Explanation | None:
        """What is shown."""
        return self._explanation

    def open(self) -> None:
        """Begin to look."""
        self._live.watch_attention(True)
        self._timer.start()
        self.refresh()

    def close(self) -> None:
        """Look no more, and free everything."""
        self._timer.stop()
        self._live.watch_attention(False)
        self._panel.hold.setChecked(False)
        self._moments.clear()
        self._video.set_joint_scores(None)
        explainer, self._explainer = self._explainer, None
        self._model, self._asked, self._explanation = "", None, None
        if explainer is not None:
            explainer.close(_CLOSE_S)

    def clear(self) -> None:
        """Another run begins; what is held stays."""
        self._moments.clear()
        self._result = self._person = None
        if self._held is None:
            self._explanation = None

    def add(self, result: Result, person: PersonResult | None) -> None:
        """A new result, and whom the panel follows in it."""
        if self._timer.isActive():
            self._moments.add(result)
            self._result, self._person = result, person

    def refresh(self) -> None:
        """Show what is new."""
        self._follow_model(self._live.view.info)
        if self._explainer is not None:
            found = self._explainer.explanations.take(timeout_s=0)
            moment = self.moment
            if found is not None and moment is not None and self._belongs(found, moment):
                self._explanation = found
        self._ask()
        self._show()

    @property
    def moment(self) -> Moment | None:
        """What is held, or what is now."""
        return self._held or self._moments.moment(self._person)

    def _belongs(self, found: Explanation, moment: Moment) -> bool:
        """Of this person and this recognizer; of a held moment nothing but its own clip's."""
        if found.action not in moment.prediction.actions:
            return False
        return found.clip is moment.clip if self._held else found.clip.person == moment.person

    def _follow_model(self, info: RunInfo | None) -> None:
        """Another recognizer runs: another explainer, other methods; its moments are not comparable."""
        model = self._live.options.model
        if info is None or not info.actions or (model == self._model and self._panel.action.choices):
            return
        self._model, self._explanation, self._trouble = model, None, ""
        try:
            card = ModelCard.load(find_model(model))
        except ActionLensError as error:
            self._trouble = str(error)
            return
        self._panel.offer(card.actions, methods_of(card))
        self._panel.hold.setChecked(False)
        if self._explainer is None:
            self._explainer = Explainer(model)
        else:
            self._explainer.use(model)

    def _ask_anew(self) -> None:
        self._asked = None
        self._explanation = None if self._held else self._explanation
        self._ask()

    def _ask(self) -> None:
        moment, panel = self.moment, self._panel
        if moment is None or self._explainer is None:
            return
        asked = (id(moment.clip), panel.action.value, panel.method.value)
        if asked != self._asked:
            self._asked = asked
            action = None if panel.action.value == PREDICTED else panel.action.value
            self._explainer.ask(moment.clip, action, panel.method.value)

    def _hold(self, held: bool) -> None:
        self._held = self._moments.moment(self._person) if held else None
        if held and self._held is None:
            self._panel.hold.setChecked(False)
            return
        self._panel.hold.setText("Back to live" if held else "Freeze")
        if held and self._explanation is not None and self._held is not None:
            self._held = replace(self._held, explanation=self._explanation)
        self._asked = None
        self.refresh()

    # What is shown.

    def _show(self) -> None:
        moment = self.moment
        self._panel.say(self._text(moment))
        self._panel.show_moment(moment)
        self._panel.show_explanation(self._explanation if moment is not None else None)
        self._show_strip(moment)
        self._show_frame()
        self._show_on_picture()

    def _text(self, moment: Moment | None) -> str:
        if self._trouble:
            return self._trouble
        if self._explainer is not None and self._explainer.failure:
            return self._explainer.failure
        if moment is None:
            return self._why_nothing()
        person = f"Person {moment.person + 1}: " if self._result is not None and len(self._result.persons) > 1 else ""
        found = self._explanation
        if found is None:
            return f"{person}looking …"
        when = "frozen" if self._held else _ago(moment.clip.time_s - found.clip.time_s)
        return f"{person}{action_text(found.action)} {found.probability:.0%}, {when}"

    def _why_nothing(self) -> str:
        if self._result is None:
            return "Nothing runs yet"
        if not self._result.persons:
            return "Nobody in view"
        return "Collecting the first second and a half of movement"

    def _show_strip(self, moment: Moment | None) -> None:
        if moment is None:
            self._strip.show_clip(None, np.zeros(0), "", self._why_nothing())
            return
        scores, title = self._frame_scores(moment)
        self._strip.show_clip(moment.clip, scores, title)

    def _frame_scores(self, moment: Moment) -> tuple[NDArray[np.floating], str]:
        attention = moment.prediction.attention.get("attention")
        if attention is not None:
            return frame_scores(attention), "Where the class token looks (last layer, all heads)"
        if self._explanation is not None and len(self._explanation.relevance) == len(moment.clip.xy_px):
            return frame_relevance(
                self._explanation
            ), f"Relevance of frames for {action_text(self._explanation.action)}"
        return np.zeros(len(moment.clip.xy_px)), "The frames of the clip"

    def _show_frame(self) -> None:
        moment, found = self.moment, self._explanation
        place = self._strip.pick
        self._panel.map.mark_column(place)
        if moment is None:
            self._panel.frame.show_frame(None, None, 0, None, None, "")
            return
        clip = moment.clip if found is None else found.clip  # relevance belongs to the clip it was found for
        place = len(clip.xy_px) - 1 if place is None else min(place, len(clip.xy_px) - 1)
        time_s = clip.time_s - (len(clip.xy_px) - 1 - place) / clip.fps
        joints = None if found is None else joint_relevance(found, place)
        links = _links(moment.prediction.attention.get("edge_importance"))
        note = _ago(moment.clip.time_s - time_s)
        self._panel.frame.show_frame(moment.frame_at(time_s), clip, place, joints, links, note)

    def _show_on_picture(self) -> None:
        moment = self.moment
        scores = self._panel.joint_scores(self._explanation) if self._panel.overlay.isChecked() else None
        if moment is None or scores is None:
            self._video.set_joint_scores(None)
            return
        self._video.set_joint_scores(JointScores(moment.person, moment.clip.layout, scores, heat_rgb(scores)))


def _links(importance: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """(V, V) 0..1: sizes of learned weights of links, summed over blocks and parts; 1 is the largest of two joints."""
    if importance is None:
        return None
    links = np.abs(importance).sum(axis=(0, 1))
    np.fill_diagonal(links, 0)
    low, high = float(links[links > 0].min(initial=0)), float(links.max(initial=0))
    return np.asarray(np.clip((links - low) / max(high - low, 1e-9), 0, 1), np.float32)


def _ago(seconds: float) -> str:
    return "now" if seconds < 0.05 else f"{seconds:.2f} s ago"
