"""Convolution as functions, in PyTorch's words: computed by a reference, or exactly."""

from refconv.functional.calls import METHODS, Gradients
from refconv.functional.images import conv2d, conv2d_backward, exact_conv2d
from refconv.functional.signals import conv1d, conv1d_backward, exact_conv1d
from refconv.functional.transposed_images import conv_transpose2d, conv_transpose2d_backward, exact_conv_transpose2d
from refconv.functional.transposed_signals import conv_transpose1d, conv_transpose1d_backward, exact_conv_transpose1d
from refconv.functional.transposed_volumes import conv_transpose3d, conv_transpose3d_backward, exact_conv_transpose3d
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
    "conv_transpose1d",
    "conv_transpose1d_backward",
    "conv_transpose2d",
    "conv_transpose2d_backward",
    "conv_transpose3d",
    "conv_transpose3d_backward",
    "exact_conv1d",
    "exact_conv2d",
    "exact_conv3d",
    "exact_conv_transpose1d",
    "exact_conv_transpose2d",
    "exact_conv_transpose3d",
]
