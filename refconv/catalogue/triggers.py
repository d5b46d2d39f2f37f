"""Conditions behind which real bugs were found, beside those of the defect models, and where the cases meet them.

A defect model has a trigger and an effect; here are triggers alone, since most threads say when a result is wrong
and few say how.  ``tests/catalogue/test_triggers.py`` holds core to them, ``scripts/select_core.py`` writes the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

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
        return (
            f"[thread]({ISSUES}{self.source})" if "/issues/" in self.source or "/pull/" in self.source else self.source
        )


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


def each(
    slug: str, words: str, source: str, holds: Callable[[ConvProblem, int], bool], numbers: Iterable[int]
) -> list[Trigger]:
    """Write one trigger for each of several numbers, which the words name as ``{}``."""
    return [
        Trigger(f"{slug}-{number}", words.format(number), source, partial(_flipped, holds, number))
        for number in numbers
    ]


def _flipped(holds: Callable[[ConvProblem, int], bool], number: int, problem: ConvProblem) -> bool:
    return holds(problem, number)


THREADS = (
    Trigger("channels-equal-image", "C, H and W are equal, so that NCHW and NHWC have equal strides",
            "huggingface/candle/pull/3405", lambda p: p.in_channels == p.input_size[0] == p.input_size[1] > 1),
    Trigger("kernel-beyond-eight-bits", "the kernel is longer than 256",
            "pytorch/pytorch/pull/188359", lambda p: max(p.kernel_size) > 256),
    Trigger("kernel-of-23", "the kernel is 23 or longer on both axes",
            "ROCm/rocm-libraries/issues/7024", lambda p: min(p.kernel_size) >= 23),
    Trigger("one-output-pixel", "one pixel comes out while C and K fill blocks of 8",
            "apache/tvm/pull/15484",
            lambda p: _pixels(p) == 1 and p.in_channels % 8 == p.out_channels % 8 == 0),
    Trigger("depthwise-24-strided", "a padded depthwise 3x3 at stride 2 has an odd multiple of 8 channels above 8",
            "uxlfoundation/oneDNN/issues/4124",
            lambda p: _depthwise(p) and _square(p, 3, 2) and p.in_channels % 16 == 8 < p.in_channels and any(_pads(p))),
    Trigger("first-layer-13", "C is 3, K odd and above 8, under a 3x3 with stride 2",
            "Tencent/ncnn/issues/1452",
            lambda p: p.in_channels == 3 and p.out_channels > 8 and p.out_channels % 2 == 1 and _square(p, 3, 2)),
    Trigger("packed-depthwise-valid", "a depthwise 3x3 without padding has a multiple of 16 channels",
            "Tencent/ncnn/issues/1384",
            lambda p: _depthwise(p) and _square(p, 3) and p.in_channels % 16 == 0 and not any(_pads(p))),
    Trigger("packed-pointwise", "1x1 from and to multiples of 16 channels, over a plane with a remainder modulo 8",
            "ROCm/MIOpen/issues/894",
            lambda p: _square(p, 1) and _pixels(p) % 8 > 0 and p.in_channels % 16 == p.out_channels % 16 == 0),
    Trigger("groups-are-outputs", "G = K while C/G > 1, which is taken for depthwise",
            "apache/tvm/pull/3020", lambda p: p.groups == p.out_channels > 1 and _per_group(p) > 1),
    Trigger("multiplied-depthwise-strided", "a depthwise layer has several outputs a channel and a stride",
            "tensorflow/tensorflow/issues/100237",
            lambda p: _depthwise(p) and p.out_channels > p.groups and max(p.stride) > 1),
    Trigger("depthwise-strided-dilated", "a depthwise layer has a stride and a dilation",
            "tensorflow/tensorflow/issues/31514", lambda p: _depthwise(p) and max(p.stride) > 1 and _dilated(p)),
    Trigger("line-of-stride-four", "one row under 1xN has a multiple of 4 as its stride",
            "ARM-software/CMSIS_5/issues/1542",
            lambda p: p.input_size[0] == p.kernel_size[0] == 1 < p.kernel_size[1] and p.stride[1] % 4 == 0),
    Trigger("high-kernel-taken-for-line", "one column comes out under a kernel of several rows",
            "ARM-software/CMSIS_5/issues/1542", lambda p: p.output_size[1] == 1 and p.kernel_size[0] > 1),
    Trigger("grouped-eights", "32 or more groups of 8 or fewer channels meet a padded 3x3",
            "ROCm/MIOpen/pull/989",
            lambda p: p.groups >= 32 and _per_group(p) <= 8 and _square(p, 3) and any(_pads(p))),
    Trigger("row-kernel-1x3", "one row and 1x3 from 4 or more channels", "ROCm/rocm-libraries/issues/12322",
            lambda p: p.input_size[0] == 1 and p.kernel_size == (1, 3) and p.in_channels >= 4),
    Trigger("strided-line-57", "one row of an odd number of channels above 16 has stride 2",
            "pytorch/pytorch/issues/82921",
            lambda p: p.input_size[0] == 1 and p.stride[1] == 2 and p.in_channels > 16 and p.in_channels % 2 == 1),
    Trigger("wide-image", "an image has more than 200 columns and several rows",
            "tensorflow/tfjs/issues/1936", lambda p: p.input_size[1] > 200 and p.input_size[0] > 1),
    Trigger("same-upper-strided", "the padding is larger at the end by one, at stride 2",
            "microsoft/onnxruntime/issues/26734",
            lambda p: max(p.stride) == 2 and any(end == begin + 1 for begin, end in p.padding)),
    Trigger("odd-width", "W is odd above 8, under 3x3", "tensorflow/tfjs/issues/4844",
            lambda p: p.input_size[1] % 2 == 1 and p.input_size[1] > 8 and p.kernel_size == (3, 3)),
    Trigger("nine-inputs", "C is 9 under a dense 3x3", "microsoft/onnxruntime/issues/29651",
            lambda p: p.in_channels == 9 and p.groups == 1 and p.kernel_size == (3, 3)),
    Trigger("even-kernel-unpadded", "the kernel is even on both axes, without padding",
            "ARM-software/ComputeLibrary/issues/78",
            lambda p: p.kernel_size[0] % 2 == p.kernel_size[1] % 2 == 0 and not any(_pads(p))),
)  # fmt: skip

CAPACITIES = (
    *each("stride-beyond", "the stride is above {}", "descriptors of 4 bits",
          lambda p, n: max(p.stride) > n and max(p.output_size) > 1, [15]),
    *each("padding-beyond", "a pad is above {}", "descriptors of 4 bits", lambda p, n: max(_pads(p)) > n, [15]),
    *each("dilation-beyond", "the dilation is above {}", "descriptors of 4 bits",
          lambda p, n: any(d > n and k > 1 for d, k in zip(p.dilation, p.kernel_size, strict=True)), [15]),
    *each("kernel-beyond", "the kernel is longer than {} on an axis", "descriptors of 4 bits",
          lambda p, n: max(p.kernel_size) > n, [16]),
    *each("taps-beyond", "the kernel has more than {} taps", "one bit a tap in a word",
          lambda p, n: math.prod(p.kernel_size) > n, [32, 64]),
    *each("inputs-beyond", "C/G is above {}", "counters of 8 bits, blocks of 1,024 threads",
          lambda p, n: _per_group(p) > n, [256, 1024]),
    *each("outputs-beyond", "K is above {}", "counters of 8 bits, blocks of 1,024 threads",
          lambda p, n: p.out_channels > n, [256, 1024]),
    *each("groups-beyond", "there are more than {} groups", "counters of 8 bits", lambda p, n: p.groups > n, [256]),
    *each("images-beyond", "there are more than {} images", "counters of 8 bits", lambda p, n: p.batch > n, [256]),
    *each("rows-beyond", "oH is above {}", "blocks of 1,024 threads", lambda p, n: p.output_size[0] > n, [1024]),
)  # fmt: skip

TILES = (
    *each("strided-columns", "oW is {} or next to it, at stride 2", "vector kernels at stride 2",
          lambda p, n: abs(p.output_size[1] - n) <= 1 and p.stride[1] == 2, [4, 8, 16, 32]),
    *each("gemm-rows", "N*oH*oW is {} or next to it, over several images", "tiles of GEMM kernels",
          lambda p, n: abs(p.batch * _pixels(p) - n) <= 1 and p.batch > 1, [16, 32, 64, 128]),
    *each("gemm-depth", "C/G*kH*kW is {} or next to it, with several taps", "tiles of GEMM kernels",
          lambda p, n: abs(_depth(p) - n) <= 1 and math.prod(p.kernel_size) > 1, [16, 32, 64, 128, 256, 512]),
)  # fmt: skip


def _square_kernels(stride: int) -> list[Trigger]:
    def dense(p: ConvProblem, n: int) -> bool:
        return p.groups == 1 and _square(p, n, stride)

    def depthwise(p: ConvProblem, n: int) -> bool:
        return _depthwise(p) and _square(p, n, stride)

    words, source = f"kernel has {{0}}x{{0}} taps at stride {stride}", "one function a kernel"
    return [
        *each(f"dense-stride-{stride}-kernel", f"a dense {words}", source, dense, [2, 3, 4, 5, 7, 9, 11]),
        *each(f"depthwise-stride-{stride}-kernel", f"a depthwise {words}", source, depthwise,
              [2, 3, 5, 7] if stride < 3 else []),
    ]  # fmt: skip


def _line_kernels(stride: int) -> list[Trigger]:
    def row(p: ConvProblem, n: int) -> bool:
        return p.kernel_size == (1, n) and p.stride[1] == stride

    def column(p: ConvProblem, n: int) -> bool:
        return p.kernel_size == (n, 1) and p.stride[0] == stride

    words, source = f"of {{}} taps at stride {stride}", "kernels of one row or column"
    return [
        *each(f"row-stride-{stride}-kernel", f"the kernel has one row {words}", source, row, [3, 5, 7]),
        *each(f"column-stride-{stride}-kernel", f"the kernel has one column {words}", source, column, [3, 5, 7]),
    ]


SPECIALISED = (
    *(trigger for stride in (1, 2, 3, 4) for trigger in _square_kernels(stride)),
    *(trigger for stride in (1, 2) for trigger in _line_kernels(stride)),
    *each("dense-dilated", "a dense 3x3 has dilation {}", "one function a dilation",
          lambda p, n: p.groups == 1 and p.kernel_size == (3, 3) and p.dilation == (n, n), [2, 3, 4, 6, 8]),
)  # fmt: skip

_CHANNELS = (*range(1, 18), 24, 31, 32, 33, 48, 63, 64, 65, 96, 104, 127, 128, 129, 255, 256, 257, 440, 512)
_WIDTHS = (*range(1, 34), 47, 48, 49, 63, 64, 65, 127, 128, 129, 255, 256, 257, 513)
_HEIGHTS = (*range(1, 18), 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257)
_VECTOR, _GROUP = "widths of vectors and tiles", "vector kernels within a group"

EXTENTS = (
    *each("images", "there are {} images", "kernels that block images", lambda p, n: p.batch == n,
          [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129]),
    *each("inputs", "C is {}, dense", _VECTOR, lambda p, n: p.groups == 1 and p.in_channels == n, _CHANNELS),
    *each("outputs", "K is {}, dense", _VECTOR, lambda p, n: p.groups == 1 and p.out_channels == n, _CHANNELS),
    *each("columns", "oW is {}", _VECTOR, lambda p, n: p.output_size[1] == n, _WIDTHS),
    *each("rows", "oH is {}", "blocks of rows", lambda p, n: p.output_size[0] == n, _HEIGHTS),
    *each("groups", "there are {} groups of several channels", _GROUP,
          lambda p, n: p.groups == n and _per_group(p) > 1, [2, 3, 4, 5, 6, 7, 8, 16, 32]),
    *each("group-inputs", "C/G is {}, with groups", _GROUP, lambda p, n: p.groups > 1 and _per_group(p) == n,
          [2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 32]),
    *each("group-outputs", "K/G is {}, with groups of several inputs", _GROUP,
          lambda p, n: p.groups > 1 and _per_group(p) > 1 and p.out_channels == n * p.groups,
          [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 32]),
    *each("multiplier", "a depthwise layer has {} outputs a channel", "kernels for a multiplier",
          lambda p, n: _depthwise(p) and p.out_channels == n * p.groups, [2, 3, 4, 5, 8, 9]),
    *each("depthwise-channels", "a depthwise layer has {} channels", _VECTOR,
          lambda p, n: _depthwise(p) and p.in_channels == n,
          [*range(2, 18), 24, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129]),
)  # fmt: skip

TRIGGERS = (*THREADS, *CAPACITIES, *TILES, *SPECIALISED, *EXTENTS)


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
    own = [(spec.id, spec.problem) for spec in specs if spec.element == element and operation in spec.operations
           and _usual(spec) and isinstance(spec.problem, ConvProblem)]  # fmt: skip
    return {trigger.slug: [case_id for case_id, problem in own if trigger.holds(problem)] for trigger in TRIGGERS}


def _usual(spec: CaseSpec) -> bool:
    p, row = spec.problem, spec.row
    empty = 0 in (*p.x_shape, *p.weight_shape, *p.y_shape)
    return len(p.input_size) == 2 and not empty and not row.invalid and not row.policies
