"""The two networks of a pose model bundle as ONNX, converted once and kept in the user's cache."""

import hashlib
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pose.errors import PoseModelError
from pose.estimators import FULL, QUALITIES
from pose.model_asset import DETECTOR, LANDMARKS, cached_path, check_bundle
from pose.whole_file import atomic_write

# Numbers of the outputs in the TFLite files. The segmentation and the joints in metres are not computed.
DETECTOR_OUTPUTS = {0: "boxes", 1: "scores"}
LANDMARK_OUTPUTS = {0: "landmarks", 1: "presence", 3: "heat_map"}
_CONVERTER = 1  # raised when tflite_to_onnx makes something else of the same file
_PARTS = ("detector.onnx", "landmarks.onnx")


@dataclass(frozen=True, slots=True, eq=False)
class PoseNetworks:
    """Serialized ONNX models. detector: DETECTOR_OUTPUTS. landmarks: LANDMARK_OUTPUTS."""

    detector: bytes
    landmarks: bytes


def landmark_member(quality: str) -> str:
    """The landmark network of a quality in a bundle; `full` is the one that every bundle has."""
    if quality not in QUALITIES:
        raise PoseModelError(f"the quality {quality!r} is not known; choose one of {', '.join(QUALITIES)}")
    stem, _, suffix = LANDMARKS.rpartition(".")
    return LANDMARKS if quality == FULL else f"{stem}_{quality}.{suffix}"


def load_networks(bundle: Path, quality: str = FULL) -> PoseNetworks:
    """The networks of a bundle: from the cache, or converted and put there.

    The name in the cache holds the SHA-256 of what was converted; a damaged file is made again, and a cache that cannot
    be written costs a second at each start. Raises PoseModelError.
    """
    detector, landmarks = _members(bundle, landmark_member(quality), quality)
    digest = hashlib.sha256(b"%d" % _CONVERTER + detector + landmarks).hexdigest()
    path = cached_path().parent / f"pose_networks_{digest[:32]}.zip"
    if (kept := _read(path)) is not None:
        return kept
    from pose.tflite_to_onnx import convert  # the package onnx takes half a second to import

    networks = PoseNetworks(convert(detector, DETECTOR_OUTPUTS), convert(landmarks, LANDMARK_OUTPUTS))
    with suppress(OSError):
        _write(path, networks)
    return networks


def _members(bundle: Path, member: str, quality: str) -> tuple[bytes, bytes]:
    check_bundle(bundle)
    with zipfile.ZipFile(bundle) as archive:
        if member not in archive.namelist():
            raise PoseModelError(
                f"pose model {bundle} has no {quality} network ({member}); use --pose-quality {FULL}, or give another "
                "bundle"
            )
        return archive.read(DETECTOR), archive.read(member)


def _read(path: Path) -> PoseNetworks | None:
    try:
        with zipfile.ZipFile(path) as archive:  # which compares each part with its checksum
            return PoseNetworks(*(archive.read(part) for part in _PARTS))
    except (OSError, zipfile.BadZipFile, KeyError):
        return None


def _write(path: Path, networks: PoseNetworks) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for part, content in zip(_PARTS, (networks.detector, networks.landmarks), strict=True):
            archive.writestr(part, content)
