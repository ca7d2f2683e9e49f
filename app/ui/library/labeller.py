"""Labels that the recognizer proposes: asked for on a job's thread, shown in the list, accepted by one key."""

from collections.abc import Callable, Sequence

from app.library.catalogue import Library
from app.library.proposals import Proposal, Stretch, propose_labels
from app.library.rows import ClipRow
from app.live.run_inputs import open_recognizer
from app.plurals import counted
from app.ui.jobs import Jobs


class Labeller:
    """proposals: by the ids of clips. shown(): they have changed. model(): the recognizer that is asked."""

    def __init__(
        self, jobs: Jobs, model: Callable[[], str], shown: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        self.proposals: dict[int, Proposal] = {}
        self._jobs, self._model, self._shown, self._say = jobs, model, shown, say

    def ask(self, library: Library, clips: Sequence[ClipRow]) -> None:
        """Propose labels for clips that have none."""
        waiting = [clip for clip in clips if clip.action is None]
        if not waiting:
            self._say("These clips are labelled: 0 removes labels, then R asks the recognizer")
            return
        model = self._model()
        self._say(f"Asking {model} about {counted(len(waiting), 'clip')} …")
        self._jobs.start("propose", lambda: _propose(library, model, waiting), self._have, self._say)

    def accepted(self, clips: Sequence[ClipRow]) -> dict[int, str]:
        """The proposed actions of those clips that have no label."""
        waiting = [clip.id for clip in clips if clip.action is None]
        return {clip: self.proposals[clip].action for clip in waiting if clip in self.proposals}

    def _have(self, found: dict[int, Proposal]) -> None:
        self.proposals |= found
        self._shown()
        sure = sum(one.probability >= 0.5 for one in found.values())
        if found:
            are = f"{counted(len(found), 'label')} {'is' if len(found) == 1 else 'are'} proposed"
            self._say(f"{are}, {sure} with 50% or more: Y accepts")
        else:
            self._say("The recognizer knows none of these actions: no label is proposed")


def _propose(library: Library, model: str, clips: Sequence[ClipRow]) -> dict[int, Proposal]:
    """On a job's thread. Every recording is read once."""
    recognizer = open_recognizer(model, "cpu")
    found: dict[int, Proposal] = {}
    try:
        for name in dict.fromkeys(clip.recording for clip in clips):
            of_it = [clip for clip in clips if clip.recording == name]
            stretches = [Stretch(clip.start_s, clip.end_s, clip.person) for clip in of_it]
            labels = propose_labels(library.open_recording(name), stretches, recognizer)
            found |= {clip.id: label for clip, label in zip(of_it, labels, strict=True) if label is not None}
    finally:
        recognizer.close()
    return found
