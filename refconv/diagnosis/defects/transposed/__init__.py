"""Defect models of transposed convolutions, for any number of axes.

Beside what they share with convolutions (a flipped kernel, a lost stride), they have bugs of their own: output_padding,
the cut of the output, kernels that overlap, weights whose first axis is the input channel.
"""

from types import ModuleType

from refconv.diagnosis.defects.transposed import channels, gradients, output_padding, overlap, places
from refconv.diagnosis.defects.transposed.base import TransposedDefect, TransposedLayer

TRANSPOSED_FAMILIES: tuple[ModuleType, ...] = (places, output_padding, overlap, channels, gradients)

__all__ = ["TRANSPOSED_FAMILIES", "TransposedDefect", "TransposedLayer"]
