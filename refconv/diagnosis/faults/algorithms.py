"""Fast algorithms, taken where an ordinary sum is promised."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import scipy.fft

from refconv.diagnosis.faults.base import Array, Fault, Work, rounded
from refconv.problem import ConvProblem

# Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308), section 4.
F2 = (
    [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
    [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]],
    [[1, 1, 1, 0], [0, 1, -1, -1]],
)
F4 = (
    [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0],
     [0, 4, 0, -5, 0, 1]],
    [[1 / 4, 0, 0], [-1 / 6] * 3, [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6],
     [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]],
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
)  # fmt: skip


def winograd(x: Array, weight: Array, problem: ConvProblem, matrices: Any, element: Any) -> Array:
    """Convolve by F(m x m, 3 x 3), with transformed tensors rounded to a format; one group, stride 1."""
    image, kernel, out = (np.array(matrix, x.dtype) for matrix in matrices)
    m, (oH, oW) = len(out), problem.output_size
    (top, _), (left, _) = problem.padding
    rows, cols = -(-oH // m), -(-oW // m)
    N, C, H, W = x.shape
    padded = np.zeros((N, C, max(rows * m + 2, top + H), max(cols * m + 2, left + W)), x.dtype)
    padded[:, :, top : top + H, left : left + W] = x
    tiles = np.lib.stride_tricks.sliding_window_view(padded, (m + 2, m + 2), (2, 3))[:, :, ::m, ::m][:, :, :rows, :cols]
    V = rounded(np.einsum("ai,ncrsij,bj->ncrsab", image, tiles, image), element)
    U = rounded(np.einsum("ai,kcij,bj->kcab", kernel, weight, kernel), element)
    M = np.einsum("ncrsab,kcab->nkrsab", V, U)
    y = np.einsum("ai,nkrsij,bj->nkrasb", out, M, out)
    whole: Array = y.reshape(N, len(weight), rows * m, cols * m)[:, :, :oH, :oW]
    return whole


def suits_winograd(work: Work) -> bool:
    """Say whether F(m, 3) can be used at all."""
    problem = work.problem
    plain = problem.kernel_size == (3, 3) and problem.stride == problem.dilation == (1, 1) and problem.groups == 1
    return plain and work.operation == "forward" and min(problem.y_shape + problem.x_shape) > 0


class WinogradInFloat16(Fault):
    """Float16 3x3 kernels with eight channels or more go through F(2, 3) with float16 transforms."""

    usually = "the transforms add up to four values and lose the bits for it: transform in float32, or do not."
    source = "https://github.com/ROCm/rocm-libraries/issues/3508"

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        if b is None or not suits_winograd(work) or work.element.name != "float16" or work.problem.in_channels < 8:
            return super().sums(a, b, work)
        return winograd(a, b, work.problem, F2, np.float16)


class WinogradOfLargeTiles(Fault):
    """Float32 3x3 kernels on images of six rows or more go through F(4, 3)."""

    usually = "the transforms amplify errors, and mix NaN and infinities into the whole tile: say so, or leave it."
    source = "https://github.com/tensorflow/tensorflow/issues/45974"

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        small = work.element.name != "float32" or min(work.problem.input_size) < 6
        if b is None or not suits_winograd(work) or small:
            return super().sums(a, b, work)
        return winograd(a, b, work.problem, F4, np.float32)


class FftForLargeKernels(Fault):
    """Float32 kernels of five rows and columns or more are multiplied in the Fourier domain."""

    usually = "an FFT spreads the error of the largest value, and every NaN, over the whole image."
    source = "convolution libraries with FFT algorithms (cuDNN's CUDNN_CONVOLUTION_FWD_ALGO_FFT, MIOpen's fft)"

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        problem = work.problem
        plain = problem.stride == problem.dilation == (1, 1) and problem.groups == 1 and work.element.name == "float32"
        fits = min(problem.kernel_size) >= 5 and work.operation == "forward" and min(problem.y_shape + a.shape) > 0
        if b is None or not plain or not fits:
            return super().sums(a, b, work)
        size = tuple(n + k - 1 for n, k in zip(problem.input_size, problem.kernel_size, strict=True))
        spectrum = np.einsum("nchw,kchw->nkhw", *(scipy.fft.rfft2(t, size) for t in (a, b[..., ::-1, ::-1])))
        full = scipy.fft.irfft2(spectrum, size)
        wide = np.pad(full, ((0, 0), (0, 0), *problem.padding))  # then the first kernel - 1 rows are cut off
        kH, kW = problem.kernel_size
        oH, oW = problem.output_size
        return wide[:, :, kH - 1 : kH - 1 + oH, kW - 1 : kW - 1 + oW].astype(a.dtype)


class ThreeBfloat16InPlaceOfFloat32(Fault):
    """Float32 factors are taken apart into three bfloat16 numbers, also infinities and the largest numbers."""

    usually = "inf - inf is NaN: the second part of an infinity must be zero."
    source = "emulated float32 products on bfloat16 matrix units (three parts, six products)"
    operations = ("forward", "grad_input", "grad_weight")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if work.element.name != "float32" or name == "bias" or work.operation == "grad_bias":
            return read
        first = rounded(read, ml_dtypes.bfloat16)
        second = rounded(read - first, ml_dtypes.bfloat16)
        return first + second + rounded(read - first - second, ml_dtypes.bfloat16)
