"""The page that teaches: a card for each action beside the live picture, then Train, then Try it."""

from functools import partial
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.library.labels import label_key
from app.names_in_text import action_in_text
from app.plurals import counted
from app.recording.recorder import RecorderState, RecorderView
from app.teaching_process import TeachingDone
from app.ui.jobs import Jobs
from app.ui.library.strips import Strips
from app.ui.live_run import LiveRun
from app.ui.teaching import take_store
from app.ui.teaching.action_card import PICTURE_PX, ActionCard
from app.ui.teaching.card_column import CardColumn
from app.ui.teaching.guidance import WANTED_TAKES, next_step, nothing_text, recording_text, take_text
from app.ui.teaching.library_summary import TAKES
from app.ui.teaching.report import plain_result, worst_takes
from app.ui.teaching.result_card import ResultCard
from app.ui.teaching.review import Review
from app.ui.teaching.take_choices import TakeChoices
from app.ui.teaching.take_store import ActionTakes, Replay, TakesByAction
from app.ui.teaching.takes import Series, TakeRecorder
from app.ui.teaching.takes_watch import TakesWatch
from app.ui.teaching.train_bar import TrainBar
from app.ui.teaching.worst_takes import GONE
from app.ui.theme import Colours
from app.ui.wrapping_label import WrappingLabel
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.versions import version_label

NOTHING_S = 60.0
_LONGEST_S = 8.0  # of a take whose movement does not end
_NOTHING_HINT = "Everything else: a minute of what you do when you do none of these actions. It prevents false alarms."


class TeachPage(QWidget):
    """closed: the page asks to be closed. message: a line that must be seen. recorded: there is a new recording.
    taking: takes of this action are being recorded, "" for none. use: switch to the recognizer of this folder or name.
    more: open the dialog with every choice."""

    closed = Signal()
    message = Signal(str)
    recorded = Signal()
    taking = Signal(str)
    use = Signal(str)
    more = Signal()

    def __init__(self, root: Path, live: LiveRun, recorder: TakeRecorder, colours: Colours, jobs: Jobs) -> None:
        super().__init__()
        self.recorder = recorder
        self._root, self._live, self._jobs = root, live, jobs
        self._takes: TakesByAction | None = None
        self._ended = False
        self._recording_card: ActionCard | None = None  # whose takes are being recorded
        self._reviewed_card: ActionCard | None = None
        self.bar = TrainBar(root, live, jobs)
        self._watch = TakesWatch(root, jobs, lambda: tuple(card.action for card in self.cards if card.action), self)
        self._strips = Strips((3 * PICTURE_PX[0], PICTURE_PX[1]), self)
        self._strips.open(root)
        self._make_parts(colours)
        self._lay_out()
        self._connect()
        self._add_card()
        self._refresh()

    def _make_parts(self, colours: Colours) -> None:
        self.close_button = QPushButton("Close")
        self.instruction = WrappingLabel()
        self.choices = TakeChoices()
        self.cards: list[ActionCard] = []
        self.nothing = ActionCard(self._strips, NOTHING, _NOTHING_HINT)
        self.add = QPushButton("&Add an action")
        self.review = Review(self._root, colours, self._jobs)
        self.result = ResultCard()
        self.others = QLabel()
        self.others.setObjectName("muted")
        self.others.setWordWrap(True)

    def _lay_out(self) -> None:
        self.area = CardColumn((self.result, self.add, self.nothing, self.others))
        title = QLabel("Teach")
        title.setObjectName("heading")
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.instruction)
        column.addWidget(self.choices)
        column.addWidget(self.area, 1)
        column.addWidget(self.bar)

    def _connect(self) -> None:
        self.close_button.clicked.connect(self.closed)
        self.add.clicked.connect(lambda: self._begin_card())
        self._connect_card(self.nothing)
        recorder, review, bar = self.recorder, self.review, self.bar
        recorder.polled.connect(self._show_recorder)
        recorder.saved.connect(lambda folder, _: self._read_saved_take(folder))
        recorder.ended.connect(self._series_ended)
        recorder.message.connect(self.message)
        self._live.changed.connect(review.show_run)
        review.left.connect(self._hide_review)
        review.changed.connect(self._watch.read)
        review.again_wanted.connect(self.record_again)
        review.message.connect(self._show_status)
        self.result.takes.play_requested.connect(self._play_take)
        bar.training_requested.connect(self._hide_review)
        bar.changed.connect(self._refresh)
        bar.use.connect(self.use)
        bar.more.connect(self.more)
        bar.gone.connect(self.result.hide)
        bar.training.done.connect(self._training_done)
        bar.training.registered.connect(lambda _: self._watch.read())
        self._watch.found.connect(self._show_takes)
        self._watch.failed.connect(self._show_status)
        self._watch.looked.connect(bar.follow_run)

    # Opened and closed.

    def open(self) -> None:
        """Show what there is, and keep the last seconds from now on."""
        self.recorder.open()
        self._live.result.connect(self.bar.show_now)
        self.review.show_run(self._live.view)
        self._watch.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt override: what is typed goes into the first card without a name."""
        super().showEvent(event)
        first = next((card for card in self.cards if not card.action), None)
        (first.name if first is not None else self.add).setFocus()

    def on_hide(self) -> None:
        """It is hidden: recording ends; a training goes on."""
        if self._watch.active:
            self._live.result.disconnect(self.bar.show_now)
        self._watch.stop()
        self._hide_review()
        self.recorder.close()

    def end(self) -> None:
        """The window closes."""
        self._ended = True
        self._watch.end()
        self.review.clear()
        self.bar.close_training()
        self.recorder.close(wait_s=1.0)
        self._strips.close()

    # What the library has.

    def _show_takes(self, found: TakesByAction) -> None:
        self._takes = found
        there = {label_key(card.action): card for card in self.cards if card.action}
        empty = [card for card in self.cards if not card.action and not card.typed]
        for takes in found.actions:
            if label_key(takes.name) not in there:
                card = empty.pop() if empty else self._add_card()
                if card.name is self.focusWidget():
                    self.add.setFocus()  # what is typed now is another action's name
                card.set_action(takes.name)
        for card in self.cards:
            takes = found.takes_of(card.action) if card.action else ActionTakes("", 0, ())
            if takes.count and not card.name.hasFocus():
                card.set_action(takes.name)
            card.count = takes.count
            card.show_count(f"{takes.count} of {WANTED_TAKES}")
            card.takes.show_takes(takes.newest, takes.count - len(takes.newest) + 1)
        self.nothing.count = found.nothing.count
        self.nothing.show_count(nothing_text(found.nothing_s, NOTHING_S))
        self.nothing.takes.show_takes(found.nothing.newest, max(found.nothing.count - take_store.SHOWN_TAKES, 0) + 1)
        more = f"{counted(found.more, 'other action')} of the library: see More options" if found.more else ""
        self.others.setText(more)
        self._refresh()
        self._order_tabs()

    def _add_card(self) -> ActionCard:
        card = ActionCard(self._strips)
        self._connect_card(card)
        self.area.insert(card, before=self.add)
        self.cards.append(card)
        self._order_tabs()
        return card

    def _begin_card(self) -> None:
        card = self._add_card()
        card.name.setFocus()
        self.area.reveal(card)

    def _connect_card(self, card: ActionCard) -> None:
        card.record.connect(self._toggle_takes)
        card.named.connect(self._apply_name)
        card.entered.connect(self._enter_name)
        card.chosen.connect(lambda row: self._play_take(row.name))

    def _order_tabs(self) -> None:
        """Tab goes down the page, whatever was created first."""
        parts: list[QWidget] = [self.close_button, self.choices.who, self.choices.skeleton_only]
        parts += self.result.takes.buttons
        for card in (*self.cards, self.nothing):
            if card is self.nothing:
                parts.append(self.add)
            parts += [card.name, card.button, *card.takes.buttons]
            if card is self._reviewed_card:
                parts += [self.review.keep, self.review.again, self.review.discard]
        parts += [self.bar.train, self.bar.try_it, self.bar.options]
        for before, after in pairwise(parts):
            QWidget.setTabOrder(before, after)

    # Names.

    def _apply_name(self, card: ActionCard) -> bool:
        """Apply the typed name. Returns whether the card has a name now."""
        name = card.typed
        if name == card.action:
            return bool(name)
        if not name:
            card.set_action(card.action)
            return bool(card.action)
        if refusal := take_store.refusal_of(name, [c.action for c in self.cards if c is not card]):
            self._refuse(card, refusal)
            return False
        card.show_status("")
        if card.count and label_key(name) != label_key(card.action):
            self._rename(card, name)
        card.set_action(name)
        self._refresh()
        return True

    def _rename(self, card: ActionCard, name: str) -> None:
        before = card.action

        def failed(line: str) -> None:
            if card.action == name:
                card.set_action(before)
            self._show_status(line)
            self._watch.release()

        self._watch.hold()  # or it would find takes of the old name, which no card has any more
        work = partial(take_store.rename, self._root, before, name)
        self._jobs.start("rename", work, lambda _: self._watch.release(), failed, TAKES)

    def _enter_name(self, card: ActionCard) -> None:
        if self._apply_name(card):
            card.button.setFocus()  # from a name that is refused, the focus does not move

    def _refuse(self, card: ActionCard, line: str) -> None:
        card.show_status(line, warning=True)
        self.area.reveal(card, card.state)

    # Recording.

    def toggle_take(self) -> None:
        """Start recording takes of the next action, or stop."""
        card = self._recording_card or next((c for c in self.cards if c.isAncestorOf(self.focusWidget() or self)), None)
        self._toggle_takes(card or next((c for c in self.cards if c.count < WANTED_TAKES), self.cards[-1]))

    def record_again(self, action: str) -> None:
        """One take more of an action, after those that are being recorded of it; none while another's are."""
        card = next((c for c in (*self.cards, self.nothing) if label_key(c.action) == label_key(action)), None)
        if card is None:
            card = next((c for c in self.cards if not c.action and not c.typed), None) or self._add_card()
            card.set_action(action)
        if self._recording_card is card:
            self.recorder.again()
        elif self._recording_card is None:
            self._record(card, 1)

    def _toggle_takes(self, card: ActionCard) -> None:
        if self._recording_card is not None:
            self.recorder.stop()
            return
        if card is not self.nothing and not self._apply_name(card):
            if not card.typed:
                self._refuse(card, "Type the action's name first, for example wave")
            card.name.setFocus()
            return
        self._record(card, max(WANTED_TAKES - card.count, 1) if card is not self.nothing else 1)

    def _record(self, card: ActionCard, takes: int) -> None:
        from app.library.catalogue_file import refusal

        if reason := self.choices.refusal():
            self.choices.who.setFocus()
        if reason := reason or refusal(self._root):
            self._refuse(card, reason)
            return
        nothing = card is self.nothing
        series = Series(card.action, takes, NOTHING_S if nothing else _LONGEST_S, when_still=not nothing)
        if self.recorder.start(series):
            self._take_of(card)
            self._hide_review()

    def _take_of(self, card: ActionCard | None) -> None:
        """Takes of a card are being recorded from now on, or of none."""
        self._recording_card = card
        action = card.action if card is not None else ""
        self.review.show_taking(action)
        self.taking.emit(action)
        self._refresh()

    def _show_recorder(self, view: RecorderView) -> None:
        card = self._recording_card
        if card is not None and view.state in (RecorderState.COUNTDOWN, RecorderState.RECORDING):
            card.show_status(take_text(view, card.count, card is self.nothing, NOTHING_S))

    def _series_ended(self) -> None:
        if self._recording_card is not None:
            self._recording_card.show_status("")
        self._take_of(None)

    def _read_saved_take(self, folder: Path) -> None:
        card = self._recording_card
        if card is None:
            return
        self.recorded.emit()
        self._jobs.start(
            "take",
            lambda: take_store.read_take(self._root, folder.name),
            lambda take: self._show_saved_take(card, take),
            self._show_status,
            TAKES,
        )

    def _show_saved_take(self, card: ActionCard, take: Replay) -> None:
        if self._ended:
            return
        self._watch.read()
        if not take.segments:
            self.message.emit(f"{action_in_text(card.action)}: nobody was in the picture, so that take does not count")
        elif card is not self.nothing and self.isVisible():
            self._show_review(card, take, f"The last take of {action_in_text(card.action)}")

    # Looking at takes.

    def _play_take(self, segment: str) -> None:
        """Play a take, by the name of its segment."""

        def show(take: Replay) -> None:
            action = take.segments[0].action if take.segments else None
            card = next((c for c in (*self.cards, self.nothing) if c.action == action), None)
            if card is None:
                self._show_status(GONE)
                self._watch.read()
            else:
                self._show_review(card, take, f"A take of {action_in_text(card.action)}")

        self.review.load_take(segment, show)

    def _show_review(self, card: ActionCard, take: Replay, caption: str) -> None:
        if self._ended or not self.isVisible():
            return
        self._reviewed_card = card
        card.insert(self.review)
        self.review.show_take(take, caption)
        self._order_tabs()
        self.area.reveal(card)

    def _hide_review(self) -> None:
        card, self._reviewed_card = self._reviewed_card, None
        if card is not None and self.review.isAncestorOf(self.focusWidget() or self):
            card.button.setFocus()
        self.review.clear()

    # Training results and the next step.

    def _training_done(self, outcome: TeachingDone) -> None:
        label = version_label(outcome.folder)
        found = plain_result(outcome.check, self.bar.left_out)
        self.result.show_result(f"{label} is ready", found, worst_takes(outcome.check))
        self._order_tabs()
        if self.isVisible():
            focus = self.window().focusWidget()
            if focus is None or self.bar.isAncestorOf(focus) or not self.isAncestorOf(focus):
                self.bar.try_it.setFocus()  # from nothing that somebody types into or works at
            self.area.verticalScrollBar().setValue(0)
        else:
            self.message.emit(f"{label} is ready (Ctrl+K)")

    def _refresh(self) -> None:
        busy = self._recording_card
        wanting = [card for card in self.cards if card.count < WANTED_TAKES]
        comes_next = busy or next(iter(wanting or ([] if self.nothing.count else [self.nothing])), None)
        for card in (*self.cards, self.nothing):
            waits = busy is not None and card is not busy
            card.set_busy(card is busy, waits=waits, comes_next=card is comes_next)
        self.choices.set_busy(busy is not None)
        counts = {card.action or card.typed: card.count for card in self.cards}
        self.bar.offer(counts, self.nothing.count, busy=busy is not None)
        trains = self.bar.training.job is not None
        ready, tried = self.bar.taught is not None, self.bar.tried
        comes = next_step(counts, self.nothing.count, ready=ready, tried=tried, trains=trains)
        self.instruction.setText(comes if busy is None else recording_text(busy.action))

    def _show_status(self, line: str) -> None:
        if not self._ended:
            self.bar.show_status(line)
