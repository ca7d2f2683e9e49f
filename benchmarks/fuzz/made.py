"""Small valid files of each kind, written by the product's own writers where it has one."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream

from app.library.catalogue import Library
from app.library.export_formats import FORMATS, Export
from app.library.pose_recordings import describe, store
from app.library.rows import Model, NewSegment
from app.settings import UserSettings
from benchmarks.fuzz.content import Content, Member
from pose.skeleton import MEDIAPIPE_33
from recognizer.datasets.recorded import Poses
from recognizer.datasets.restricted_pickle import load as load_pickle
from recognizer.features import clip_features
from recognizer.model_card import DecisionRules, ModelCard, TensorSpec, shipped_models
from recognizer.teaching.examples import Example
from recognizer.teaching.request import CLIPS_FILE, QUICK, REQUEST_FILE, TeachingRequest, write_request

Files = dict[str, Content]
_FRAMES = 12


def library() -> Files:
    """A library's folder: two recordings with labels, splits and a taught recognizer."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        _fill(root)
        return _folder(root, skip=("catalogue", "lock"))


def catalogue() -> Files:
    """The same with its catalogue."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        _fill(root)
        return _folder(root, skip=("lock",))


def tables() -> Files:
    """An export as tables."""
    return _exported("tables")


def pyskl() -> Files:
    """An export as a pickle of PYSKL's."""
    return _exported("pyskl")


def archive(kind: str) -> Files:
    """An archive with exported tables."""
    members = [Member(f"made/{name}", _bytes(content)) for name, content in _exported("tables").items()]
    return {f"made.{kind}": Content(kind, members)}


def model() -> Files:
    """A folder with a recognizer of one matrix."""
    content = _graph()
    card = replace(_card(), sha256=hashlib.sha256(content).hexdigest())
    return {"card.json": Content("json", _plain(card.to_json())), "model.onnx": Content("bytes", content)}


def model_archive() -> Files:
    """A recognizer as the program exports one."""
    members = [Member(f"toy/{name}", _bytes(content)) for name, content in model().items()]
    return {"toy.zip": Content("zip", members)}


def generator() -> Files:
    """The card of a generator."""
    shipped = Path(__file__).resolve().parents[2] / "weights" / "sa-gcn" / "generator.json"
    return {"generator.json": Content("json", json.loads(shipped.read_text(encoding="utf-8")))}


def settings() -> Files:
    """What the window remembers."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "settings.json"
        UserSettings(source="rtsp://10.0.0.7/live", record_person="Ada").save(path)
        return {"settings.json": Content("json", json.loads(path.read_text(encoding="utf-8")))}


def request() -> Files:
    """What one process asks another to teach."""
    rng = np.random.default_rng(0)
    examples = [
        Example(
            name=f"c{number}",
            action=action,
            person="Ada",
            session="",
            times_s=np.arange(_FRAMES) / 20,
            xy_px=rng.uniform(0, 480, (_FRAMES, 33, 2)).astype(np.float32),
            confidence=np.ones((_FRAMES, 33), np.float32),
            layout=MEDIAPIPE_33,
        )
        for number, action in enumerate(("wave", "wave", "clap"))
    ]
    with TemporaryDirectory() as folder:
        made = TeachingRequest(QUICK, "mine", shipped_models()["act"], Path("models"), examples)
        write_request(made, Path(folder))
        return {name: _content(Path(folder) / name) for name in (REQUEST_FILE, CLIPS_FILE)}


def ntu() -> Files:
    """A skeleton file of NTU RGB+D: two bodies."""
    rng = np.random.default_rng(0)
    lines = [str(_FRAMES)]
    for _ in range(_FRAMES):
        lines.append("2")
        for body in range(2):
            lines += [f"7205759403792793{body} 0 1 1 0 0 0 0.1 -0.2 2", "25"]
            joints = rng.normal((0, 0, 3), 0.3, (25, 3))
            lines += [" ".join(f"{value:.4f}" for value in (*joint, *[1.0] * 8)) + " 2" for joint in joints]
    return {"S001C001P001R001A001.skeleton": Content("text", "\n".join(lines) + "\n")}


def kinetics() -> Files:
    """A folder of Kinetics-Skeleton with a clip in each part."""
    rng = np.random.default_rng(0)
    files: Files = {}
    for part, name in (("kinetics_train", "abc"), ("kinetics_val", "xyz")):
        frames = [
            {
                "frame_index": frame + 1,
                "skeleton": [{"pose": rng.random(36).round(3).tolist(), "score": rng.random(18).round(3).tolist()}],
            }
            for frame in range(5)
        ]
        label: dict[str, Any] = {"label": "zumba", "label_index": 399}
        files[f"{part}/{name}.json"] = Content("json", {"data": frames, **label})
        files[f"{part}_label.json"] = Content("json", {name: {"has_skeleton": True, **label}})
    return files


def mpose() -> Files:
    """Arrays of MPOSE2021."""
    rng = np.random.default_rng(0)
    files = {}
    for part in ("train", "test"):
        files[f"openpose/1/X_{part}.npy"] = Content("npy", rng.uniform(0, 200, (3, 30, 25, 3)))
        files[f"openpose/1/y_{part}.npy"] = Content("npy", np.arange(3))
    return files


def jhmdb() -> Files:
    """Arrays of JHMDB as the project keeps them."""
    rng = np.random.default_rng(0)
    arrays = {
        "joints": rng.uniform(0, 200, (30, 15, 2)).astype(np.float32),
        "lengths": np.array([15, 15]),
        "labels": np.array(["walk", "run"]),
    }
    return {f"split1_{part}.npz": Content("npz", dict(arrays)) for part in ("train", "test")}


def utd_csv() -> Files:
    """A table of OpenPose's joints."""
    rng = np.random.default_rng(0)
    rows = [",".join(f"{value:.3f}" for value in rng.normal(0, 1, 36)) for _ in range(_FRAMES)]
    return {"poseCSVs/a1_s2_t1_color.avi.csv": Content("text", "\n".join(rows) + "\n")}


def nw_ucla() -> Files:
    """Skeletons as JSON."""
    rng = np.random.default_rng(0)
    skeletons = rng.normal((0, 0, 3), 0.3, (_FRAMES, 20, 3)).round(3).tolist()
    return {"a01_s01_e00_v01.json": Content("json", {"skeletons": skeletons})}


def msr() -> Files:
    """Skeletons as text, a joint a line."""
    rng = np.random.default_rng(0)
    rows = [" ".join(f"{v:.4f}" for v in row) for row in rng.normal((0, 0, 3, 1), 0.2, (_FRAMES * 20, 4))]
    return {"a01_s01_e01_skeleton3D.txt": Content("text", "\n".join(rows) + "\n")}


def florence() -> Files:
    """Two videos in one text file, a frame a line."""
    rng = np.random.default_rng(0)
    rows = [
        f"{video} {video} 1 " + " ".join(f"{value:.4f}" for value in rng.normal((0, 0, 3), 0.3, (15, 3)).ravel())
        for video in (1, 2)
        for _ in range(_FRAMES)
    ]
    return {"Florence_dataset_WorldCoordinates.txt": Content("text", "\n".join(rows) + "\n")}


def webcam_poses() -> Files:
    """A sequence of MediaPipe's joints, and the table with its segment."""
    rng = np.random.default_rng(0)
    arrays = {
        "times_s": np.arange(_FRAMES) / 30,
        "xy8": rng.integers(0, 5000, (_FRAMES, 33, 2)).astype(np.int16),
        "conf": np.full((_FRAMES, 33), 200, np.uint8),
        "size": np.array([640, 480]),
        "layout": np.array("mediapipe-33"),
    }
    index = 'name\tperson\tsegments\ns0\tanna\t[[0.0, 0.2, "wave"]]\n'
    return {"index.tsv": Content("text", index), "sequences/s0.npz": Content("npz", arrays)}


def utd_mat() -> Files:
    """Skeletons of a Kinect as a MATLAB file."""
    rng = np.random.default_rng(0)
    return {"a1_s1_t1_skeleton.mat": Content("mat", {"d_skel": rng.normal(0, 0.3, (20, 3, _FRAMES))})}


def penn_mat() -> Files:
    """Labels of Penn Action as a MATLAB file."""
    rng = np.random.default_rng(0)
    values = {"x": rng.uniform(2, 300, (_FRAMES, 13)), "y": rng.uniform(2, 300, (_FRAMES, 13))}
    return {"labels/0001.mat": Content("mat", {**values, "action": "squat", "train": 1})}


def video(ending: str) -> Files:
    """A moving picture of twelve frames."""
    codec = {"mp4": "mpeg4", "avi": "mjpeg", "mkv": "mpeg4", "ts": "mpeg2video", "gif": "gif"}[ending]
    file = io.BytesIO()
    with av.open(file, "w", format={"mkv": "matroska", "ts": "mpegts"}.get(ending, ending)) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
        for number in range(_FRAMES):
            picture = np.full((48, 64, 3), number * 20, np.uint8)
            picture[number : number + 9, 10:30] = (255, 90, 0)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return {f"made.{ending}": Content("bytes", file.getvalue())}


def handshake() -> Files:
    """A client's handshake request, and frames after it."""
    lines = (
        *("GET / HTTP/1.1", "Host: 127.0.0.1:8765", "Upgrade: websocket", "Connection: Upgrade"),
        *("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Origin: http://localhost"),
    )
    frame = b"\x81\x85\x01\x02\x03\x04ighhn" + b"\x89\x80\x01\x02\x03\x04"
    return {"request": Content("text", "\r\n".join(lines) + "\r\n\r\n"), "frames": Content("bytes", frame)}


def _fill(root: Path) -> None:
    with Library(root) as made:
        rng = np.random.default_rng(0)
        for number, action in enumerate(("wave", "clap")):
            poses = Poses(
                np.arange(_FRAMES) / 20,
                np.arange(_FRAMES),
                np.zeros(_FRAMES, np.int64),
                rng.uniform(0, 480, (_FRAMES, 33, 2)).astype(np.float32),
                np.ones((_FRAMES, 33), np.float32),
                MEDIAPIPE_33,
                (640, 480),
            )
            folder = store(made.root, made.staging(), describe(poses, "cam", session="Monday"), poses)
            made.add_recording(folder, [NewSegment(0, 0.4, 0, action, "Ada", f"take {number}")])
        segments = made.segments(limit=-1)
        made.set_key("wave", "3")
        made.set_split("mine", {segments[0].id: "train", segments[1].id: "test"})
        made.add_model(
            Model("toy", "2026-01-02T03:04:05+00:00", "quick", "models/toy/1", ((segments[0].name, "wave"),))
        )


def _exported(kind: str) -> Files:
    with TemporaryDirectory() as folder:
        root, target = Path(folder) / "library", Path(folder) / "out"
        _fill(root)
        with Library(root) as made:
            place = target if kind == "tables" else target / "made.pkl"
            target.mkdir()
            FORMATS[kind].write(Export(made, place, made.segments(limit=-1), made.recordings(limit=-1)))
        return _folder(target)


def _folder(root: Path, skip: tuple[str, ...] = ()) -> Files:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {
        path.relative_to(root).as_posix(): _content(path)
        for path in files
        if not any(word in path.name for word in skip)
    }


def _content(path: Path) -> Content:
    if path.suffix == ".json":
        return Content("json", json.loads(path.read_text(encoding="utf-8")))
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return Content("npz", {name: arrays[name] for name in arrays.files})
    if path.suffix == ".csv":
        return Content("text", path.read_text(encoding="utf-8"))
    if path.suffix == ".pkl":
        return Content("pickle", load_pickle(path))
    return Content("bytes", path.read_bytes())


def _bytes(content: Content) -> bytes:
    from benchmarks.fuzz.content import to_bytes

    return to_bytes(content)


def _plain(values: Any) -> Any:
    return json.loads(json.dumps(values))


def _card() -> ModelCard:
    act = ModelCard.load_text(shipped_models()["act"])
    actions = ("idle", "wave", "other")
    return replace(
        act,
        name="toy",
        actions=actions,
        logits=TensorSpec("logits", ("N", 3)),
        attention=(),
        embedding=None,
        parity=None,
        metrics={},
        decision=DecisionRules(1.0, dict.fromkeys(actions, 0.5), ("other",), {"wave": ("arms",)}),
    )


def _graph() -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    card = _card()
    joints = np.zeros((1, card.frames, len(card.skeleton), 2), np.float32)
    features = clip_features(joints, joints[..., 0], card.fps).shape[-1]
    weights = np.random.default_rng(0).standard_normal((card.frames * features, 3)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["features"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        ],
        "toy",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", card.frames, features])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(weights, "weights")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    content: bytes = made.SerializeToString()
    return content
