"""Conditions behind which real bugs were found, beside those of the defect models, and where the cases meet them.

A defect model has a trigger and an effect; here are triggers alone, since most threads say when a result is wrong
and few say how.  ``tests/catalogue/test_triggers.py`` holds core to them, ``scripts/select_core.py`` writes the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from refconv.catalogue.spec import CaseSpec
from refconv.problem import ConvProblem

ISSUES = "https://github.com/"


@dataclass(frozen=True)
class Trigger:
    """When a bug showed.

    Attributes
    ----------
    slug : str
    words : str
        Reads on after "where ".
    source : str
        A public thread, or a few words.
    holds : callable
        Of a problem with two spatial axes and no empty tensor.
    """

    slug: str
    words: str
    source: str
    holds: Callable[[ConvProblem], bool]

    @property
    def link(self) -> str:
        """The source, as an address if it is one."""
        return f"[thread]({ISSUES}{self.source})" if "/issues/" in self.source or "/pull/" in self.source else self.source


def _per_group(p: ConvProblem) -> int:
    return p.in_channels // p.groups


def _depthwise(p: ConvProblem) -> bool:
    return p.groups > 1 and p.groups == p.in_channels


def _square(p: ConvProblem, kernel: int, stride: int = 1) -> bool:
    return p.kernel_size == (kernel, kernel) and p.stride == (stride, stride)


def _dilated(p: ConvProblem) -> bool:
    return any(d > 1 and k > 1 for d, k in zip(p.dilation, p.kernel_size, strict=True))


def _pads(p: ConvProblem) -> tuple[int, ...]:
    return tuple(pad for pads in p.padding for pad in pads)


def _pixels(p: ConvProblem) -> int:
    return math.prod(p.output_size)


def _depth(p: ConvProblem) -> int:
    return math.prod(p.weight_shape[1:])


def _around(number: int, edge: int) -> bool:
    return abs(number - edge) <= 1


TRIGGERS = (
    Trigger("channels-equal-image", "C, H and W are equal, so that NCHW and NHWC have equal strides",
            "huggingface/candle/pull/3405", lambda p: p.in_channels == p.input_size[0] == p.input_size[1] > 1),
    Trigger("weight-reads-either-way", "C/G, K, kH and kW are equal, so that every order of the weight has its shape",
            "converters that guess the layout from the shape",
            lambda p: p.weight_shape == (p.out_channels,) * 4 and p.out_channels > 1),
    Trigger("kernel-beyond-eight-bits", "the kernel is longer than 256", "pytorch/pytorch/pull/188359",
            lambda p: max(p.kernel_size) > 256),
    Trigger("kernel-of-23", "the kernel is 23 or longer on both axes", "ROCm/rocm-libraries/issues/7024",
            lambda p: min(p.kernel_size) >= 23),
    Trigger("one-output-pixel", "oH*oW is 1 while C and K fill blocks of 8", "apache/tvm/pull/15484",
            lambda p: _pixels(p) == 1 and p.in_channels % 8 == p.out_channels % 8 == 0),
    Trigger("depthwise-24-strided", "a depthwise 3x3 of 24 channels or another odd multiple of 8 has stride 2 and padding",
            "uxlfoundation/oneDNN/issues/4124",
            lambda p: _depthwise(p) and _square(p, 3, 2) and p.in_channels % 16 == 8 and p.in_channels > 8
            and any(_pads(p))),
    Trigger("first-layer-13", "C is 3, K odd and above 8, under a 3x3 with stride 2", "Tencent/ncnn/issues/1452",
            lambda p: p.in_channels == 3 and p.out_channels > 8 and p.out_channels % 2 == 1 and _square(p, 3, 2)),
    Trigger("packed-depthwise-valid", "a depthwise 3x3 without padding has a multiple of 16 channels",
            "Tencent/ncnn/issues/1384",
            lambda p: _depthwise(p) and _square(p, 3) and p.in_channels % 16 == 0 and not any(_pads(p))),
    Trigger("packed-pointwise-7x7", "1x1 over a plane with a remainder modulo 8 has multiples of 16 channels on both sides",
            "ROCm/MIOpen/issues/894",
            lambda p: _square(p, 1) and _pixels(p) % 8 > 0 and p.in_channels % 16 == p.out_channels % 16 == 0),
    Trigger("groups-are-outputs", "G = K while C/G > 1, which is taken for depthwise", "apache/tvm/pull/3020",
            lambda p: p.groups == p.out_channels > 1 and _per_group(p) > 1),
    Trigger("multiplied-depthwise-strided", "a depthwise layer has several outputs a channel and a stride",
            "tensorflow/tensorflow/issues/100237",
            lambda p: _depthwise(p) and p.out_channels > p.groups and max(p.stride) > 1),
    Trigger("depthwise-strided-dilated", "a depthwise layer has a stride and a dilation", "tensorflow/tensorflow/issues/31514",
            lambda p: _depthwise(p) and max(p.stride) > 1 and _dilated(p)),
    Trigger("line-of-stride-four", "one row under 1xN has stride 4 or a multiple", "ARM-software/CMSIS_5/issues/1542",
            lambda p: p.input_size[0] == p.kernel_size[0] == 1 < p.kernel_size[1] and p.stride[1] % 4 == 0),
    Trigger("high-kernel-taken-for-line", "one column comes out under a kernel of several rows",
            "ARM-software/CMSIS_5/issues/1542", lambda p: p.output_size[1] == 1 and p.kernel_size[0] > 1),
    Trigger("grouped-eights", "32 or more groups of 8 or fewer channels under 3x3 with padding", "ROCm/MIOpen/pull/989",
            lambda p: p.groups >= 32 and _per_group(p) <= 8 and _square(p, 3) and any(_pads(p))),
    Trigger("row-kernel-1x3", "one row and 1x3 from 4 or more channels", "ROCm/rocm-libraries/issues/12322",
            lambda p: p.input_size[0] == 1 and p.kernel_size == (1, 3) and p.in_channels >= 4),
    Trigger("strided-line-57", "one row of an odd number of channels above 16 has stride 2", "pytorch/pytorch/issues/82921",
            lambda p: p.input_size[0] == 1 and p.stride[1] == 2 and p.in_channels > 16 and p.in_channels % 2 == 1),
    Trigger("wide-image", "an image has more than 200 columns and several rows", "tensorflow/tfjs/issues/1936",
            lambda p: p.input_size[1] > 200 and p.input_size[0] > 1),
    Trigger("same-upper-strided", "the padding is larger at the end by one, at stride 2", "microsoft/onnxruntime/issues/26734",
            lambda p: max(p.stride) == 2 and any(end == begin + 1 for begin, end in p.padding)),
    Trigger("odd-width", "W is odd above 8, under 3x3", "tensorflow/tfjs/issues/4844",
            lambda p: p.input_size[1] % 2 == 1 and p.input_size[1] > 8 and p.kernel_size == (3, 3)),
    Trigger("more-than-three-inputs", "C is 9, 3 groups of images, at the first layer", "microsoft/onnxruntime/issues/29651",
            lambda p: p.in_channels == 9 and p.groups == 1 and p.kernel_size == (3, 3)),
    Trigger("even-kernel-unpadded", "the kernel is even on both axes, without padding", "ARM-software/ComputeLibrary/issues/78",
            lambda p: p.kernel_size[0] % 2 == p.kernel_size[1] % 2 == 0 and not any(_pads(p))),
    Trigger("stride-beyond-sixteen", "the stride is 16 or more", "descriptors with 4 bits for the stride",
            lambda p: max(p.stride) >= 16 and max(p.output_size) > 1),
    Trigger("padding-beyond-sixteen", "a pad is 16 or more", "descriptors with 4 bits for the padding",
            lambda p: max(_pads(p)) >= 16),
    Trigger("dilation-beyond-sixteen", "the dilation is 16 or more", "descriptors with 4 bits for the dilation",
            lambda p: any(d >= 16 and k > 1 for d, k in zip(p.dilation, p.kernel_size, strict=True))),
    Trigger("kernel-beyond-sixteen", "the kernel is 17 or longer on an axis", "descriptors with 4 bits for the kernel",
            lambda p: max(p.kernel_size) >= 17),
    Trigger("taps-beyond-64", "the kernel has more than 64 taps", "one bit a tap in a word of 64",
            lambda p: math.prod(p.kernel_size) > 64),
    Trigger("outputs-beyond-eight-bits", "K is above 256", "8-bit counters of output channels",
            lambda p: p.out_channels > 256),
    Trigger("groups-beyond-eight-bits", "there are more than 256 groups", "8-bit counters of groups",
            lambda p: p.groups > 256),
    Trigger("images-beyond-eight-bits", "there are more than 256 images", "8-bit counters of images",
            lambda p: p.batch > 256),
    Trigger("inputs-beyond-1024", "C/G is above 1,024", "thread blocks of 1,024", lambda p: _per_group(p) > 1024),
    Trigger("outputs-beyond-1024", "K is above 1,024", "thread blocks of 1,024", lambda p: p.out_channels > 1024),
    Trigger("rows-beyond-1024", "oH is above 1,024", "thread blocks of 1,024", lambda p: p.output_size[0] > 1024),
    *(Trigger(f"strided-columns-{edge}", f"oW is {edge - 1} to {edge + 1} at stride 2", "vector kernels at stride 2",
              lambda p, edge=edge: _around(p.output_size[1], edge) and p.stride[1] == 2)
      for edge in (4, 8, 16, 32)),
    *(Trigger(f"gemm-rows-{edge}", f"N*oH*oW is {edge - 1} to {edge + 1}, images together", "tiles of GEMM kernels",
              lambda p, edge=edge: _around(p.batch * _pixels(p), edge) and p.batch > 1)
      for edge in (16, 32, 64, 128)),
    *(Trigger(f"gemm-depth-{edge}", f"C/G*kH*kW is {edge - 1} to {edge + 1}, several taps", "tiles of GEMM kernels",
              lambda p, edge=edge: _around(_depth(p), edge) and math.prod(p.kernel_size) > 1)
      for edge in (16, 32, 64, 128, 256, 512)),
    *(Trigger(f"{n}-taps-in-a-{name}", f"the kernel is {words}, with stride {s} along it",
              "kernels for separable filters", lambda p, k=k, s=s, a=a: p.kernel_size == k and p.stride[a] == s)
      for n in (3, 5, 7) for s in (1, 2)
      for name, k, a, words in ((f"row-stride-{s}", (1, n), 1, f"1x{n}"), (f"column-stride-{s}", (n, 1), 0, f"{n}x1"))),
    *(Trigger(f"depthwise-{k}x{k}-stride-{s}", f"a depthwise kernel is {k}x{k} at stride {s}", "one function a kernel size",
              lambda p, k=k, s=s: _depthwise(p) and _square(p, k, s))
      for k in (2, 3, 5, 7) for s in (1, 2)),
    *(Trigger(f"dense-{k}x{k}-stride-{s}", f"a dense kernel is {k}x{k} at stride {s}", "one function a kernel size",
              lambda p, k=k, s=s: p.groups == 1 and _square(p, k, s))
      for k in (2, 3, 4, 5, 7, 9, 11) for s in (1, 2, 3, 4)),
    *(Trigger(f"dense-dilated-{d}", f"a dense kernel is 3x3 with dilation {d}", "one function a dilation",
              lambda p, d=d: p.groups == 1 and p.kernel_size == (3, 3) and p.dilation == (d, d))
      for d in (2, 3, 4, 6, 8)),
    *(Trigger(f"groups-{g}", f"{g} groups of several channels", "kernels for few groups",
              lambda p, g=g: p.groups == g and _per_group(p) > 1)
      for g in (2, 3, 4, 5, 6, 7, 8, 16, 32)),
    *(Trigger(f"group-inputs-{c}", f"C/G is {c}, with groups", "vector kernels within a group",
              lambda p, c=c: p.groups > 1 and _per_group(p) == c)
      for c in (2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 32)),
    *(Trigger(f"group-outputs-{k}", f"K/G is {k}, with groups and C/G > 1", "vector kernels within a group",
              lambda p, k=k: p.groups > 1 and _per_group(p) > 1 and p.out_channels // p.groups == k)
      for k in (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 32)),
    *(Trigger(f"multiplier-{m}", f"a depthwise layer has {m} outputs a channel", "kernels for a multiplier",
              lambda p, m=m: _depthwise(p) and p.out_channels == m * p.groups)
      for m in (2, 3, 4, 5, 8, 9)),
    *(Trigger(f"batch-{n}", f"there are {n} images", "kernels that block images", lambda p, n=n: p.batch == n)
      for n in (2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129)),
    *(Trigger(f"inputs-{c}", f"C is {c}, dense", "vector and tile widths", lambda p, c=c: p.groups == 1 and p.in_channels == c)
      for c in (*range(1, 18), 24, 31, 32, 33, 48, 63, 64, 65, 96, 104, 127, 128, 129, 255, 256, 257, 440, 512)),
    *(Trigger(f"outputs-{k}", f"K is {k}, dense", "vector and tile widths", lambda p, k=k: p.groups == 1 and p.out_channels == k)
      for k in (*range(1, 18), 24, 31, 32, 33, 48, 63, 64, 65, 96, 104, 127, 128, 129, 255, 256, 257, 440, 512)),
    *(Trigger(f"width-{w}", f"oW is {w}", "vector and tile widths", lambda p, w=w: p.output_size[1] == w)
      for w in (*range(1, 34), 47, 48, 49, 63, 64, 65, 127, 128, 129, 255, 256, 257, 513)),
    *(Trigger(f"height-{h}", f"oH is {h}", "row blocks", lambda p, h=h: p.output_size[0] == h)
      for h in (*range(1, 18), 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257)),
    *(Trigger(f"depthwise-channels-{c}", f"a depthwise layer has {c} channels", "vector widths",
              lambda p, c=c: _depthwise(p) and p.in_channels == c)
      for c in (*range(2, 18), 24, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129)),
)  # fmt: skip


def met(specs: Iterable[CaseSpec], element: str, operation: str) -> dict[str, list[str]]:
    """Return for each trigger the ids of the cases of a format that hold an operation and meet it.

    Parameters
    ----------
    specs : iterable of CaseSpec
    element : str
        The label of the format.
    operation : {"forward", "grad_input", "grad_weight", "grad_bias"}

    Examples
    --------
    >>> from refconv.catalogue import cases
    >>> found = met(cases("core", ["corners-*"]), "float32", "forward")
    >>> found["rows-beyond-1024"]
    ['corners-float32-exact/column-of-1030']
    """
    own = [spec for spec in specs if spec.element == element and operation in spec.operations and _usual(spec)]
    return {trigger.slug: [spec.id for spec in own if trigger.holds(spec.problem)] for trigger in TRIGGERS}


def _usual(spec: CaseSpec) -> bool:
    p, row = spec.problem, spec.row
    empty = 0 in (*p.x_shape, *p.weight_shape, *p.y_shape)
    return len(p.input_size) == 2 and not empty and not row.invalid and not row.policies
