"""The pose model: found, built, damaged, offline. A fake pip stands in for the network."""

import hashlib
import re
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import flatbuffers
import pytest

from pose import model_asset
from pose.errors import PoseModelError
from pose.model_asset import DETECTOR, LANDMARKS, build_bundle, check_bundle, find_pose_model
from pose.tflite_metadata import append_metadata, image_landmark_metadata

WEIGHTS = bytes(range(256))


def tiny_model(*, metadata_name: str = "min_runtime_version", notes: int = 1) -> bytes:
    """A TFLite file with a buffer of weights, a note, one metadata entry and nothing else."""
    builder = flatbuffers.Builder(1024)

    def buffer(data: bytes) -> int:
        content = builder.CreateByteVector(data)
        builder.StartObject(1)
        builder.PrependUOffsetTRelativeSlot(0, content, 0)
        return builder.EndObject()

    def offsets(tables: list[int]) -> int:
        builder.StartVector(4, len(tables), 4)
        for table in reversed(tables):
            builder.PrependUOffsetTRelative(table)
        return builder.EndVector()

    buffers = offsets([buffer(b"2.2.0"), buffer(WEIGHTS), buffer(b"a note")])
    builder.StartVector(4, notes, 4)
    for number in range(3 - notes, 3)[::-1]:
        builder.PrependInt32(number)
    note_list = builder.EndVector()
    name = builder.CreateString(metadata_name)
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUint32Slot(1, 0, 7)  # 7: write the 0 although it is the default
    entries = offsets([builder.EndObject()])
    builder.StartObject(8)
    builder.PrependUOffsetTRelativeSlot(4, buffers, 0)
    builder.PrependUOffsetTRelativeSlot(5, note_list, 0)
    builder.PrependUOffsetTRelativeSlot(6, entries, 0)
    builder.Finish(builder.EndObject(), b"TFL3")
    return bytes(builder.Output())


def write_bundle(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as bundle:
        for name, data in members.items():
            bundle.writestr(name, data)
    return path


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A small stand-in for MediaPipe's wheel, with the hashes that belong to it; its folder is the fake index."""
    members = {inside: tiny_model() for inside, _ in model_asset._WHEEL_MEMBERS.values()}
    path = tmp_path / "mediapipe-0.10.21-cp311.whl"
    write_bundle(path, members)
    hashes = {
        name: (inside, hashlib.sha256(members[inside]).hexdigest())
        for name, (inside, _) in model_asset._WHEEL_MEMBERS.items()
    }
    monkeypatch.setattr(model_asset, "_WHEEL_MEMBERS", hashes)
    monkeypatch.setattr(model_asset, "MODEL_SHA256", hashlib.sha256(build_bundle(path)).hexdigest())
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    path = tmp_path / "cache" / model_asset.FILE_NAME
    monkeypatch.setattr(model_asset, "cached_path", lambda: path)
    monkeypatch.delenv(model_asset.ENVIRONMENT_VARIABLE, raising=False)
    return path


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """Put a program in pip's place; returns a function that sets it and the file that counts its runs."""
    calls = tmp_path / "calls"

    def become(body: str) -> Path:
        script = tmp_path / "pip.py"
        head = f"import shutil, sys, time\nopen({str(calls)!r}, 'a').write('x')\ntarget = sys.argv[-1]\n"
        script.write_text(head + body)
        monkeypatch.setattr(model_asset, "_pip", lambda: [sys.executable, str(script)])
        calls.write_text("")
        return calls

    become("sys.exit('pip must not be called')")
    return become


def serve(wheel: Path) -> str:
    return f"print('Downloading the wheel', flush=True)\nshutil.copy({str(wheel)!r}, target)\n"


def one_line(error: pytest.ExceptionInfo[PoseModelError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


class TestGivenBundle:
    def test_is_used_as_it_is(self, tmp_path, cache):
        path = write_bundle(tmp_path / "own.task", {DETECTOR: tiny_model(), LANDMARKS: tiny_model()})
        assert find_pose_model(path) == path
        assert not cache.parent.exists()

    def test_may_be_named_by_the_environment(self, tmp_path, cache, monkeypatch):
        path = write_bundle(tmp_path / "own.task", {DETECTOR: tiny_model(), LANDMARKS: tiny_model()})
        monkeypatch.setenv(model_asset.ENVIRONMENT_VARIABLE, str(path))
        assert find_pose_model() == path

    def test_option_goes_before_environment(self, tmp_path, cache, monkeypatch):
        path = write_bundle(tmp_path / "own.task", {DETECTOR: tiny_model(), LANDMARKS: tiny_model()})
        monkeypatch.setenv(model_asset.ENVIRONMENT_VARIABLE, str(tmp_path / "absent.task"))
        assert find_pose_model(path) == path

    def test_missing(self, tmp_path):
        with pytest.raises(PoseModelError) as error:
            find_pose_model(tmp_path / "absent.task")
        assert "absent.task cannot be read (no such file or directory)" in one_line(error)

    @pytest.mark.parametrize(
        "members", [{}, {DETECTOR: b"\0\0\0\0TFL3"}, {DETECTOR: b"\0\0\0\0TFL3", LANDMARKS: b"nothing like it"}]
    )
    def test_without_the_two_models_is_refused(self, tmp_path, members):
        path = write_bundle(tmp_path / "poor.task", members)
        with pytest.raises(PoseModelError) as error:
            check_bundle(path)
        assert "poor.task" in one_line(error)

    def test_that_is_no_zip_is_refused(self, tmp_path):
        path = tmp_path / "text.task"
        path.write_text("not a bundle")
        with pytest.raises(PoseModelError, match="not a Pose Landmarker bundle"):
            check_bundle(path)

    def test_with_a_flipped_bit_is_refused(self, tmp_path):
        path = write_bundle(tmp_path / "bits.task", {DETECTOR: tiny_model(), LANDMARKS: tiny_model()})
        data = bytearray(path.read_bytes())
        data[data.index(WEIGHTS) + 100] ^= 1
        path.write_bytes(data)
        with pytest.raises(PoseModelError, match="damaged"):
            check_bundle(path)


class TestBuilding:
    def test_builds_once_and_tells(self, wheel, cache, pip):
        calls, said = pip(serve(wheel)), []
        assert find_pose_model(progress=said.append) == cache
        assert said[0].startswith("downloading the pose model (36 MB), once")
        assert said[-1].startswith("the pose model is ready")
        check_bundle(cache)
        assert find_pose_model(progress=said.append) == cache
        assert calls.read_text() == "x"
        assert {path.name for path in cache.parent.iterdir()} == {cache.name, "pose_landmarker_full.lock"}

    def test_damaged_cache_is_built_again(self, wheel, cache, pip):
        pip(serve(wheel))
        find_pose_model()
        cache.write_bytes(cache.read_bytes()[:-100])
        said = []
        find_pose_model(progress=said.append)
        assert any("damaged" in line for line in said)
        assert hashlib.sha256(cache.read_bytes()).hexdigest() == model_asset.MODEL_SHA256

    def test_offline(self, cache, pip):
        pip("print('WARNING: retrying')\nprint('ERROR: No matching distribution found')\nsys.exit(1)")
        with pytest.raises(PoseModelError) as error:
            find_pose_model()
        text = one_line(error)
        assert "No matching distribution found" in text
        assert "--pose-model" in text
        assert not cache.exists()

    def test_offline_is_not_blamed_on_the_package(self, cache, pip):
        pip(
            "print(\"WARNING: Retrying after connection broken by 'NewConnectionError()': /simple/\")\n"
            "print('ERROR: No matching distribution found')\nsys.exit(1)"
        )
        with pytest.raises(PoseModelError, match="the package index cannot be reached"):
            find_pose_model()

    def test_index_that_never_answers_is_given_up(self, cache, pip, monkeypatch):
        monkeypatch.setattr(model_asset, "_ANSWER_TIMEOUT_S", 0.3)
        pip("time.sleep(60)")
        begin = time.monotonic()
        with pytest.raises(PoseModelError, match="no package index answers") as error:
            find_pose_model()
        one_line(error)
        assert time.monotonic() - begin < 20

    def test_slow_index_that_answers_is_waited_for(self, wheel, cache, pip, monkeypatch):
        monkeypatch.setattr(model_asset, "_ANSWER_TIMEOUT_S", 3.0)
        pip(
            "print('Downloading', flush=True)\nopen(target + '/part', 'wb').write(bytes(7_000_000))\ntime.sleep(3.5)\n"
            + serve(wheel)
        )
        said = []
        assert find_pose_model(progress=said.append) == cache
        # Looked at while it is written, the file can still be a part of its 7 MB.
        assert any(re.fullmatch(r"downloading the pose model: [567] of 36 MB", line) for line in said)

    def test_cancelled(self, cache, pip):
        pip("print('Downloading', flush=True)\ntime.sleep(60)")
        cancel = threading.Event()
        threading.Timer(0.3, cancel.set).start()
        begin = time.monotonic()
        with pytest.raises(PoseModelError, match="cancelled"):
            find_pose_model(cancel=cancel)
        assert time.monotonic() - begin < 20
        assert [path.name for path in cache.parent.iterdir()] == ["pose_landmarker_full.lock"]

    def test_two_at_once_download_once(self, wheel, cache, pip):
        calls = pip("time.sleep(0.5)\n" + serve(wheel))
        said: list[str] = []
        found: list[Path] = []
        threads = [
            threading.Thread(target=lambda: found.append(find_pose_model(progress=said.append))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert found == [cache, cache]
        assert calls.read_text() == "x"
        assert any("waiting for another process" in line for line in said)

    def test_wheel_with_other_models_is_refused(self, tmp_path, wheel, cache, pip):
        inside = [inside for inside, _ in model_asset._WHEEL_MEMBERS.values()]
        other = write_bundle(tmp_path / "mediapipe-other.whl", dict.fromkeys(inside, tiny_model() + b"!"))
        pip(serve(other))
        with pytest.raises(PoseModelError, match="not the official file"):
            find_pose_model()

    def test_wheel_that_is_no_zip_is_refused(self, tmp_path, cache, pip):
        other = tmp_path / "mediapipe-page.whl"
        other.write_text("<html>a captive portal</html>")
        pip(serve(other))
        with pytest.raises(PoseModelError, match="damaged or not the official wheel"):
            find_pose_model()

    def test_folder_that_cannot_be_written(self, tmp_path, pip, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setattr(model_asset, "cached_path", lambda: tmp_path / "file" / "sub" / "model.task")
        monkeypatch.delenv(model_asset.ENVIRONMENT_VARIABLE, raising=False)
        with pytest.raises(PoseModelError, match="cannot be kept"):
            find_pose_model()

    def test_without_pip(self, monkeypatch):
        monkeypatch.setattr(model_asset.importlib.util, "find_spec", lambda name: None)
        monkeypatch.setattr(model_asset.shutil, "which", lambda name: None)
        with pytest.raises(PoseModelError, match="pip, which is not installed"):
            model_asset._pip()

    def test_any_pip_will_do(self, monkeypatch):
        monkeypatch.setattr(model_asset.importlib.util, "find_spec", lambda name: None)
        monkeypatch.setattr(model_asset.shutil, "which", lambda name: f"/bin/{name}")
        assert model_asset._pip() == ["/bin/pip3"]


class TestCommand:
    def test_prints_the_path(self, wheel, cache, pip, capsys):
        pip(serve(wheel))
        assert model_asset.main([]) == 0
        out, err = capsys.readouterr()
        assert out == f"{cache}\n"
        assert "downloading" in err

    def test_interrupted(self, monkeypatch):
        def interrupt(**_):
            raise KeyboardInterrupt

        monkeypatch.setattr(model_asset, "find_pose_model", interrupt)
        assert model_asset.main([]) == 130

    def test_failure_is_one_line_and_status_2(self, tmp_path):
        environment = {model_asset.ENVIRONMENT_VARIABLE: str(tmp_path / "absent.task"), "PATH": ""}
        done = subprocess.run(
            [sys.executable, "-m", "pose.model_asset"],
            cwd=Path(__file__).resolve().parents[2],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 2
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert "absent.task" in done.stderr


class TestMetadata:
    def test_is_found_where_the_schema_says_and_nothing_else_moved(self):
        old = tiny_model()
        new = append_metadata(old, b"the metadata")
        root = flatbuffers.table.Table(bytearray(new), int.from_bytes(new[:4], "little"))
        buffers = root.Vector(root.Offset(12))

        def content(number: int) -> bytes:
            table = flatbuffers.table.Table(root.Bytes, root.Indirect(buffers + 4 * number))
            start, length = table.Vector(table.Offset(4)), table.VectorLen(table.Offset(4))
            return bytes(root.Bytes[start : start + length])

        entries = root.Vector(root.Offset(16))
        names = {}
        for i in range(root.VectorLen(root.Offset(16))):
            entry = flatbuffers.table.Table(root.Bytes, root.Indirect(entries + 4 * i))
            number = entry.Offset(6) and entry.Get(flatbuffers.number_types.Uint32Flags, entry.Pos + entry.Offset(6))
            names[entry.String(entry.Pos + entry.Offset(4))] = content(number)
        assert names == {b"min_runtime_version": b"2.2.0", b"TFLITE_METADATA": b"the metadata"}
        assert content(1) == WEIGHTS
        assert new.index(WEIGHTS) == old.index(WEIGHTS)
        assert len(new) % 16 == 0

    def test_twice_is_refused(self):
        with pytest.raises(ValueError, match="already"):
            append_metadata(tiny_model(metadata_name="TFLITE_METADATA"), b"")

    def test_needs_a_buffer_to_take(self):
        with pytest.raises(ValueError, match="no buffer"):
            append_metadata(tiny_model(notes=0), b"")

    def test_needs_a_model(self):
        with pytest.raises(ValueError, match="not a TFLite model"):
            append_metadata(b"something else entirely", b"")

    def test_says_how_to_scale_the_image(self):
        from mediapipe.tasks.metadata import metadata_schema_py_generated as schema

        data = image_landmark_metadata(("a", "b"))
        assert schema.ModelMetadata.ModelMetadataBufferHasIdentifier(data, 0)
        subgraph = schema.ModelMetadataT.InitFromObj(schema.ModelMetadata.GetRootAs(data, 0)).subgraphMetadata[0]
        (image,) = subgraph.inputTensorMetadata
        (unit,) = image.processUnits
        assert unit.optionsType == schema.ProcessUnitOptions.NormalizationOptions
        assert list(unit.options.mean) == [0.0]
        assert list(unit.options.std) == [255.0]
        assert image.content.contentProperties.colorSpace == schema.ColorSpaceType.RGB
        assert [output.name for output in subgraph.outputTensorMetadata] == [b"a", b"b"]
