"""Strides and offsets that are not looked at: right for dense C-contiguous tensors alone."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

import math

import numpy as np

from refconv.diagnosis.faults.base import Array, Fault, Work


def memory_behind(tensor: Array, count: int) -> Array:
    """Return ``count`` elements as they lie in memory from a tensor's first one on, zeros beyond its allocation.

    Examples
    --------
    >>> memory_behind(np.arange(6).reshape(2, 3).T[1:], 4).tolist()
    [1, 2, 3, 4]
    """
    root = tensor
    while isinstance(root.base, np.ndarray) and root.base.dtype == tensor.dtype:
        root = root.base
    memory = root.ravel(order="K")
    skipped = tensor.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    taken = memory[skipped // tensor.itemsize :][:count]
    return np.pad(taken, (0, count - taken.size))


def as_if_dense(tensor: Array) -> Array:
    """Return what a program sees that takes a tensor for C-contiguous."""
    return memory_behind(tensor, tensor.size).reshape(tensor.shape)


def _channels_last(tensor: Array) -> bool:
    """Say whether channels lie next to each other, with steps between the pixels."""
    return tensor.ndim == 4 and tensor.strides[1] == tensor.itemsize and tensor.strides[3] > tensor.itemsize


class WeightStridesIgnored(Fault):
    """The weights are read from dense memory, whatever their strides."""

    usually = "a check for contiguous weights is missing: copy them, or honour the strides."
    source = "https://github.com/pytorch/pytorch/issues/1246"
    operations = ("forward", "grad_input")
    shows_by = "layout"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        return super().read(name, as_if_dense(tensor) if name == "weight" else tensor, work)


class TransposedWeightMisreadBackwards(Fault):
    """The gradient of the image reads the weights from dense memory; the forward pass honours their strides."""

    usually = "the backward pass transposes the weights itself and forgets that they may be a view already."
    source = "https://github.com/huggingface/candle/issues/3735"
    operations = ("grad_input",)
    shows_by = "layout"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        misread = name == "weight" and work.operation == "grad_input"
        return super().read(name, as_if_dense(tensor) if misread else tensor, work)


class ChannelSliceTakenForPacked(Fault):
    """Of a channels-last x only the strides of the channels are tested: a slice of channels is misread."""

    usually = "strides[1] == 1 is not channels-last: the pixels must lie C apart, too."
    source = "https://github.com/pytorch/pytorch/issues/180984"
    shows_by = "layout"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        if name == "x" and _channels_last(tensor):
            N, C, H, W = tensor.shape
            tensor = memory_behind(tensor, tensor.size).reshape(N, H, W, C).transpose(0, 3, 1, 2)
        return super().read(name, tensor, work)


class OffsetOfChannelsLastIgnored(Fault):
    """Views of channels-last memory are read from the beginning of the allocation."""

    usually = "the storage offset gets lost where a view is made channels-last again: add it to the pointer."
    source = "https://github.com/pytorch/pytorch/issues/174345"
    shows_by = "layout"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        if name == "x" and _channels_last(tensor) and isinstance(tensor.base, np.ndarray):
            memory = tensor.base.ravel(order="K")[: tensor.size]
            N, C, H, W = tensor.shape
            tensor = memory.reshape(N, H, W, C).transpose(0, 3, 1, 2)
        return super().read(name, tensor, work)


class GradOutputStridesIgnored(Fault):
    """The gradients of weights and bias read grad_output from dense memory."""

    usually = "grad_output is often a slice of something: make it contiguous in the backward pass."
    source = "https://github.com/pytorch/pytorch/pull/708"
    operations = ("grad_weight", "grad_bias")
    shows_by = "layout"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        misread = name == "grad_output" and work.operation in self.operations
        return super().read(name, as_if_dense(tensor) if misread else tensor, work)


class ExpandedGradOutputRead(Fault):
    """Along the last axis grad_output is read with stride one, also where it is one number spread out."""

    usually = "the gradient of a sum is a single element with strides of zero: pass the last stride, too."
    source = "https://github.com/fla-org/flash-linear-attention/pull/1139"
    operations = ("grad_input",)
    shows_by = "layout"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        if name == "grad_output" and work.operation == "grad_input" and tensor.ndim and tensor.strides[-1] == 0:
            rows = [memory_behind(tensor[index], tensor.shape[-1]) for index in np.ndindex(tensor.shape[:-1])]
            tensor = np.array(rows, tensor.dtype).reshape(tensor.shape)
        return super().read(name, tensor, work)


class OneChannelIsAmbiguous(Fault):
    """Weights of one input channel with the strides of channels-last make y be written channels last."""

    usually = "with an axis of length one both layouts are true at once: decide by x and weight together."
    source = "https://github.com/pytorch/pytorch/issues/82060"
    shows_by = "layout"

    def forward(self, x: Array, weight: Array, *others, **keywords) -> Array:  # type: ignore[no-untyped-def]
        y = super().forward(x, weight, *others, **keywords)
        one = weight.shape[1] == 1 and math.prod(weight.shape[2:]) > 1 and weight.strides[1] == weight.itemsize
        return np.moveaxis(y, 1, -1).reshape(y.shape) if one else y


class StridesOfSingletonsTrusted(Fault):
    """Images are found by the stride of their rows, also where they have only one and its stride means nothing."""

    usually = "the stride of an axis of length one is arbitrary: never compute addresses with it."
    source = "https://github.com/pytorch/pytorch/issues/195394"
    shows_by = "layout"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        if name == "x" and tensor.ndim == 4 and tensor.shape[2] == 1 and tensor.size:
            pitch, (N, C, H, W) = tensor.strides[2] // tensor.itemsize, tensor.shape
            memory = memory_behind(tensor, (N * C - 1) * max(pitch, 0) + W)
            at = np.arange(N * C)[:, None] * pitch + np.arange(W)
            tensor = memory[at.clip(0, memory.size - 1)].reshape(N, C, H, W)
        return super().read(name, tensor, work)


class FortranOrderMisread(Fault):
    """Tensors in Fortran order are handed to the kernel as they lie."""

    usually = "an array is passed on if it is contiguous at all: ask for C order."
    source = "hand-written layers: flags.contiguous or flags.forc in place of flags.c_contiguous"
    operations = ("forward", "grad_input", "grad_weight")
    shows_by = "layout"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        fortran = tensor.flags.f_contiguous and not tensor.flags.c_contiguous and name != "bias"
        return super().read(name, as_if_dense(tensor) if fortran else tensor, work)


class ReversedViewReadForwards(Fault):
    """Views that run backwards are read forwards from where their memory begins."""

    usually = "negative strides: the data pointer is that of the last element in memory."
    source = "hand-written layers: x[..., ::-1] passed as pointer and shape"
    shows_by = "layout"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        return super().read(name, tensor[..., ::-1] if tensor.ndim and tensor.strides[-1] < 0 else tensor, work)
