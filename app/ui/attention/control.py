"""Fills strip, panel and picture from the live run while the panel is open, or from a frozen moment."""

import time
from collections import deque

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer

from app import models
from app.live.explainer import Explainer
from app.names_in_text import action_in_text
from app.outputs.heat import heat_rgb
from app.results import PersonResult, Result, RunInfo
from app.ui.attention.moments import Moment, Moments
from app.ui.attention.panel import PREDICTED, AttentionPanel, frame_relevance, joint_relevance
from app.ui.attention.strip import HeatStrip, before
from app.ui.attention.views import joint_names
from app.ui.live_run import LiveRun
from app.ui.people_painter import JointScores
from app.ui.video_view import VideoView
from pose.errors import ActionLensError
from recognizer.attention import ATTENTION as CLASS_TOKEN
from recognizer.attention import EDGE_IMPORTANCE, frame_scores
from recognizer.clips import Clip, Explanation
from recognizer.decision import WAITING
from recognizer.explain import available_methods
from recognizer.model_card import ModelCard

_REFRESH_MS = 100
_RECENT = 16  # results, of which one is the picture of the newest clip
_SOON_S = 2.0  # how long a moment is waited for that is to be frozen when the panel opens
_END_S = 3.0  # how long a closing window waits for a running explanation: Python must not exit before it


class AttentionControl(QObject):
    """Active only while the panel is open. Closed, it has no timer, no second session and no thumbnails."""

    def __init__(
        self, live: LiveRun, video: VideoView, strip: HeatStrip, panel: AttentionPanel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._live, self._video, self._strip, self._panel = live, video, strip, panel
        self._moments = Moments()
        self._explainer: Explainer | None = None
        self._ending: Explainer | None = None  # closed; its thread may still be at work
        self._model = self._load_error = ""
        self._result: Result | None = None
        self._person: PersonResult | None = None
        self._held: Moment | None = None
        self._newest: tuple[Explanation, Moment] | None = None  # the newest explanation, and its moment
        self._compared: tuple[Explanation, Moment] | None = None  # what another recognizer is asked about as well
        self._shown: tuple[Explanation, Moment] | None = None
        self._recent: deque[Result] = deque(maxlen=_RECENT)
        self._span_s = 0.0  # of a clip
        self._hold_until_s = 0.0  # the first moment before that time is frozen
        self._asked: object = None
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        panel.asked.connect(lambda *_: self._ask_again())
        panel.hold.toggled.connect(self._hold)
        panel.overlay.toggled.connect(lambda _: self._show_on_picture())
        panel.tabs.currentChanged.connect(lambda _: self._show() if self._timer.isActive() else None)
        strip.picked.connect(lambda _: self._show_frame())

    @property
    def held(self) -> Moment | None:
        """The moment that is kept for inspection."""
        return self._held

    @property
    def explanation(self) -> Explanation | None:
        """What is shown."""
        return self._shown[0] if self._shown is not None else None

    def open(self) -> None:
        """Start."""
        self._live.watch_attention(True)
        self._panel.comparison.open()
        self._timer.start()
        self.refresh()

    def close(self) -> None:
        """Stop and free everything; a running explanation ends by itself."""
        self._timer.stop()
        self._live.watch_attention(False)
        self._hold_until_s = 0.0
        self._panel.hold.setChecked(False)
        self.clear()
        self._video.set_joint_scores(None)
        self._model, self._asked = "", None
        self._panel.comparison.release()
        if self._explainer is not None:
            self._explainer.close(0)
            self._ending, self._explainer = self._explainer, None

    def hold_soon(self) -> None:
        """Freeze the first moment, if there is one soon: it has just been opened and has none yet."""
        self._hold_until_s = time.monotonic() + _SOON_S

    def end(self) -> None:
        """Close and wait for a running explanation."""
        self.close()
        if self._ending is not None:
            self._ending.close(_END_S)

    def clear(self) -> None:
        """Another run begins; what is held stays."""
        self._moments.clear()
        self._recent.clear()
        self._result = self._person = None
        if self._held is None:
            self._forget()

    def _forget(self) -> None:
        self._newest = self._compared = self._shown = None
        self._panel.comparison.forget()

    def add(self, result: Result, person: PersonResult | None) -> None:
        """A new result, and whom the panel follows in it."""
        if not self._timer.isActive():
            return
        self._moments.add(result, person)
        self._result, self._person = result, person
        self._recent.append(result)
        if time.monotonic() < self._hold_until_s and self._moments.moment(person) is not None:
            self._panel.hold.setChecked(True)
        found = self.explanation
        if found is not None and person is not None and _is_other_person(found.clip, person) and self._held is None:
            self._forget()

    def refresh(self) -> None:
        """Show what is new."""
        self._follow_model(self._live.view.info)
        if self._explainer is not None:
            found = self._explainer.explanations.take(timeout_s=0)
            moment = self.moment
            if found is not None and moment is not None and self._is_current(found, moment):
                self._newest = found, Moment(moment.person, found.clip, moment.prediction, moment.frames)
        self._ask()
        self._show()

    @property
    def moment(self) -> Moment | None:
        """The frozen moment, or the current one."""
        return self._held or self._moments.moment(self._person)

    def _is_current(self, found: Explanation, moment: Moment) -> bool:
        """Whether an explanation belongs to this person and recognizer; for a frozen moment, to its very clip."""
        if found.action not in moment.prediction.actions:
            return False
        return found.clip is moment.clip if self._held else found.clip.person == moment.person

    def _follow_model(self, info: RunInfo | None) -> None:
        """Switch the explainer and the methods when another recognizer runs; older moments are dropped."""
        model = self._live.options.model
        if info is None or not info.actions or model == self._model:
            return
        self._model, self._load_error = model, ""
        self._panel.hold.setChecked(False)
        self._forget()
        self._moments.begin_window()
        try:
            card = ModelCard.load(models.find(model))
        except ActionLensError as error:
            self._load_error = str(error)
            return
        self._span_s = (card.frames - 1) / card.fps
        self._panel.offer(card.actions, available_methods(card))
        if self._explainer is None:
            self._explainer = Explainer(model)
        else:
            self._explainer.use(model)

    def _ask_again(self) -> None:
        self._asked = None
        if self._held is not None:
            self._forget()
        self.refresh()

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
        self._hold_until_s = 0.0
        self._held = self._moments.moment(self._person) if held else None
        if held and self._held is None:
            self._panel.hold.setChecked(False)
            return
        self._panel.hold.setText("Back to live" if held else "Freeze")
        self._video.hold(self._picture_of(self._held) if self._held is not None else None)
        found = self.explanation
        if self._held is None or found is None or found.clip is not self._held.clip:
            self._forget()
        self._asked = None
        if self._timer.isActive():
            self.refresh()

    # What is shown.

    def _show(self) -> None:
        moment = self.moment
        self._select_explanation(moment)
        self._panel.set_title(self._text(moment))
        self._panel.show_moment(moment)
        self._panel.show_explanation(self.explanation)
        self._show_strip()
        self._show_frame()
        self._show_on_picture()

    @property
    def _displayed(self) -> Moment | None:
        """The moment that strip and frame show: the explained one, so that they match the map. Without an explanation,
        and under Expert, whose matrices are live, it is the current moment."""
        if self._shown is None or self._panel.expert_shown or self.moment is None:
            return self.moment
        return self._shown[1]

    def _select_explanation(self, moment: Moment | None) -> None:
        """Select the newest explanation, or the last one that the second recognizer has explained too."""
        newest = self._newest if moment is not None else None
        wanted = self._panel.comparison.refresh(newest[0] if newest is not None else None)
        known = (newest, self._compared, self._shown)
        self._shown = next((pair for pair in known if pair is not None and pair[0] is wanted), None)
        if newest is not None and self._panel.comparison.asked is newest[0]:
            self._compared = newest

    def _picture_of(self, moment: Moment) -> Result | None:
        """The result whose frame is at the end of a moment's clip."""
        return min(self._recent, key=lambda result: abs(result.frame.time_s - moment.clip.time_s), default=None)

    def _text(self, moment: Moment | None) -> str:
        if self._load_error:
            return self._load_error
        if self._explainer is not None and self._explainer.failure:
            return self._explainer.failure
        if moment is None:
            return self._empty_text()
        person = f"Person {moment.person + 1}: " if self._result is not None and len(self._result.persons) > 1 else ""
        found = self.explanation
        if found is None:
            computing = "frozen, computing …" if self._held else "computing …"
            return f"{person}{computing}" if person else computing.capitalize()
        when = "frozen" if self._held else before(moment.clip.time_s - found.clip.time_s, False)
        return f"{person}{action_in_text(found.action)} {found.probability:.0%}, {when}"

    def _empty_text(self) -> str:
        if self._result is None:
            return "Nothing is running yet"
        if self._person is None:
            return "Nobody in view"
        decision = self._person.decision
        if decision is not None and decision.reason not in ("", WAITING):
            return f"Nothing to explain: {decision.reason}"
        return f"Collecting movement: {min(self._moments.seen_s, self._span_s):.1f} of {self._span_s:.1f} s"

    def _show_strip(self) -> None:
        moment, now = self._displayed, self.moment
        if moment is None or now is None:
            self._strip.show_clip(None, np.zeros(0), "", self._empty_text())
            return
        scores, title = self._frame_scores(moment)
        age_s = now.clip.time_s - moment.clip.time_s
        self._strip.show_clip(moment.clip, scores, title, frozen=self._held is not None, age_s=age_s)

    def _frame_scores(self, moment: Moment) -> tuple[NDArray[np.floating], str]:
        looks, found = moment.prediction.attention.get(CLASS_TOKEN), self.explanation
        if looks is not None and self._panel.expert_shown:
            return frame_scores(looks), "Where the class token attends (last layer, all heads)"
        if found is None:
            return np.full(len(moment.clip.xy_px), np.nan), "The frames of the clip"
        places = [_frame_index(found.clip, _frame_time(moment.clip, place)) for place in range(len(moment.clip.xy_px))]
        scores = frame_relevance(found)
        return (
            np.array([np.nan if place is None else scores[place] for place in places]),
            f"Which moments mattered for {action_in_text(found.action)}",
        )

    def _show_frame(self) -> None:
        """The picked frame of the strip; with none picked, the end of what the tab shows."""
        panel, found, pick = self._panel, self.explanation, self._strip.pick
        whole = pick is None and not panel.expert_shown
        moment = self._displayed
        if moment is None or self.moment is None:
            panel.map.mark_column(None)
            panel.comparison.mark(found, None)
            panel.frame.show_frame(None, None, 0)
            return
        last = len(moment.clip.xy_px) - 1
        place = last if pick is None else min(pick, last)
        time_s = _frame_time(moment.clip, place)
        there = None if found is None or whole else _frame_index(found.clip, time_s)
        panel.map.mark_column(there)
        panel.comparison.mark(found, there)
        panel.inside.follow(None if pick is None else place / max(last, 1))
        joints = self._joints(found, whole, there)
        links = _widths(panel.links, moment.prediction.attention.get(EDGE_IMPORTANCE))
        note = before(self.moment.clip.time_s - time_s, self._held is not None) + _top_joint_text(moment.clip, joints)
        panel.frame.show_frame(moment.frame_at(time_s), moment.clip, place, joints, links, note)

    def _joints(self, found: Explanation | None, whole: bool, there: int | None) -> NDArray[np.float32] | None:
        """(V,) for the circles of the chosen frame: of the whole clip, or of that frame where something is known."""
        if whole or self._panel.column_sums is not None:
            return self._panel.joint_scores(found)
        return None if found is None or there is None else joint_relevance(found, there)

    def _show_on_picture(self) -> None:
        moment, found = self.moment, self.explanation
        wanted = self._panel.overlay.isChecked()
        if moment is None or (found is not None and moment.clip.time_s - found.clip.time_s > self._span_s):
            found = None  # it explains a movement that is no longer in view
        scores = self._panel.joint_scores(found) if wanted else None
        if moment is None or scores is None:
            self._video.set_joint_scores(None)
            return
        self._video.set_joint_scores(JointScores(moment.person, moment.clip.layout, scores, heat_rgb(scores)))


def _is_other_person(clip: Clip, person: PersonResult) -> bool:
    return clip.person != person.pose.person


def _frame_time(clip: Clip, place: int) -> float:
    return clip.time_s - (len(clip.xy_px) - 1 - place) / clip.fps


def _frame_index(clip: Clip, time_s: float) -> int | None:
    """Index of the clip's frame nearest to a time; None outside the clip."""
    place = round(len(clip.xy_px) - 1 - (clip.time_s - time_s) * clip.fps)
    return place if 0 <= place < len(clip.xy_px) else None


def _top_joint_text(clip: Clip, joints: NDArray[np.float32] | None) -> str:
    """The name of the most relevant joint."""
    return "" if joints is None or not joints.max() > 0 else f" · {joint_names(clip)[int(joints.argmax())]}"


def _widths(shown: NDArray[np.float32] | None, learned: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """(V, V) 0..1, from the smallest weight of a link of two joints to the largest; by default of all blocks."""
    if learned is None:
        return None
    weights = np.abs(learned.mean(axis=0).sum(axis=0) if shown is None else shown)
    np.fill_diagonal(weights, 0)
    weights = np.maximum(weights, weights.T)
    found = weights[weights > 0]
    if not found.size or np.ptp(found) < 1e-6:
        return np.asarray(0.5 * (weights > 0), np.float32)
    return np.asarray(np.clip((weights - found.min()) / np.ptp(found), 0, 1), np.float32)
