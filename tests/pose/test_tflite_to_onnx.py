"""TFLite to ONNX, operator by operator: against ai-edge-litert where it is installed, and against plain numpy."""

import zipfile

import cv2
import numpy as np
import pytest
from tflite_files import one_operator

from pose.demo import DemoSource
from pose.errors import PoseModelError
from pose.model_asset import DETECTOR, LANDMARKS
from pose.onnx_session import cpu_session
from pose.tflite_file import Level, Sparsity, read_tflite
from pose.tflite_to_onnx import convert, dense

RNG = np.random.default_rng(3)
SAME, VALID = 0, 1
_IMAGE = (1, 6, 7, 3)


def floats(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def conv(padding, stride, activation=0, dilation=1):
    return (
        *((0, "byte", padding), (1, "int", stride), (2, "int", stride), (3, "byte", activation)),
        *((4, "int", dilation), (5, "int", dilation)),
    )


def depthwise(padding, stride):
    return ((0, "byte", padding), (1, "int", stride), (2, "int", stride), (3, "int", 1), (4, "byte", 1))


def pool(padding):
    return ((0, "byte", padding), (1, "int", 2), (2, "int", 2), (3, "int", 2), (4, "int", 2))


PADS = np.array([[0, 0], [1, 2], [0, 1], [0, 2]], np.int32)
# Code, inputs, shape of the output, options and their kind in the schema.
CASES = {
    "conv same stride 2, relu": (3, [_IMAGE, floats(4, 3, 3, 3), floats(4)], (1, 3, 4, 4), conv(SAME, 2, 1), 1),
    "conv valid, relu6": (3, [_IMAGE, floats(4, 3, 3, 3), floats(4)], (1, 4, 5, 4), conv(VALID, 1, 3), 1),
    "conv dilated": (3, [_IMAGE, floats(2, 3, 3, 3), floats(2)], (1, 6, 7, 2), conv(SAME, 1, 0, 2), 1),
    "depthwise same stride 2": (4, [_IMAGE, floats(1, 5, 5, 3), floats(3)], (1, 3, 4, 3), depthwise(SAME, 2), 2),
    "depthwise same": (4, [_IMAGE, floats(1, 3, 3, 3), floats(3)], (1, 6, 7, 3), depthwise(SAME, 1), 2),
    "add a constant for each channel": (0, [_IMAGE, floats(3)], _IMAGE, (), 11),
    "max pool": (17, [(1, 6, 8, 3)], (1, 3, 4, 3), pool(VALID), 5),
    "max pool same": (17, [_IMAGE], (1, 3, 4, 3), pool(SAME), 5),
    "pad": (34, [_IMAGE, PADS], (1, 9, 8, 5), (), 22),
    "resize to half pixels": (23, [_IMAGE, np.array([12, 14], np.int32)], (1, 12, 14, 3), ((3, "bool", True),), 15),
    "resize": (23, [_IMAGE, np.array([12, 14], np.int32)], (1, 12, 14, 3), (), 15),
    "depth to space": (5, [(1, 3, 4, 12)], (1, 6, 8, 3), ((0, "int", 2),), 94),
    "reshape": (22, [_IMAGE, np.array([1, 42, 3], np.int32)], (1, 42, 3), (), 17),
    "logistic": (14, [_IMAGE], _IMAGE, (), 0),
    "concatenation": (2, [_IMAGE, floats(*_IMAGE)], (1, 6, 7, 6), ((0, "int", 3),), 10),
}


def run(content, image):
    return cpu_session(convert(content, {0: "out"})).run(["out"], {"image": image.transpose(0, 3, 1, 2)})[0]


@pytest.mark.parametrize("name", CASES)
def test_an_operator_gives_what_litert_gives(name):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="needs ai-edge-litert")
    code, inputs, output, options, kind = CASES[name]
    content = one_operator(code, inputs, output, options, kind)
    image = floats(*inputs[0])
    reference = interpreter.Interpreter(model_content=content, num_threads=1)
    reference.allocate_tensors()
    reference.set_tensor(reference.get_input_details()[0]["index"], image)
    reference.invoke()
    np.testing.assert_allclose(
        run(content, image), reference.get_tensor(reference.get_output_details()[0]["index"]), atol=2e-5
    )


@pytest.mark.parametrize("name", CASES)
def test_shapes_are_those_of_the_file_for_any_batch(name):
    code, inputs, output, options, kind = CASES[name]
    if name == "concatenation":  # with a constant of one picture
        return
    content = one_operator(code, inputs, output, options, kind)
    images = floats(2, *inputs[0][1:])
    both = run(content, images)
    assert both.shape == (2, *output[1:])
    np.testing.assert_allclose(both[1:], run(content, images[1:]), atol=1e-5)


def plain_conv(image, weights, bias, stride, pads):
    padded = np.pad(image[0], ((pads[0], pads[2]), (pads[1], pads[3]), (0, 0)))
    _, kernel_y, kernel_x, _ = weights.shape
    rows = range(0, padded.shape[0] - kernel_y + 1, stride)
    columns = range(0, padded.shape[1] - kernel_x + 1, stride)
    made = [
        [np.tensordot(padded[y : y + kernel_y, x : x + kernel_x], weights, ([0, 1, 2], [1, 2, 3])) for x in columns]
        for y in rows
    ]
    return np.array(made)[None] + bias


def test_a_strided_convolution_pads_more_behind_than_before():
    code, inputs, output, options, kind = CASES["conv same stride 2, relu"]
    image = floats(*_IMAGE)
    found = run(one_operator(code, inputs, output, options, kind), image)
    # 6 rows to 3 by a kernel of 3 in steps of 2: (3 - 1) * 2 + 3 - 6 = 1 row, behind; 7 columns to 4: 2, one each side.
    expected = np.maximum(plain_conv(image, inputs[1], inputs[2], 2, (0, 1, 1, 1)), 0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_depth_to_space_takes_channels_in_the_order_of_the_file():
    code, inputs, output, options, kind = CASES["depth to space"]
    image = floats(*inputs[0])
    blocks = image.reshape(1, 3, 4, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(output)
    np.testing.assert_array_equal(run(one_operator(code, inputs, output, options, kind), image), blocks)


def test_a_reshape_reads_channels_last():
    code, inputs, output, options, kind = CASES["reshape"]
    image = floats(*_IMAGE)
    np.testing.assert_array_equal(run(one_operator(code, inputs, output, options, kind), image), image.reshape(output))


def test_a_sparse_constant_with_blocks_becomes_whole():
    whole = np.array([[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 5, 6], [0, 0, 7, 8]], np.float32)
    # Blocks of 2 x 2: rows of blocks all there, columns of blocks compressed.
    levels = (
        Level(2, None, None),
        Level(2, np.array([0, 1, 2]), np.array([0, 1])),
        Level(2, None, None),
        Level(2, None, None),
    )
    made = dense(np.arange(1, 9, dtype=np.float32), Sparsity((0, 1, 2, 3), (0, 1), levels), (4, 4))
    np.testing.assert_array_equal(made, whole)


def test_what_is_no_model_or_unknown_is_one_line():
    for content in (b"", b"something else", b"\x10\0\0\0TFL3" + bytes(40)):
        with pytest.raises(PoseModelError, match="give another bundle") as error:
            read_tflite(content)
        assert "\n" not in str(error.value)
    with pytest.raises(PoseModelError, match="operator 99"):
        read_tflite(one_operator(99, [_IMAGE], _IMAGE))


@pytest.mark.parametrize(
    ("member", "side", "outputs", "tolerances"),
    [
        (DETECTOR, 224, {0: "boxes", 1: "scores"}, (0.01, 1e-4)),
        (LANDMARKS, 256, {0: "landmarks", 1: "presence"}, (0.01, 1e-4)),
    ],
)
def test_a_whole_network_gives_what_litert_gives(bundle, member, side, outputs, tolerances):
    """Within .01 px and 1e-4 of the score."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="needs ai-edge-litert")
    with zipfile.ZipFile(bundle) as archive:
        content = archive.read(member)
    session = cpu_session(convert(content, outputs))
    reference = interpreter.Interpreter(model_content=content, num_threads=1)
    reference.allocate_tensors()
    bgr = DemoSource(paced=False).read().bgr[60:420, 140:500]
    for turn in range(3):
        turned = np.rot90(bgr, turn) if turn < 2 else bgr[:, ::-1]
        image = cv2.resize(np.ascontiguousarray(turned), (side, side))[None].astype(np.float32) / 255
        reference.set_tensor(reference.get_input_details()[0]["index"], image)
        reference.invoke()
        found = session.run(list(outputs.values()), {"image": np.ascontiguousarray(image.transpose(0, 3, 1, 2))})
        details = reference.get_output_details()
        expected = [reference.get_tensor(details[place]["index"]) for place in outputs]
        if member == LANDMARKS:  # the places alone; a depth beside them is not used
            found[0], expected[0] = (value.reshape(39, 5)[:, :2] for value in (found[0], expected[0]))
        assert np.abs(found[0] - expected[0]).max() < tolerances[0]
        if member == DETECTOR:  # these are logits
            found[1], expected[1] = (1 / (1 + np.exp(-value.astype(np.float64))) for value in (found[1], expected[1]))
        assert np.abs(found[1] - expected[1]).max() < tolerances[1]
