"""Segments and labels that are proposed: asked for on a job's thread, shown in the list, accepted by one key."""

from collections.abc import Callable, Sequence, Set

from app.errors import RecordingError
from app.library.catalogue import Library
from app.library.proposals import Proposal, Stretch, propose_labels
from app.library.rows import Filter, SegmentRow
from app.live.run_inputs import open_recognizer
from app.plurals import counted
from app.ui.jobs import Jobs
from app.ui.library.browser import BIN, SEGMENTS, Browser
from app.ui.library.segment_edits import NONE_CHOSEN, NONE_IN_BIN, SegmentEdits

_NO_LABELS_IN_BIN = "A recording in the bin gets no labels: Ctrl+Shift+R restores it"
_SURE = 0.5
_Proposals = dict[int, tuple[Stretch, Proposal]]


class Labeller:
    """proposals: by segment id, with the stretch that the recognizer was asked about. model(): the recognizer to ask.
    edits: its library is asked, and changed. show_status(line)."""

    def __init__(
        self,
        jobs: Jobs,
        model: Callable[[], str],
        browser: Browser,
        edits: SegmentEdits,
        show_status: Callable[[str], None],
    ) -> None:
        self.proposals: _Proposals = {}
        self._jobs, self._model, self._browser, self._edits = jobs, model, browser, edits
        self._show_status = show_status
        browser.segments.propose(self.proposal_of)

    def proposal_of(self, segment: SegmentRow) -> Proposal | None:
        """What is proposed for a segment; None where its bounds or its person are no longer those asked about."""
        stretch, proposal = self.proposals.get(segment.id, (None, None))
        return proposal if stretch == _stretch_of(segment) else None

    def propose(self) -> None:
        """Segments where something moves, and what the recognizer says of them."""
        library, chosen = self._edits.library, self._browser.chosen_names()
        if library is None:
            return
        if self._browser.tabs.currentIndex() == BIN:
            self._show_status(NONE_IN_BIN)
        elif len(chosen) > 1:
            self._edits.recordings.propose(library, chosen, lambda made: self._ask(library, library.segments_of(made)))
        elif made := self._edits.propose_segments():
            self._ask(library, library.segments_of(made))

    def recognise(self) -> None:
        """What the recognizer says of the chosen segments; of a recording, of its segments without a label."""
        library, recordings = self._edits.library, self._browser.chosen_recordings()
        if library is None:
            return
        if self._browser.tabs.currentIndex() == BIN:
            self._show_status(_NO_LABELS_IN_BIN)
        elif segments := self._selected(library):
            self._ask(library, segments)
        elif not recordings:
            self._show_status(NONE_CHOSEN)
        elif any(recording.segments for recording in recordings):
            self._show_status("All segments are labelled: P proposes more; in the list (Alt+1) 0 removes labels")
        else:
            self._show_status("There are no segments yet: P proposes them")

    def accept(self) -> None:
        """Take the proposed labels of the chosen segments, or of those in the chosen recordings."""
        library = self._edits.library
        if library is None:
            return
        if self._browser.tabs.currentIndex() == BIN:
            self._show_status(_NO_LABELS_IN_BIN)
        elif labels := self._proposed_actions(self._selected(library)):
            self._edits.do(lambda library: library.label_each(labels))
        elif not self._browser.chosen_names():
            self._show_status(NONE_CHOSEN)
        else:
            self._show_status("No labels are proposed for what is selected: R asks the recognizer, Ctrl+A selects all")

    def _selected(self, library: Library) -> list[SegmentRow]:
        """The chosen segments as they are now; of chosen recordings, those without a label."""
        if self._browser.tabs.currentIndex() == SEGMENTS:
            return library.segments_of([row.id for row in self._browser.chosen_segments()])
        chosen = [Filter(recording=row.id, unlabelled=True) for row in self._browser.chosen_recordings()]
        return [segment for one in chosen for segment in library.segments(one, limit=-1)]

    def _proposed_actions(self, segments: Sequence[SegmentRow]) -> dict[int, str]:
        """The proposed actions of those segments that have no label."""
        waiting = [segment for segment in segments if segment.action is None]
        return {segment.id: found.action for segment in waiting if (found := self.proposal_of(segment)) is not None}

    def _ask(self, library: Library, segments: Sequence[SegmentRow]) -> None:
        """Propose labels for segments that have none."""
        waiting = [segment for segment in segments if segment.action is None]
        if not waiting:
            self._show_status("These segments are labelled: 0 removes labels, then R asks the recognizer")
            return
        model = self._model()
        self._show_status(f"Asking {model} about {counted(len(waiting), 'segment')} …")
        self._jobs.start(
            "propose",
            lambda: _propose(library, model, waiting),
            lambda found: self._add(library, *found),
            self._show_status,
        )

    def _add(self, library: Library, found: _Proposals, unreadable: Sequence[str]) -> None:
        self.proposals |= found
        self._browser.segments.propose(self.proposal_of)
        left_out = f"; left out as unreadable: {', '.join(unreadable)}" if unreadable else ""
        if not found:
            self._show_status(f"The recognizer knows none of these actions: no label is proposed{left_out}")
            return
        sure = sum(proposal.probability >= _SURE for _, proposal in found.values())
        are = f"{counted(len(found), 'label')} {'is' if len(found) == 1 else 'are'} proposed"
        self._show_status(f"{are}, {sure} with {_SURE:.0%} or more: {self._way_to(library, found.keys())}{left_out}")

    def _way_to(self, library: Library, segments: Set[int]) -> str:
        """What accepts the labels that are proposed for these segments."""
        if segments <= self._proposed_actions(self._selected(library)).keys():
            return "Y accepts"
        listed = all(self._browser.segments.position_of(segment) is not None for segment in segments)
        return "Ctrl+A, then Y accepts" if listed else "clear the filters to see them all"


def _stretch_of(segment: SegmentRow) -> Stretch:
    return Stretch(segment.start_s, segment.end_s, segment.person)


def _propose(library: Library, model: str, segments: Sequence[SegmentRow]) -> tuple[_Proposals, list[str]]:
    """On a job's thread: the proposals, and the recordings that cannot be read. Where none can be, RecordingError.
    Every recording is read once."""
    of_recording: dict[str, list[SegmentRow]] = {}
    for segment in segments:
        of_recording.setdefault(segment.recording, []).append(segment)
    found: _Proposals = {}
    problems: dict[str, RecordingError] = {}
    recognizer = open_recognizer(model, "cpu")
    try:
        for name, of_it in of_recording.items():
            stretches = [_stretch_of(segment) for segment in of_it]
            try:
                recording = library.open_recording(name)
            except RecordingError as error:
                problems[name] = error
                continue
            labels = propose_labels(recording, stretches, recognizer)
            asked = zip(of_it, stretches, labels, strict=True)
            found |= {segment.id: (stretch, label) for segment, stretch, label in asked if label is not None}
    finally:
        recognizer.close()
    if len(problems) == len(of_recording):
        raise next(iter(problems.values()))
    return found, list(problems)
