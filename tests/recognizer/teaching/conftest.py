"""A small base to teach on, for all tests of teaching."""

import pytest
from teaching_examples import write_base
from toy_recognizer import FRAMES

from pose.skeleton import MPOSE_13
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.windows import Shape


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("base") / "toy")


@pytest.fixture(scope="session")
def base(base_folder):
    recognizer = OnnxRecognizer(base_folder, "cpu")
    yield recognizer
    recognizer.close()


@pytest.fixture(scope="session")
def shape(base):
    return Shape(FRAMES, base.fps, MPOSE_13)
