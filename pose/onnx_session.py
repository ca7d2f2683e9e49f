"""Models in ONNX Runtime; the only file that imports it, for the recognizers, the generator and the pose networks.

It stands on the lowest floor, in pose/, since both the pose stage and the recognizers need it (docs/adr/0011).
"""

import contextlib
import ctypes
import io
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose.errors import ModelFileError, ProviderError
from pose.graph_outputs import has_external_data

# Read once, while the library loads: without it ONNX Runtime 1.29 and later note a device identifier and events and
# send them to their maker (docs/adr/0005).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime as ort

AUTO = "auto"
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
_NVIDIA = ("cuda", "tensorrt")
_STDOUT_LOCK = threading.Lock()  # while sys.stdout is exchanged
_FATAL_ONLY = 4  # ONNX Runtime's log severity; what goes wrong is reported by our own errors

# What a session raises: ONNX Runtime's own errors have no base of their own.
ORT_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(
        value
        for value in vars(ort.capi.onnxruntime_pybind11_state).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ),
)

ort.set_default_logger_severity(_FATAL_ONLY)
ort.disable_telemetry_events()  # on Windows the environment variable is not looked at


def available_providers() -> tuple[str, ...]:
    """Names of the providers that the installed ONNX Runtime was built with; whether one works is seen on loading."""
    built_in = ort.get_available_providers()
    return tuple(name for name, long_name in PROVIDERS.items() if long_name in built_in)


def usable_providers() -> tuple[str, ...]:
    """Of the available ones those whose libraries are on this machine; that one works is seen on loading."""
    found = []
    for name in available_providers():
        libraries = [_driver_library()] if name in _NVIDIA else []
        if name == "tensorrt":
            libraries.append("nvinfer_10.dll" if sys.platform == "win32" else "libnvinfer.so.10")
        if all(_can_load(library) for library in libraries):
            found.append(name)
    return tuple(found)


def check_provider_name(provider: str) -> None:
    """Raise ProviderError with the choices where there is no such provider here."""
    if provider == AUTO or provider in available_providers():
        return
    choices = ", ".join((AUTO, *available_providers()))
    if provider in PROVIDERS:
        raise ProviderError(f"provider {provider} is not part of the installed ONNX Runtime; available here: {choices}")
    raise ProviderError(f"unknown provider {provider!r}; choose one of {choices}")


def open_session(content: bytes, provider: str, where: str) -> tuple[Any, str, str]:
    """A session, the provider that it really uses and what is to be said of it ("" where nothing is).

    where: the model in messages. Raises ModelFileError, or ProviderError where the provider does not work.
    """
    if provider == "cpu" or (provider == AUTO and "cuda" not in available_providers()):
        return create_session(content, "cpu", where), "cpu", ""
    if provider == AUTO and _missing_driver():
        return create_session(content, "cpu", where), "cpu", "no NVIDIA driver"
    wanted = "cuda" if provider == AUTO else provider
    try:
        session = _accelerated(content, wanted, where)
    except ProviderError as error:
        if provider != AUTO:
            raise
        return create_session(content, "cpu", where), "cpu", str(error)
    placed = _placement(session)
    elsewhere = placed.total() - placed[PROVIDERS[wanted]]
    note = f"{elsewhere} of {placed.total()} nodes run on the CPU" if elsewhere else ""
    return session, wanted, note


def _accelerated(content: bytes, provider: str, where: str) -> Any:
    """A session that was seen to run on the provider. Raises ProviderError where it does not."""
    complaint = ""
    if provider in _NVIDIA:
        if missing := _missing_driver():
            raise ProviderError(
                f"{provider} does not work: no NVIDIA driver ({missing} cannot be loaded); install it or use the CPU"
            )
        complaint = _load_cuda_libraries()
    fix = 'pip install "actionlens[cuda]"' if provider in _NVIDIA else "use --provider cpu"
    try:
        session = create_session(content, provider, where)
        features = session.get_inputs()[0]
        sizes = [size if isinstance(size, int) else 1 for size in features.shape]
        session.run(None, {features.name: np.zeros(sizes, np.float32)})
    except ORT_ERRORS as error:
        raise ProviderError(f"{provider} does not work: {first_line(error)}; {fix}") from error
    if PROVIDERS[provider] not in session.get_providers():
        why = complaint or "ONNX Runtime could not start it"
        raise ProviderError(f"{provider} does not work: {why}; {fix}")
    if not _placement(session)[PROVIDERS[provider]]:
        raise ProviderError(f"{provider} can run no part of {where}; use --provider cpu")
    return session


def cpu_session(content: bytes, threads: int = 1, where: str = "model.onnx") -> Any:
    """A model on the CPU. where: the model in messages. Raises ModelFileError."""
    return create_session(content, "cpu", where, threads)


class BoundSession:
    """A session of one input that reads and writes buffers which are used again from call to call (I/O binding).

    shape: of the input that it is bound to. Another shape is bound again, which costs one more run; where a CUDA graph
    was captured it is an error. note: why there is no CUDA graph though one was asked for, else "".
    """

    def __init__(
        self, session: Any, provider: str, shape: Sequence[int], *, captured: bool = False, note: str = ""
    ) -> None:
        self._session, self._device = session, "cuda" if provider in _NVIDIA else "cpu"
        self._name = session.get_inputs()[0].name
        self.captured, self.note = captured, note
        self._bind(tuple(shape))

    def run(self, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """All outputs. On the CPU they are the buffers themselves, which the next call writes over.

        Raises ValueError for another shape than that of a captured graph, and what ONNX Runtime raises.
        """
        if values.shape != self.shape:
            if self.captured:
                raise ValueError(f"the CUDA graph is of inputs {self.shape}, not {values.shape}; open another session")
            self._bind(values.shape)
        if self._device == "cpu":
            np.copyto(self._buffer, values)
        else:
            self._input.update_inplace(np.ascontiguousarray(values, np.float32))
        self._session.run_with_iobinding(self._binding)
        return self._arrays if self._device == "cpu" else [value.numpy() for value in self._outputs]

    def _bind(self, shape: tuple[int, ...]) -> None:
        names = [value.name for value in self._session.get_outputs()]
        self._buffer = np.zeros(shape, np.float32)
        if self.captured:  # it must not run before its buffers are bound, and its sizes are fixed
            shapes = [tuple(value.shape) for value in self._session.get_outputs()]
        else:
            shapes = [value.shape for value in self._session.run(names, {self._name: self._buffer})]
        self._arrays = [np.zeros(each, np.float32) for each in shapes]
        self._input = ort.OrtValue.ortvalue_from_numpy(self._buffer, self._device)
        self._outputs = [ort.OrtValue.ortvalue_from_numpy(array, self._device) for array in self._arrays]
        self._binding = self._session.io_binding()
        self._binding.bind_ortvalue_input(self._name, self._input)
        for name, value in zip(names, self._outputs, strict=True):
            self._binding.bind_ortvalue_output(name, value)
        self.shape = shape


def open_bound(
    content: bytes, provider: str, where: str, shape: Sequence[int], *, cuda_graph: bool = False
) -> tuple[BoundSession, str, str]:
    """As open_session, with buffers for inputs of this shape. cuda_graph: capture one, where the CUDA provider runs all
    of the model; the session's note says why where it does not."""
    session, used, note = open_session(content, provider, where)
    if not cuda_graph:
        return BoundSession(session, used, shape), used, note
    try:
        return _captured(content, session, used, where, tuple(shape)), used, note
    except ORT_ERRORS as error:
        return BoundSession(session, used, shape, note=f"no CUDA graph: {first_line(error)}"), used, note


def _captured(content: bytes, session: Any, provider: str, where: str, shape: tuple[int, ...]) -> BoundSession:
    """A session whose work on inputs of this shape is captured as a CUDA graph. Raises one of ORT_ERRORS with the
    reason where there can be none."""
    if provider != "cuda":
        raise ValueError(f"the model runs on {provider}, not on cuda")
    stated = session.get_inputs()[0].shape
    open_sizes = {name: size for name, size in zip(stated, shape, strict=True) if not isinstance(name, int)}
    # With every size known no node is left that computes shapes, which runs on the CPU.
    fixed = create_session(content, provider, where, options={"enable_cuda_graph": "1"}, sizes=open_sizes)
    placed = _placement(fixed)
    if elsewhere := placed.total() - placed[PROVIDERS[provider]]:
        raise ValueError(f"{elsewhere} of {placed.total()} nodes run on the CPU")
    bound = BoundSession(fixed, provider, shape, captured=True)
    bound.run(np.zeros(shape, np.float32))  # the first run captures
    return bound


def create_session(
    content: bytes,
    provider: str,
    where: str,
    threads: int = 1,
    options: Mapping[str, str] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Any:
    """A session on a provider, or on the CPU where ONNX Runtime cannot start it; open_session() finds that out.

    options: of the provider. sizes: of open axes of the model, by their names, which are then fixed.

    Raises ModelFileError, and what ONNX Runtime raises (ORT_ERRORS) for another provider than the CPU.
    """
    settings = ort.SessionOptions()
    settings.log_severity_level = _FATAL_ONLY
    # A network this small gains nothing from more threads, and a spinning pool would take the CPU from the pose model.
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    for name, size in (sizes or {}).items():
        settings.add_free_dimension_override_by_name(name, size)
    names = list(dict.fromkeys((PROVIDERS[provider], PROVIDERS["cpu"])))
    chosen = [(name, dict(options or {}) if name == PROVIDERS[provider] else {}) for name in names]
    _check_whole(content, where)
    try:
        with contextlib.nullcontext() if provider == "cpu" else _quiet_stdout():  # it prints its fallbacks
            session = ort.InferenceSession(content, settings, providers=chosen)
    except ORT_ERRORS as error:
        if provider != "cpu":
            raise
        raise ModelFileError(f"{where} is not a model that ONNX Runtime can load: {first_line(error)}") from error
    session.disable_fallback()  # a provider that fails while running is an error, never a silent change
    return session


def _check_whole(content: bytes, where: str) -> None:
    """Raise ModelFileError where weights lie in another file.

    ONNX Runtime would look for it in the current folder, and no SHA-256 of a card is of it.
    """
    try:
        in_parts = has_external_data(content)
    except ValueError as error:
        raise ModelFileError(f"{where} is not a model that ONNX Runtime can load: {error}") from error
    if in_parts:
        raise ModelFileError(
            f"{where} keeps weights in another file, which its card does not vouch for: save it as one file, as "
            "onnx.save(onnx.load(FILE), FILE) does"
        )


def _placement(session: Any) -> Counter[str]:
    """How many of the graph's nodes run on each provider, by ONNX Runtime's names."""
    placed: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        placed[part.ep_name] += len(part.get_nodes())
    return placed


def _missing_driver() -> str:
    """The library of the NVIDIA driver if it is not there, else ""."""
    return "" if _can_load(_driver_library()) else _driver_library()


def _driver_library() -> str:
    return "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _load_cuda_libraries() -> str:
    """Load CUDA and cuDNN from where pip puts them; the first complaint, "" if there is none."""
    with _quiet_stdout() as said:
        ort.preload_dlls()
    return said.getvalue().strip().split("\n")[0].strip()


@contextlib.contextmanager
def _quiet_stdout() -> Iterator[io.StringIO]:
    """What is printed meanwhile, by any thread; one at a time, for the second would restore the first one's buffer."""
    with _STDOUT_LOCK, contextlib.redirect_stdout(io.StringIO()) as said:
        yield said


def runtime_version() -> str:
    """ONNX Runtime's own version."""
    return str(ort.__version__)


def first_line(error: BaseException) -> str:
    """What an error says, for a message of one line."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if len(text) <= 300 else text[:297] + "..."
