"""What the user asked for: the options of one run, and the choices remembered between runs. No Qt."""

import json
import logging
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_config_path

from app import keyring_store
from pose import estimators
from pose.address import HIDDEN, without_secrets
from pose.camera_request import CameraRequest
from pose.errors import PoseModelError
from pose.estimators import MAX_PEOPLE, EstimatorSpec
from pose.whole_file import write_private_text

if TYPE_CHECKING:
    from pose.skeleton import Layout

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """One run. Field names follow the command line.

    model: a name or a folder, see app.models. source: "0", "demo", a path, a URL, or
    "auto" for the first camera, else the demo.
    people: 1..8. pose: what finds people, auto or a name in pose.estimators; pose_quality: of its network.
    provider: auto, cpu, cuda, ... paced: play a file at its own speed (the window) or as fast
    as it can be processed without dropping a frame (headless, measuring).
    mirror: show the picture mirrored; never changes the data. seconds: stop after so much source time.
    explain: draw into the saved video how much each joint matters for the action.
    events_csv: a table of the actions, a line when each ends. alerts: a file of rules (app.alerts).
    """

    model: str = "act"
    source: str = "0"
    people: int = 1
    pose: str = estimators.AUTO
    pose_quality: str = estimators.FULL
    provider: str = "auto"
    paced: bool = True
    mirror: bool = False
    seconds: float | None = None
    pose_model: Path | None = None
    save: Path | None = None
    explain: bool = False
    json: str | None = None
    events: str | None = None
    events_csv: Path | None = None
    alerts: Path | None = None
    camera: CameraRequest = field(default_factory=CameraRequest)

    def estimator(self, model: Path) -> EstimatorSpec:
        """What finds the people, with its model. Raises PoseModelError where it cannot find so many."""
        kind = estimators.choose(self.pose, self.people, self.pose_quality)
        # `auto` leaves the pose networks on the CPU: nobody has measured them on a GPU yet.
        asked = estimators.ESTIMATORS[kind].has_providers and self.provider != estimators.AUTO
        provider = self.provider if asked else estimators.CPU
        return EstimatorSpec(kind, model, self.people, self.pose_quality, provider)

    @property
    def layout(self) -> "Layout":
        """Of the estimator's poses, also where it cannot find so many people."""
        return estimators.ESTIMATORS[estimators.resolve_kind(self.pose, self.people, self.pose_quality)].poses_layout


@dataclass(slots=True)
class UserSettings:
    """Choices remembered between runs, kept as JSON in the user's configuration folder, for the user alone.

    source: in the file an address is without its password, which goes into the system's keyring; see whole_source().
    geometry: the window's place and size as Qt saves it, in base64. save_folder: where screenshots and videos go; ""
    for the system's own folder. history: keep what was done when (app.outputs.history).
    """

    source: str = "auto"
    model: str = "act"
    people: int = 1
    pose: str = estimators.AUTO
    provider: str = "auto"
    mirror: bool = False
    theme: str = "system"
    large_text: bool = False
    attention: bool = False
    record_person: str = ""
    record_action: str = ""
    record_takes: int = 3
    record_countdown_s: float = 3.0
    record_longest_s: float = 8.0
    record_when_still: bool = True
    record_skeleton_only: bool = False
    geometry: str = ""
    save_folder: str = ""
    history: bool = False

    @classmethod
    def load(cls, path: Path | None = None) -> "UserSettings":
        """The saved settings. What is missing, unknown or of a wrong type is left at its default."""
        path = path or settings_path()
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, RecursionError) as error:
            log.warning("settings in %s cannot be read (%s); the defaults are used", path, error)
            return cls()
        if not isinstance(saved, dict):
            log.warning("settings in %s are damaged; the defaults are used", path)
            return cls()
        settings = cls(**{name: saved[name] for name, kind in _kinds().items() if type(saved.get(name)) is kind})
        if not 1 <= settings.people <= MAX_PEOPLE:
            settings.people = 1
        try:
            estimators.choose(settings.pose, settings.people)
        except PoseModelError:  # not known in this version, or not for so many people
            settings.pose = estimators.AUTO
        if settings.source != without_secrets(settings.source):
            settings.save(path)  # of an earlier version, which wrote down everything
        return settings

    def whole_source(self) -> str:
        """The source with the password that the keyring keeps. Where it keeps none, opening the source says so.

        Asks the keyring, which may ask the user, only where something was left out.
        """
        return (HIDDEN in self.source and keyring_store.read(self.source)) or self.source

    def save(self, path: Path | None = None) -> None:
        """Write them at once and whole; a folder that cannot be written is logged, never fatal."""
        path = path or settings_path()
        text = json.dumps(asdict(self) | {"source": self._kept_source()}, indent=2) + "\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private_text(path, text)
        except OSError as error:
            log.warning("settings cannot be kept in %s (%s)", path, error)

    def _kept_source(self) -> str:
        kept = without_secrets(self.source)
        if HIDDEN in kept and kept != self.source:
            keyring_store.write(kept, self.source)
        return kept


def settings_path() -> Path:
    """Where the settings are kept on this system."""
    return user_config_path("actionlens", appauthor=False) / "settings.json"


def _kinds() -> dict[str, Any]:
    return {f.name: type(f.default) for f in fields(UserSettings)}
