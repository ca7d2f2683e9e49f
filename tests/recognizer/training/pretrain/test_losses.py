"""The loss of MPDP by hand, for both readings."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
from torch.nn.functional import cross_entropy  # noqa: E402

from recognizer.training.pretrain.pretraining import mpdp_loss  # noqa: E402

GENERATOR = torch.Generator().manual_seed(0)
DIRECTION, MAGNITUDE = (torch.randn(7, 3, 4, k, generator=GENERATOR) for k in (27, 16))  # R, I, J, K
TARGETS = tuple(torch.randint(0, k, (7, 3, 4), generator=GENERATOR) for k in (27, 16))
WAY = 1


def mean(logits, targets, entries):
    """Mean over rows and over (interval, token) pairs."""
    each = [cross_entropy(logits[:, i, j], targets[:, i, j], reduction="none") for i, j in entries]
    return torch.stack(each).mean()


ALL = [(i, j) for i in range(3) for j in range(4)]


def test_the_published_loss():
    first = [(0, WAY)]
    rest = [entry for entry in ALL if entry not in first]
    expected = sum(
        0.05 * mean(logits, targets, first) + mean(logits, targets, rest)
        for logits, targets in zip((DIRECTION, MAGNITUDE), TARGETS, strict=True)
    )
    torch.testing.assert_close(mpdp_loss((DIRECTION, MAGNITUDE), TARGETS, [WAY])["loss"], expected)


def test_the_papers_reading():
    way = [(i, WAY) for i in range(3)]
    rest = [entry for entry in ALL if entry not in way]
    found = mpdp_loss((DIRECTION, MAGNITUDE), TARGETS, [WAY], "paper")
    torch.testing.assert_close(found["direction_global"], mean(DIRECTION, TARGETS[0], way))
    torch.testing.assert_close(found["magnitude_joints"], mean(MAGNITUDE, TARGETS[1], rest))
    torch.testing.assert_close(found["loss"], sum(part for name, part in found.items() if name != "loss"))


@pytest.mark.parametrize("reading", ["code", "paper"])
def test_without_global_translation_and_magnitude(reading):
    found = mpdp_loss((DIRECTION, None), TARGETS, [WAY], reading, global_translation=False)
    assert set(found) == {"loss", "direction_joints"}
    rest = [entry for entry in ALL if entry[1] != WAY]
    torch.testing.assert_close(found["loss"], mean(DIRECTION, TARGETS[0], rest))
