"""Layers as people write them, each with a bug of its own."""

import re

import numpy as np

from refconv.diagnosis import diagnose


def conv_with_swapped_strides(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    sw, sh = stride
    pads = [pad if isinstance(pad, tuple) else (pad, pad) for pad in padding]
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    n, _, h, w = x.shape
    k, _, kh, kw = weight.shape
    oh, ow = (h - kh) // stride[0] + 1, (w - kw) // stride[1] + 1
    x = np.pad(x, [(0, 0), (0, 0), (0, oh * sh), (0, ow * sw)])
    y = np.zeros((n, k, oh, ow))
    for i in range(oh):
        for j in range(ow):
            patch = x[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            y[:, :, i, j] = np.tensordot(patch, weight, ((1, 2, 3), (1, 2, 3)))
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


class Im2colLayer:
    """Square stride, one padding, no groups; the overlaps of col2im are lost."""

    def indices(self, problem):
        s, p = problem.stride[0], problem.padding[0][0]
        plain = problem.padding == ((p, p), (p, p)) and problem.stride == (s, s)
        assert plain and problem.groups == 1 and problem.dilation == (1, 1), "not supported"  # noqa: PT018
        (oh, ow), (kh, kw) = problem.output_size, problem.kernel_size
        c = problem.in_channels
        channel = np.repeat(np.arange(c), kh * kw)[:, None]
        row = np.tile(np.repeat(np.arange(kh), kw), c)[:, None] + s * np.repeat(np.arange(oh), ow)
        column = np.tile(np.arange(kw), kh * c)[:, None] + s * np.tile(np.arange(ow), oh)
        return p, channel, row, column

    def forward(self, x, weight, bias, problem):
        p, channel, row, column = self.indices(problem)
        cols = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))[:, channel, row, column]
        y = weight.reshape(len(weight), -1) @ cols
        return y.reshape(problem.y_shape) + bias[:, None, None]

    def grad_input(self, grad_output, weight, problem):
        p, channel, row, column = self.indices(problem)
        n, c, h, w = problem.x_shape
        padded = np.zeros((n, c, h + 2 * p, w + 2 * p))
        cols = weight.reshape(len(weight), -1).T @ grad_output.reshape(n, len(weight), -1)
        padded[:, channel, row, column] += cols
        return padded[:, :, p : p + h, p : p + w]


class KeepsItsGradients:
    """Looks up a layer by the shape of its weights, and adds to the layer's gradient."""

    def __init__(self):
        self.buffers = {}

    def grad_bias(self, grad_output, problem):
        buffer = self.buffers.setdefault(problem.weight_shape, np.zeros(problem.out_channels))
        buffer += grad_output.sum(axis=0).sum(axis=(1, 2))
        return buffer


class CropsAtZero:
    """Right, but for the crop [p:-p] where p is zero."""

    def grad_input(self, grad_output, weight, problem):
        if problem.groups > 1 or problem.dilation != (1, 1):
            raise NotImplementedError("no groups, no dilation")
        sh, sw = problem.stride
        (top, bottom), (left, right) = problem.padding
        n, c, h, w = problem.x_shape
        gx = np.zeros((n, c, h + top + bottom, w + left + right))
        for i in range(problem.output_size[0]):
            for j in range(problem.output_size[1]):
                window = gx[:, :, i * sh : i * sh + weight.shape[2], j * sw : j * sw + weight.shape[3]]
                window += np.tensordot(grad_output[:, :, i, j], weight, 1)
        return gx[:, :, top:-bottom, left:-right]


def test_swapped_strides_in_a_loop():
    diagnosis = diagnose(conv_with_swapped_strides)
    assert diagnosis.defects == ("stride-axes-swapped",)
    assert "forward: stride-axes-swapped" in diagnosis.description


def test_lost_overlaps_in_col2im():
    diagnosis = diagnose(Im2colLayer())
    assert diagnosis.defects == ("grad-input-last-tap-wins",)
    assert "np.add.at" in diagnosis.description
    (reason,) = {item.reason for item in diagnosis.refused if not item.unsupported}
    assert re.fullmatch(r"AssertionError at test_strangers\.py:\d+: not supported", reason)


def test_a_gradient_kept_from_call_to_call():
    assert diagnose(KeepsItsGradients()).defects == ("gradients-accumulated",)


def test_a_crop_by_minus_zero():
    diagnosis = diagnose(CropsAtZero())
    assert diagnosis.defect is None
    assert "got (2, 7, 0, 0)" in diagnosis.description
    assert "Usually means: a crop [p:-p] at p = 0" in diagnosis.description
