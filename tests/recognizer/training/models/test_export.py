"""Every network as ONNX: the logits of torch in ONNX Runtime, for any number of clips."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
import onnxruntime as ort  # noqa: E402

from recognizer.training.models.act import Act, ActConfig  # noqa: E402
from recognizer.training.models.ensemble import Ensemble  # noqa: E402
from recognizer.training.models.inside import FromFeatures  # noqa: E402
from recognizer.training.models.st_gcn import StGcn, StGcnConfig, StGcnTwoStream  # noqa: E402
from recognizer.training.models.st_tr import StTr, StTrConfig, StTrFusion  # noqa: E402

SMALL_GCN = {"widths": (8, 12), "strides": (1, 2)}
SMALL_TR = {"channels": 6, "outputs": 5, "width": 16, "heads": 4}
EXTRAS = {"relative": True, "skeleton_bias": True, "padding": "replicate"}
MORE = {"relative": True, "adaptive": True, "bones": True}


def st_tr(**more):
    return StTr(StTrConfig(**SMALL_TR, **more))


class WithAttention(torch.nn.Module):
    """Attention as further outputs."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, features):
        found = self.network.inside(features)
        return found.logits, *found.attention.values()


NETWORKS = {
    "act": lambda: WithAttention(Act(ActConfig(78, 5, layers=2))),
    "act of fewer frames": lambda: Act(ActConfig(78, 5, frames=40, layers=1, gelu="tanh")),
    "ensemble": lambda: Ensemble([Act(ActConfig(78, 5, layers=1)) for _ in range(3)]),
    "st-gcn": lambda: FromFeatures(StGcnTwoStream(StGcnConfig(6, 5, **SMALL_GCN)), 13),
    "st-gcn replicate": lambda: FromFeatures(StGcn(StGcnConfig(6, 5, padding="replicate", **SMALL_GCN)), 13),
    "st-tr": lambda: WithAttention(FromFeatures(StTrFusion(st_tr(**EXTRAS), st_tr(kind="t-tr", **MORE)), 13)),
}


def exported(network) -> bytes:
    names = [f"out{place}" for place in range(len(outputs_of(network, torch.zeros(1, 30, 78))))]
    program = torch.onnx.export(
        network,
        (torch.randn(2, 30, 78),),
        input_names=["features"],
        output_names=names,
        dynamic_shapes=({0: torch.export.Dim("N", min=1, max=4096)},),
        opset_version=20,
        dynamo=True,
        optimize=True,
        verbose=False,
    )
    return program.model_proto.SerializeToString()


def outputs_of(network, features):
    with torch.inference_mode():
        outputs = network(features)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def warmed(network):
    """In eval mode, with the statistics of a batch in its norms."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(8, 30, 78))
    return network.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_runtime_gives_the_logits_of_torch(name):
    torch.manual_seed(0)
    network = warmed(NETWORKS[name]())
    session = ort.InferenceSession(exported(network), providers=["CPUExecutionProvider"])
    for count in (1, 2, 5):
        features = torch.randn(count, 30, 78)
        found = session.run(None, {"features": features.numpy()})
        for ours, theirs in zip(outputs_of(network, features), found, strict=True):
            scale = max(1.0, float(ours.abs().max()))
            np.testing.assert_allclose(theirs / scale, ours.numpy() / scale, atol=1e-4)
