"""Clips to predictions with ONNX Runtime."""

import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.errors import ModelFileError, ProviderError
from pose.graph_outputs import output_names, with_outputs
from pose.onnx_session import AUTO, ORT_ERRORS, check_provider_name, create_session, first_line, open_session
from recognizer.clips import Clip, Prediction
from recognizer.errors import CardError, RecognizerError
from recognizer.features import clip_features
from recognizer.model_card import INPUT_NAME, MODEL_FILE, ModelCard, TensorSpec

_TIMED_RUNS = 50


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A recognizer's answer to its card's reference input.

    max_error: largest difference from the trained network's logits; None where the card has no reference.
    median_ms: of one run of the network on one clip.
    """

    max_error: float | None
    median_ms: float


class OnnxRecognizer:
    """A model folder, loaded and warmed up. Calls come from one thread at a time.

    card: of the model. provider: the name of what the network really runs on, from the session's own account of
    where its nodes were placed. provider_note: why it is not what `auto` would prefer, or how many nodes run
    elsewhere; "" where there is nothing to say.
    """

    def __init__(self, folder: Path, provider: str = AUTO) -> None:
        """Load model.onnx and its card. Raises CardError, or RecognizerError where the provider does not work."""
        with _as_recognizer_errors():
            check_provider_name(provider)
        self.card, content = ModelCard.load_with_model(folder)
        self._where = str(folder / MODEL_FILE)
        lean = self._without_extras(content)
        with _as_recognizer_errors():
            session, self.provider, self.provider_note = open_session(lean, provider, self._where)
        self._session: Any = session
        self._content = content
        self._full_session: Any = None  # a session of the whole graph, once something beside the logits is asked for
        self._embedding: Any = None  # a session of what leads to the embedding, once that is asked for
        self._constants: dict[str, NDArray[np.float32]] = {}
        self._features = self._check_graph()
        self._warm_up()

    @property
    def name(self) -> str:
        """The model's name."""
        return self.card.name

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions in the order of the probabilities."""
        return self.card.actions

    @property
    def frames(self) -> int:
        """Poses of a clip."""
        return self.card.frames

    @property
    def fps(self) -> float:
        """Poses a second in a clip."""
        return self.card.fps

    def predict(self, clips: Sequence[Clip], *, attention: bool = False) -> list[Prediction]:
        """A prediction for each clip, all in one call. Raises ValueError for clips that are not the card's kind.

        attention: with what the graph tells of itself, as far as the card names it. Without, nothing of it is computed;
        the probabilities are the same. Opens a second session the first time, for a moment.
        """
        if not clips:
            return []
        logits, extras = self._run(self._clip_features(clips), self.card.attention if attention else ())
        probabilities = _softmax(logits / self.card.decision.temperature)
        return [
            Prediction(clip.person, clip.time_s, self.card.actions, row, each)
            for clip, row, each in zip(clips, probabilities, self._by_clip(extras, len(clips)), strict=True)
        ]

    def embed(self, clips: Sequence[Clip]) -> NDArray[np.float32]:
        """The embeddings (N, D) of clips. Raises RecognizerError where the card has no embedding.

        Opens a session of its own the first time, which computes nothing else.
        """
        spec = self.card.embedding
        if spec is None:
            raise RecognizerError(f"{self._where} gives no embedding; export the model again with this version")
        if not clips:
            return np.zeros((0, int(spec.shape[1])), np.float32)
        features = self._clip_features(clips)
        if self._embedding is None:
            lean = with_outputs(self._content, [spec.name])
            session = self._another_session(lean)
            self._check_tensor(session.get_outputs()[0], spec)
            self._embedding = session
        (found,) = self._call(self._embedding, [spec.name], features)
        return np.asarray(found, dtype=np.float32)

    def self_test(self) -> SelfTest:
        """Compare with the card's reference logits, and time single clips."""
        shape = (1, self.card.frames, self._features)
        parity = self.card.parity
        seed = parity.input_seed if parity else 0
        features = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
        logits = self._run(features)[0][0]
        error = float(np.abs(logits - np.array(parity.logits)).max()) if parity else None
        times_ms = []
        for _ in range(_TIMED_RUNS):
            started_s = time.perf_counter()
            self._run(features)
            times_ms.append((time.perf_counter() - started_s) * 1000)
        return SelfTest(error, statistics.median(times_ms))

    def close(self) -> None:
        """Free the sessions. Any number of times; nothing can be predicted afterwards."""
        self._session = self._full_session = self._embedding = None

    def _without_extras(self, content: bytes) -> bytes:
        """The graph with its logits alone. Raises CardError where an output of the card is not there."""
        if not self._extras:
            return content
        try:
            outputs = output_names(content)
            lean = with_outputs(content, [self.card.logits.name])
        except ValueError as error:
            raise CardError(f"{self._where} is not a model that ONNX Runtime can load: {error}") from error
        for spec in self._extras:
            self._check_named(spec, outputs)
        return lean

    def _check_named(self, spec: TensorSpec, outputs: Iterable[str]) -> None:
        if spec.name not in outputs:
            raise CardError(f"{self._where}: expected an output {spec.name!r}, got {list(outputs)}")

    @property
    def _extras(self) -> tuple[TensorSpec, ...]:
        """What the graph gives beside the logits."""
        embedding = self.card.embedding
        return (*self.card.attention, embedding) if embedding else self.card.attention

    def _clip_features(self, clips: Sequence[Clip]) -> NDArray[np.float32]:
        for clip in clips:
            self._check_clip(clip)
        xy_px = np.stack([clip.xy_px for clip in clips])
        return clip_features(xy_px, np.stack([clip.confidence for clip in clips]), self.card.fps)

    def _by_clip(self, extras: dict[str, NDArray[np.float32]], clips: int) -> list[dict[str, NDArray[np.float32]]]:
        """Outputs of each clip; what is the same for all is shared."""
        return [
            {name: values if name in self._constants else values[index] for name, values in extras.items()}
            for index in range(clips)
        ]

    def _run(
        self, features: NDArray[np.float32], extras: Sequence[TensorSpec] = ()
    ) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float32]]]:
        """Logits (N, A), and further outputs by name."""
        session = self._open_full() if extras and self._session else self._session
        asked = [spec.name for spec in extras if spec.name not in self._constants]
        logits, *found = self._call(session, [self.card.logits.name, *asked], features)
        if logits.shape != (len(features), len(self.card.actions)) or not np.isfinite(logits).all():
            raise RecognizerError(f"{self._where} gives logits that are not finite numbers; export the model again")
        values = {**self._constants, **dict(zip(asked, found, strict=True))}
        return np.asarray(logits, dtype=np.float64), {spec.name: values[spec.name] for spec in extras}

    def _call(self, session: Any, names: Sequence[str], features: NDArray[np.float32]) -> list[Any]:
        """Those outputs of a session. Raises RecognizerError."""
        if self._session is None:
            raise RuntimeError(f"the recognizer {self.name} is closed")
        try:
            found: list[Any] = session.run(list(names), {INPUT_NAME: features})
        except ORT_ERRORS as error:
            raise RecognizerError(
                f"{self._where} failed on {self.provider}: {first_line(error)}; try --provider cpu"
            ) from error
        return found

    def _another_session(self, content: bytes) -> Any:
        with _as_recognizer_errors():
            return create_session(content, self.provider, self._where)

    def _open_full(self) -> Any:
        """The session of the whole graph, its outputs compared with the card, and its constants. Raises CardError."""
        if self._full_session is None:
            session = self._another_session(self._content)
            outputs = {value.name: value for value in session.get_outputs()}
            for spec in self._extras:
                self._check_tensor(outputs[spec.name], spec)
            fixed = [spec.name for spec in self._extras if "N" not in spec.shape]
            blank = np.zeros((1, self.card.frames, self._features), np.float32)
            if fixed:
                self._constants = dict(zip(fixed, session.run(fixed, {INPUT_NAME: blank}), strict=True))
            self._full_session = session
        return self._full_session

    def _check_clip(self, clip: Clip) -> None:
        card = self.card
        expected = (card.layout, card.fps, (card.frames, len(card.skeleton), 2), (card.frames, len(card.skeleton)))
        got = (clip.layout.name, clip.fps, clip.xy_px.shape, clip.confidence.shape)
        if got != expected:
            raise ValueError(f"expected a clip of (layout, fps, xy_px, confidence) {expected}, got {got}")

    def _check_graph(self) -> int:
        """Compare the graph's inputs and outputs with the card; returns the number of features of a pose."""
        card, joints = self.card, len(self.card.skeleton)
        blank = np.zeros((1, card.frames, joints, 2), np.float32)
        features = clip_features(blank, np.zeros((1, card.frames, joints), np.float32), card.fps).shape[-1]
        inputs = {value.name: value for value in self._session.get_inputs()}
        if list(inputs) != [INPUT_NAME]:
            raise CardError(f"{self._where}: expected the one input {INPUT_NAME!r}, got {list(inputs)}")
        self._check_tensor(inputs[INPUT_NAME], TensorSpec(INPUT_NAME, ("N", card.frames, features)))
        outputs = {value.name: value for value in self._session.get_outputs()}
        self._check_named(card.logits, outputs)
        self._check_tensor(outputs[card.logits.name], card.logits)
        return int(features)

    def _check_tensor(self, value: Any, spec: TensorSpec) -> None:
        if value.type != "tensor(float)":
            raise CardError(f"{self._where}: {spec.name}: expected float32, got {value.type}")
        # Sizes that the graph leaves open are names or None; only "N" in the card is meant to be open.
        found = [size if isinstance(size, int) else "N" for size in value.shape]
        if found != list(spec.shape):
            raise CardError(f"{self._where}: {spec.name}: expected shape {list(spec.shape)}, got {found}")

    def _warm_up(self) -> None:
        for clips in (1, 2):  # one clip is the common case, two shows that the batch is really open
            self._run(np.zeros((clips, self.card.frames, self._features), np.float32))


@contextmanager
def _as_recognizer_errors() -> Iterator[None]:
    """The errors of ONNX Runtime's sessions as those of a recognizer."""
    try:
        yield
    except ModelFileError as error:
        raise CardError(str(error)) from error
    except ProviderError as error:
        raise RecognizerError(str(error)) from error


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)
