"""Layers with a flaw, as users write them, for the hunt."""

import numpy as np

import refconv
from refconv.reference import im2col


def conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Lose the last of 17, 33, 49 ... channels."""
    weight = np.array(weight)
    weight[:, 16::16][:, -1:] *= weight.shape[1] % 16 != 1
    return refconv.conv2d(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


class WritesToItsInput:
    def forward(self, x, weight, bias, problem):
        y = im2col.forward(x, weight, bias, problem)
        x *= problem.in_channels != 3
        return y


class KeepsItsBuffer:
    def __init__(self):
        self.buffers = {}

    def forward(self, x, weight, bias, problem):
        y = im2col.forward(x, weight, bias, problem)
        buffer = self.buffers.setdefault((y.shape, y.dtype), np.empty_like(y))
        buffer[...] = y
        return buffer


class KeepsItsWeights:
    def __init__(self):
        self.weights = {}

    def forward(self, x, weight, bias, problem):
        return im2col.forward(x, self.weights.setdefault(weight.shape, weight), bias, problem)


class IgnoresStrides:
    def forward(self, x, weight, bias, problem):
        if problem.kernel_size[0] != 2:
            return im2col.forward(x, weight, bias, problem)
        memory = x if x.base is None else x.base
        contiguous = np.lib.stride_tricks.as_strided(memory.ravel(), x.shape, np.ascontiguousarray(x).strides)
        return im2col.forward(np.array(contiguous), weight, bias, problem)


class RefusesWideKernels:
    def forward(self, x, weight, bias, problem):
        if problem.kernel_size[1] > 6:
            raise ValueError("too wide")
        return im2col.forward(x, weight, bias, problem)


class SupportsNothing:
    def forward(self, x, weight, bias, problem):
        raise NotImplementedError
