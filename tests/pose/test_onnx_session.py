"""Bound sessions: the same answers from buffers that are used again, and a CUDA graph only where there can be one."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from pose import onnx_session
from pose.graph_outputs import with_outputs
from pose.onnx_session import BoundSession, cpu_session, create_session, open_bound

MODEL = Path(__file__).resolve().parents[2] / "weights" / "act" / "model.onnx"
SHAPE = (1, 30, 78)


@pytest.fixture(scope="module")
def content():
    return with_outputs(MODEL.read_bytes(), ["logits"])


def features(clips, seed=0):
    return np.random.default_rng(seed).standard_normal((clips, *SHAPE[1:])).astype(np.float32)


def test_a_bound_session_gives_the_same_answers_from_the_same_buffers(content):
    plain = cpu_session(content)
    bound, used, note = open_bound(content, "cpu", "m", SHAPE)
    assert (used, note, bound.note) == ("cpu", "", "")
    buffers = []
    for seed in range(3):
        (found,) = bound.run(features(1, seed))
        np.testing.assert_array_equal(found, plain.run(None, {"features": features(1, seed)})[0])
        buffers.append(found)
    assert all(buffer is buffers[0] for buffer in buffers)


def test_another_number_of_clips_is_bound_anew(content):
    bound, plain = BoundSession(cpu_session(content), "cpu", SHAPE), cpu_session(content)
    for clips in (3, 1, 2):
        (found,) = bound.run(features(clips))
        assert bound.shape == (clips, *SHAPE[1:])
        np.testing.assert_array_equal(found, plain.run(None, {"features": features(clips)})[0])


def test_a_captured_graph_is_of_its_shape_alone(content):
    fixed = create_session(content, "cpu", "m", sizes={"N": 1})
    assert [value.shape for value in (*fixed.get_inputs(), *fixed.get_outputs())] == [list(SHAPE), [1, 18]]
    bound = BoundSession(fixed, "cpu", SHAPE, captured=True)
    (found,) = bound.run(features(1))
    np.testing.assert_array_equal(found, cpu_session(content).run(None, {"features": features(1)})[0])
    with pytest.raises(ValueError, match=r"the CUDA graph is of inputs \(1, 30, 78\), not \(2, 30, 78\)"):
        bound.run(features(2))


def test_without_cuda_there_is_no_graph_and_the_note_says_why(content):
    bound, used, note = open_bound(content, "cpu", "m", SHAPE, cuda_graph=True)
    assert (used, note, bound.captured) == ("cpu", "", False)
    assert bound.note == "no CUDA graph: the model runs on cpu, not on cuda"
    np.testing.assert_array_equal(
        bound.run(features(1))[0], cpu_session(content).run(None, {"features": features(1)})[0]
    )


class Placed:
    def __init__(self, ep_name, count):
        self.ep_name, self._count = ep_name, count

    def get_nodes(self):
        return range(self._count)


class OnCuda:
    """A session on the CPU that says it is on CUDA, but for some nodes."""

    def __init__(self, session, elsewhere):
        self._session, self._elsewhere = session, elsewhere

    def get_provider_graph_assignment_info(self):
        placed = {"CUDAExecutionProvider": 10 - self._elsewhere, "CPUExecutionProvider": self._elsewhere}
        return [Placed(name, count) for name, count in placed.items()]

    def __getattr__(self, name):
        return getattr(self._session, name)


def opened_on_cuda(content, monkeypatch, elsewhere=0, shape=SHAPE, fails=False):
    """open_bound as on a machine with CUDA, its buffers on the CPU; and what its further sessions were created with."""
    created, plain = [], cpu_session(content)

    def create(content, provider, where, threads=1, options=None, sizes=None):
        created.append((provider, options, sizes))
        if fails:
            raise RuntimeError("capture is not permitted\nwith a trace")
        return OnCuda(create_session(content, "cpu", where, sizes=sizes), elsewhere)

    monkeypatch.setattr(onnx_session, "open_session", lambda *_: (plain, "cuda", ""))
    monkeypatch.setattr(onnx_session, "create_session", create)
    monkeypatch.setattr(onnx_session, "_NVIDIA", ())
    return open_bound(content, "cuda", "m", shape, cuda_graph=True)[0], created


def test_a_graph_is_asked_for_where_cuda_runs_all_of_the_model(content, monkeypatch):
    bound, created = opened_on_cuda(content, monkeypatch)
    assert created == [("cuda", {"enable_cuda_graph": "1"}, {"N": 1})]
    assert bound.captured
    assert bound.note == ""


def test_no_graph_is_used_where_some_nodes_run_on_the_cpu(content, monkeypatch):
    bound, created = opened_on_cuda(content, monkeypatch, elsewhere=3)
    assert len(created) == 1
    assert not bound.captured
    assert bound.note == "no CUDA graph: 3 of 10 nodes run on the CPU"


def test_a_graph_that_cannot_be_captured_is_done_without(content, monkeypatch):
    bound, created = opened_on_cuda(content, monkeypatch, fails=True)
    assert len(created) == 1
    assert not bound.captured
    assert bound.note == "no CUDA graph: capture is not permitted"
    assert bound.run(features(1))[0].shape == (1, 18)


def test_options_reach_the_provider_that_they_are_of(content, monkeypatch):
    asked = []
    real = onnx_session.ort.InferenceSession

    def session(content, settings, providers):
        asked.append(providers)
        return real(content, settings, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnx_session.ort, "InferenceSession", session)
    create_session(content, "cuda", "m", options={"enable_cuda_graph": "1"})
    create_session(content, "cpu", "m")
    assert asked == [
        [("CUDAExecutionProvider", {"enable_cuda_graph": "1"}), ("CPUExecutionProvider", {})],
        [("CPUExecutionProvider", {})],
    ]


def test_two_sessions_that_are_opened_side_by_side_leave_stdout_as_it_was():
    before = sys.stdout
    entered, leave = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]

    def open_one(number):
        with onnx_session._quiet_stdout():
            entered[number].set()
            assert leave[number].wait(60)

    threads = [threading.Thread(target=open_one, args=(number,)) for number in range(2)]
    threads[0].start()
    assert entered[0].wait(60)
    threads[1].start()
    entered[1].wait(0.2)  # without a lock, with the first one's buffer as what to go back to
    for thread, let_go in zip(threads, leave, strict=True):
        let_go.set()
        thread.join(60)
    assert sys.stdout is before


def test_a_session_on_the_cpu_swallows_nothing_that_others_print(content, monkeypatch):
    before, seen = sys.stdout, []
    real = onnx_session.ort.InferenceSession
    monkeypatch.setattr(
        onnx_session.ort, "InferenceSession", lambda *given, **more: (seen.append(sys.stdout), real(*given, **more))[1]
    )
    cpu_session(content)
    assert seen == [before]
