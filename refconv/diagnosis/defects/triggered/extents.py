"""Extents beyond what counters, grids, masks and offsets hold."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

import math
from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.triggered import images, parts, space
from refconv.diagnosis.defects.triggered.shapes import inputs_per_group, tail
from refconv.diagnosis.layer import ABSENT, Integers, Layer
from refconv.problem import OPERATIONS, ConvProblem

GRID = 2**16 - 1


class ImagesBeyondGridForward(Triggered):
    """Images beyond the 65535th are not computed."""

    bug = images.ImagesBeyond.of(limit=GRID)
    trigger = "there are more than 65535 images"
    usually = "images are the grid's y or z, which end there: loop over them within the kernel."
    source = "https://github.com/tensorflow/tensorflow/issues/9870"
    operations = ("forward",)
    example = "n65536c1i1x2-k1w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x1"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.batch > GRID


class ImagesBeyondGridOfGradient(Triggered):
    """Images beyond the 65535th are not added."""

    bug = images.ImagesBeyond.of(limit=GRID)
    trigger = "there are more than 65535 images"
    usually = "images are counted in 16 bits by the gradient's kernel alone."
    source = "https://github.com/pytorch/pytorch/issues/96225"
    operations = ("grad_weight",)
    example = "n65536c1i1x2-k1w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x1"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.batch > GRID


class BatchTailSkipped(Triggered):
    """Images beyond the last multiple of 32 are not computed."""

    bug = images.ImageTailSkipped
    trigger = "there are more than 32 images, no multiple of it"
    usually = "the batch is the fastest axis, and its last, partial block is dropped."
    source = "https://github.com/NervanaSystems/neon/issues/361"
    operations = OPERATIONS
    example = "n33c1i2x3-k2w1x2-s1x1-d1x1-p0+0x0+0-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return tail(problem.batch, 32) > 0


class PixelNumberInEightBits(Triggered):
    """Pixel number i of a plane is read from i mod 256."""

    bug = space.PixelsWrapped
    trigger = "an image has more than 256 pixels"
    usually = "the offset within a plane is an 8-bit integer."
    source = "loop counters of 8 bits in firmware and hardware layers"
    example = "n1c2i16x17-k2w2x3-s1x1-d1x1-p0+0x1+0-g1-o15x16"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.input_size[0] * problem.input_size[1] > 2**8


class _ColumnInEightBits(Layer):
    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        return np.where(taps >= 0, taps % 2**8, taps)


class ColumnInEightBits(Triggered):
    """Rows and columns beyond the 256th are read from the beginning of their axis."""

    bug = _ColumnInEightBits
    trigger = "the image is higher or wider than 256"
    usually = "a row or column is counted in 8 bits."
    source = "loop counters of 8 bits in firmware and hardware layers"
    example = "n1c2i1x258-k2w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x257"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return max(problem.input_size) > 2**8


class ChannelInEightBits(Triggered):
    """Input channels beyond the 255th are not added."""

    bug = parts.InputsBeyond.of(limit=2**8 - 1)
    trigger = "C/G is above 255"
    usually = "the number of channels is held in 8 bits of a descriptor."
    source = "hardware descriptors with 8 bits for the number of channels"
    example = "n1c257i1x2-k2w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return inputs_per_group(problem) > 2**8 - 1


class OffsetInSixteenBits(Triggered):
    """Element i of x is read from i mod 65536."""

    bug = parts.OffsetsWrapped
    trigger = "x has more than 65536 elements"
    usually = "offsets into x are 16-bit integers."
    source = "16-bit offsets in microcontroller kernels"
    operations = ("forward", "grad_weight")
    example = "n1c1i2x32770-k2w1x1-s1x3-d1x1-p0+0x0+0-g1-o2x10924"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return math.prod(problem.x_shape) > 2**16


class _SignedOffset(Layer):
    def pixels(self, problem: ConvProblem) -> Integers:
        table = super().pixels(problem)
        return np.where(table < 2**15, table, ABSENT)


class PixelNumberInSignedSixteenBits(Triggered):
    """Pixels of a plane beyond the 32768th are taken for padding."""

    bug = _SignedOffset
    trigger = "an image has more than 32768 pixels"
    usually = "the offset within a plane is a signed 16-bit integer, and negative offsets are thought to be padding."
    source = "16-bit offsets in microcontroller kernels"
    example = "n1c1i1x32770-k2w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x32770"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.input_size[0] * problem.input_size[1] > 2**15


class TapMaskOfThirtyTwoBits(Triggered):
    """Taps, counted row after row, are not used beyond the 32nd."""

    bug = space.FlatTapsBeyond
    trigger = "the kernel has more than 32 taps"
    usually = "which taps lie within the image is held in a mask of 32 bits."
    source = "GPU iterators with one 32-bit mask for the taps"
    example = "n1c1i6x8-k2w5x7-s1x1-d1x1-p0+0x1+0-g1-o2x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.kernel_size[0] * problem.kernel_size[1] > 32


class ColumnsBeyondThreads(Triggered):
    """Output columns beyond the 1024th are not computed."""

    bug = space.OutputsAfter.of(limit=1024)
    trigger = "oW is above 1024"
    usually = "each column has a thread of one block, of which there are at most 1024."
    source = "first CUDA kernels: one thread per column"
    operations = OPERATIONS
    example = "n1c1i1x1026-k2w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x1025"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.output_size[1] > 1024
