"""Gradient x input in PyTorch, to compare the methods of live recognition with."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from recognizer.clips import Clip
from recognizer.features import CHANNELS, clip_features

Array = NDArray[np.float32]


def gradient_times_input(network: nn.Module, clip: Clip, action: int) -> Array:
    """How much each joint at each frame (T, V) speaks for an action of a Deployed network.

    The gradient of the action's log odds by each feature, times the feature, summed over a joint's channels (Shrikumar
    et al., Learning Important Features Through Propagating Activation Differences, ICML 2017, section 2).
    """
    features = torch.from_numpy(clip_features(clip.xy_px[None], clip.confidence[None], clip.fps)).requires_grad_()
    log_p = network(features).log_softmax(dim=1)[0]
    others = torch.cat([log_p[:action], log_p[action + 1 :]]).logsumexp(dim=0)
    (gradient,) = torch.autograd.grad(log_p[action] - others, features)
    product = (gradient * features.detach())[0].view(len(clip.xy_px), -1, len(CHANNELS))
    return product.sum(dim=2).numpy()
