"""Convolution as functions, in PyTorch's words: computed by a reference, or exactly."""

from refconv.functional.calls import METHODS, Gradients
from refconv.functional.images import conv2d, conv2d_backward, exact_conv2d
from refconv.functional.signals import conv1d, conv1d_backward, exact_conv1d
from refconv.functional.volumes import conv3d, conv3d_backward, exact_conv3d

__all__ = [
    "METHODS",
    "Gradients",
    "conv1d",
    "conv1d_backward",
    "conv2d",
    "conv2d_backward",
    "conv3d",
    "conv3d_backward",
    "exact_conv1d",
    "exact_conv2d",
    "exact_conv3d",
]
