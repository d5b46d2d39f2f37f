"""What an earlier call leaves behind, first half: packed weights, plans, and arguments that are kept."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np

from refconv.diagnosis.faults.base import Array, Fault, Work
from refconv.problem import ConvProblem
from refconv.quantization import Quantization


class Keeping(Fault):
    """Something that remembers."""

    shows_by = "repeat"

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}


class PackedWeightsKeptByShape(Keeping):
    """The first weights of a shape are packed, and used for all later ones of that shape."""

    usually = "a primitive is cached together with its weights: key it by them, or bind them at each call."
    source = "https://github.com/tensorflow/tensorflow/pull/56150"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name != "weight" or work.operation != "forward":
            return read
        return np.array(self.kept.setdefault((work.problem, tensor.dtype), read))


class PackedWeightsKeptByAddress(Keeping):
    """Packed weights are found again by the weight array, although its contents may have changed."""

    usually = "an optimiser updates weights in place: an address is no key for contents."
    source = "https://github.com/ooples/AiDotNet.Tensors/pull/583"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name != "weight" or work.operation != "forward":
            return read
        return np.array(self.kept.setdefault(self.key(tensor), (tensor, read))[1])  # and keep it alive

    def key(self, tensor: Array) -> Any:
        return id(tensor)


class PackedWeightsKeptByTwoSamples(PackedWeightsKeptByAddress):
    """Packed weights are found again by their address and by their first and last element."""

    usually = "two samples do not tell whether weights have changed: compare all, or have updates announced."
    source = "https://github.com/pytorch/pytorch/pull/87197"

    def key(self, tensor: Array) -> Any:
        return (id(tensor), *(tensor.flat[[0, -1]].tolist() if tensor.size else ()))


class TapTableKept(Keeping):
    """The table of taps of an earlier problem is used again."""

    @abstractmethod
    def key(self, problem: ConvProblem) -> Any: ...

    def columns(self, x: Array, work: Work) -> Array:
        return super().columns(x, work._replace(problem=self.kept.setdefault(self.key(work.problem), work.problem)))


class PlanKeyLacksDilation(TapTableKept):
    """Plans are found again by the shapes and strides: the dilation is not in the key."""

    usually = "the key of a plan must hold all that the plan depends on: add the dilation."
    source = "hand-written layers: im2col indices kept by the shapes of x, weight and y"
    operations = ("forward", "grad_weight")

    def key(self, problem: ConvProblem) -> Any:
        return problem.x_shape, problem.weight_shape, problem.y_shape, problem.stride


class PlanKeyHasTotalPadding(TapTableKept):
    """Plans are found again by the sum of the paddings on both sides of an axis."""

    usually = "(1, 0) and (0, 1) give the same shapes: add begin and end of the padding to the key of a plan."
    source = "hand-written layers: im2col indices kept by the padded shape"
    operations = ("forward", "grad_weight")

    def key(self, problem: ConvProblem) -> Any:
        return replace(problem, padding=tuple((sum(pads), 0) for pads in problem.padding))


class ProgramKeyLacksGroups(Keeping):
    """Programs are found again by all but the number of groups."""

    usually = "a grouped layer meets the program of another grouping: add the groups to the hash."
    source = "https://github.com/tenstorrent/tt-metal/pull/48668"

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        problem = work.problem
        groups = self.kept.setdefault((work.operation, replace(problem, groups=1)), problem.groups)
        if work.operation != "forward" or groups == problem.groups or b is None:
            return super().sums(a, b, work)
        other = replace(problem, groups=groups)
        size = int(np.prod(other.weight_shape))
        memory = np.pad(b.ravel()[:size], (0, max(0, size - b.size)))
        return super().sums(a, memory.reshape(other.weight_shape), work._replace(problem=other))


class AlgorithmKeptByInputShape(Keeping):
    """The algorithm is chosen once for each shape of x: the one for 1x1 kernels is used for larger ones."""

    usually = "the cache of found algorithms is keyed by x alone: the shape of the weights belongs to it."
    source = "https://github.com/microsoft/onnxruntime/issues/21311"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name == "weight" and work.operation == "forward":
            pointwise = self.kept.setdefault((work.problem.x_shape, work.element), tensor.shape[2:] == (1, 1))
            if pointwise:
                read[:, :, 1:] = read[..., 1:] = 0
        return read


class PrecisionKeptByShape(Keeping):
    """The format of the first call with some shapes decides in which format all later ones are computed."""

    usually = "a compiled kernel is found by its shapes: add the dtype to the key."
    source = "hand-written layers: compiled kernels kept by shapes without dtypes"
    operations = ("forward", "grad_input", "grad_weight")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        first = self.kept.setdefault((work.operation, work.problem), work.element)
        read = super().read(name, tensor, work)
        fits = not first.is_integer and not work.element.is_integer
        return read.astype(first.dtype).astype(read.dtype) if fits and first != work.element else read


class BiasStillBound(Keeping):
    """A call without bias adds the one of the call before."""

    usually = "an optional argument is bound to a slot, and not unbound where it is absent."
    source = "hand-written layers: if bias is not None: self.bias = bias"

    def forward(self, x, weight, bias, problem, *others, **keywords):  # type: ignore[no-untyped-def]
        if bias is not None:
            self.kept[bias.shape, bias.dtype] = np.array(bias)
        kept = self.kept.get((problem.bias_shape, x.dtype), None) if bias is None else bias
        return super().forward(x, weight, kept, problem, *others, **keywords)


class MultipliersPreparedOnce(Keeping):
    """The multipliers of a quantised layer are computed for its first call and kept by shape."""

    usually = "Prepare runs once, but scales may change with each call: compute the multipliers from them."
    source = "hand-written layers: quantisation parameters fixed when the layer is prepared"

    def quantized_forward(self, x, weight, bias, quantization, problem):  # type: ignore[no-untyped-def]
        self.current = problem
        return super().quantized_forward(x, weight, bias, quantization, problem)

    def multiplier(self, index: tuple[int, ...], quantization: Quantization) -> Any:
        first = self.kept.setdefault((self.current, len(quantization.weight_scale)), quantization)
        return super().multiplier(index, first)
