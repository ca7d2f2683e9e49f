"""Labels that the recognizer proposes: asked for on a job's thread, shown in the list, accepted by one key."""

from collections.abc import Callable, Sequence

from app.library.catalogue import Library
from app.library.proposals import Proposal, Stretch, propose_labels
from app.library.rows import SegmentRow
from app.live.run_inputs import open_recognizer
from app.plurals import counted
from app.ui.jobs import Jobs


class Labeller:
    """proposals: by segment id. model(): the recognizer to ask. selected(): the segments that Y accepts labels of.
    shown(): called when the proposals have changed."""

    def __init__(
        self,
        jobs: Jobs,
        model: Callable[[], str],
        selected: Callable[[], Sequence[SegmentRow]],
        shown: Callable[[], None],
        show_status: Callable[[str], None],
    ) -> None:
        self.proposals: dict[int, Proposal] = {}
        self._jobs, self._model, self._selected, self._shown = jobs, model, selected, shown
        self._show_status = show_status

    def ask(self, library: Library, segments: Sequence[SegmentRow]) -> None:
        """Propose labels for segments that have none."""
        waiting = [segment for segment in segments if segment.action is None]
        if not waiting:
            self._show_status("These segments are labelled: 0 removes labels, then R asks the recognizer")
            return
        model = self._model()
        self._show_status(f"Asking {model} about {counted(len(waiting), 'segment')} …")
        self._jobs.start("propose", lambda: _propose(library, model, waiting), self._add_proposals, self._show_status)

    def proposed_actions(self, segments: Sequence[SegmentRow]) -> dict[int, str]:
        """The proposed actions of those segments that have no label."""
        waiting = [segment.id for segment in segments if segment.action is None]
        return {segment: self.proposals[segment].action for segment in waiting if segment in self.proposals}

    def _add_proposals(self, found: dict[int, Proposal]) -> None:
        self.proposals |= found
        self._shown()
        sure = sum(one.probability >= 0.5 for one in found.values())
        if found:
            are = f"{counted(len(found), 'label')} {'is' if len(found) == 1 else 'are'} proposed"
            accepted = found.keys() <= self.proposed_actions(self._selected()).keys()
            self._show_status(f"{are}, {sure} with 50% or more: {'' if accepted else 'Ctrl+A, then '}Y accepts")
        else:
            self._show_status("The recognizer knows none of these actions: no label is proposed")


def _propose(library: Library, model: str, segments: Sequence[SegmentRow]) -> dict[int, Proposal]:
    """On a job's thread. Every recording is read once."""
    recognizer = open_recognizer(model, "cpu")
    found: dict[int, Proposal] = {}
    try:
        for name in dict.fromkeys(segment.recording for segment in segments):
            of_it = [segment for segment in segments if segment.recording == name]
            stretches = [Stretch(segment.start_s, segment.end_s, segment.person) for segment in of_it]
            labels = propose_labels(library.open_recording(name), stretches, recognizer)
            found |= {segment.id: label for segment, label in zip(of_it, labels, strict=True) if label is not None}
    finally:
        recognizer.close()
    return found
