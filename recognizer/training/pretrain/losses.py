"""The loss of pretraining: cross entropy of the classes of displacements, global translation and joints apart."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import cross_entropy

from recognizer.training.pretrain.targets import Reading

GLOBAL_WEIGHT = 0.05  # of the published code; the paper has none


def mpdp_loss(
    logits: tuple[Tensor, Tensor | None],
    targets: tuple[Tensor, Tensor],
    global_tokens: Sequence[int],
    reading: Reading = "code",
    global_translation: bool = True,
) -> dict[str, Tensor]:
    """`loss` and its parts. logits: (R, I, J, K) for direction and magnitude, of real frames; targets: (R, I, J).

    "code": the published loss, in which the global part is that of the first interval, weighs 0.05, and the global
    tokens of the other intervals count among the joints. "paper": the global part is that of all intervals and weighs
    as much as the joints. Without global_translation its tokens count nowhere.
    """
    weight = GLOBAL_WEIGHT if reading == "code" else 1.0
    parts: dict[str, Tensor] = {}
    for name, found, target in zip(("direction", "magnitude"), logits, targets, strict=True):
        if found is None:
            continue
        is_global = target.new_zeros(target.shape[1:]).bool()  # (I, J)
        is_global[:, list(global_tokens)] = True
        counted = ~is_global
        if global_translation:
            if reading == "code":
                is_global[1:] = False
            counted = ~is_global
            parts[f"{name}_global"] = cross_entropy(
                found[:, is_global].flatten(0, 1).float(), target[:, is_global].flatten()
            )
        parts[f"{name}_joints"] = cross_entropy(found[:, counted].flatten(0, 1).float(), target[:, counted].flatten())
    total = sum((weight if name.endswith("global") else 1.0) * part for name, part in parts.items())
    return {"loss": total, **parts}  # type: ignore[dict-item]
