"""The factors of the operators of the axes tier: which values they can take together, and which a case has.

They are those of images along each axis, and four more: ``padding`` says by which rule an axis is padded, ``kind``
how groups are used, ``operation`` what is computed, ``judged`` by which rule.  Along an axis of a transposed
convolution ``output-padding`` and ``overlap``, how many products meet in an output, stand for the leftover.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, product

from refconv.catalogue.coverage import AXIS as IMAGE_AXIS
from refconv.catalogue.coverage import ELEMENTS, Block, Factors, Values, axis_values, capped
from refconv.catalogue.spec import CaseSpec
from refconv.problem import OPERATIONS, Problem, TransposedProblem

OPERATORS = ("conv1d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
AXES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}
AXIS = (*IMAGE_AXIS, "padding")
TRANSPOSED_AXIS = (
    "length", "kernel", "stride", "dilation", "begin", "end", "output-padding", "overlap", "outputs", "padding",
)  # fmt: skip


def operator_of(problem: Problem) -> str:
    """Name the operator of a problem, as PyTorch does.

    Examples
    --------
    >>> from refconv.problem import ConvProblem
    >>> operator_of(ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,)))
    'conv1d'
    """
    return f"{'conv_transpose' if isinstance(problem, TransposedProblem) else 'conv'}{len(problem.input_size)}d"


@cache
def factors_of(operator: str) -> Factors:
    """Return the factors of an operator of the axes tier.

    Examples
    --------
    >>> factors_of("conv_transpose1d").names[6:9]
    ('width-output-padding', 'width-overlap', 'width-outputs')
    """
    transposed = "transpose" in operator
    names = TRANSPOSED_AXIS if transposed else AXIS
    small = ("1", "2", "3+")
    channels = frozenset((*some, _kind(*some)) for some in product(small, repeat=3))
    blocks = (
        *(Block(tuple(f"{side}-{name}" for name in names), _legal_axes(transposed))
          for side in AXES[int(operator[-2])]),
        Block(("in-per-group", "out-per-group", "groups", "kind"), channels),
        Block(("batch",), frozenset((value,) for value in small)),
        Block(("operation", "bias", "element", "judged"), frozenset(filter(_computed, product(
            OPERATIONS, ("no", "yes"), ELEMENTS, ("exact", "interval"))))),
    )  # fmt: skip
    return Factors(blocks, _read)


@cache  # one set for all sides of all operators: equal ones would be compared value by value
def _legal_axes(transposed: bool) -> frozenset[Values]:
    if transposed:
        return frozenset(transposed_values(*axis) for axis in _transposed_axes())
    return frozenset(convolution_values(*axis) for axis in _axes())


def _computed(values: Values) -> bool:
    """Tell whether there is such an operation: 8-bit layers have no gradients, and are exact."""
    operation, bias, element, judged = values
    if element == "int8" and (operation, judged) != ("forward", "exact"):
        return False
    return (operation, bias) != ("grad_bias", "no")


def _kind(inner: str, outer: str, groups: str) -> str:
    if groups == "1":
        return "dense"
    return "grouped" if inner != "1" else "depthwise" if outer == "1" else "multiplier"


def _read(spec: CaseSpec) -> Iterable[Values]:
    """Read the values off a case, operation by operation."""
    p = spec.problem
    axes = zip(p.input_size, p.kernel_size, p.stride, p.dilation, p.padding, strict=True)
    if isinstance(p, TransposedProblem):
        read = [transposed_values(*axis, extra) for axis, extra in zip(axes, p.output_padding, strict=True)]
    else:
        read = [convolution_values(*axis) for axis in axes]
    channels = tuple(capped(count // p.groups, 3) for count in (p.in_channels, p.out_channels))
    channels += (capped(p.groups, 3),)
    common = (*chain(*read), *channels, _kind(*channels), capped(p.batch, 3))
    bias, judged = "yes" if spec.has_bias else "no", "exact" if spec.rule == "exact" else "interval"
    return [(*common, operation, bias, spec.element, judged) for operation in spec.operations]


def convolution_values(length: int, kernel: int, stride: int, dilation: int, pads: tuple[int, int]) -> Values:
    """Return the values of the factors of one axis of a convolution, in the order of ``AXIS``.

    Examples
    --------
    >>> dict(zip(AXIS, convolution_values(8, 3, 2, 1, (0, 1)), strict=True))["padding"]
    'same-upper'
    """
    size, taps, step, gap, _, _, leftover, outputs = axis_values(length, kernel, stride, dilation, *pads)
    places = -(-length // stride)
    needed = max(0, (places - 1) * stride + dilation * (kernel - 1) + 1 - length)
    return (size, taps, step, gap, *map(_pad, pads), leftover, outputs, _rule(pads, sum(pads) == needed))


def transposed_values(
    length: int, kernel: int, stride: int, dilation: int, pads: tuple[int, int], extra: int
) -> Values:
    """Return the values of the factors of one axis of a transposed convolution, in the order of ``TRANSPOSED_AXIS``.

    Examples
    --------
    >>> dict(zip(TRANSPOSED_AXIS, transposed_values(4, 5, 3, 1, (1, 1), 0), strict=True))["overlap"]
    'uneven'
    """
    outputs = (length - 1) * stride + dilation * (kernel - 1) + 1 - sum(pads) + extra
    if math.gcd(stride, dilation) > 1 or kernel < stride:
        overlap = "gaps"
    else:
        overlap = "single" if kernel == stride else "uneven" if kernel % stride else "equal"
    return (
        "one" if length == 1 else "odd" if length % 2 else "even", capped(kernel, 4), capped(stride, 3),
        capped(dilation, 3), *map(_pad, pads), capped(extra, 2), overlap,
        "1" if outputs == 1 else "2-4" if outputs < 5 else "5+", _rule(pads, outputs == length * stride),
    )  # fmt: skip


def _pad(size: int) -> str:
    return "<0" if size < 0 else capped(size, 2)


def _rule(pads: tuple[int, int], keeps: bool) -> str:
    """Name the rule by which an axis is padded; ``keeps`` says that the output is as long as SAME makes it."""
    begin, end = pads
    if pads == (0, 0):
        return "valid"
    if keeps and min(pads) >= 0 and abs(begin - end) < 2:
        return "same" if begin == end else "same-upper" if begin < end else "same-lower"
    return "symmetric" if begin == end else "asymmetric"


def _axes() -> Iterator[tuple[int, int, int, int, tuple[int, int]]]:
    """Try all axes up to a size, apart from those on which no tap meets the image, as for images."""
    sizes = product(range(1, 10), range(1, 6), (1, 2, 3, 8), range(1, 4))
    for (length, kernel, stride, dilation), pads in product(sizes, _pairs(-2, 18)):
        reach = dilation * (kernel - 1) + 1
        room = length + sum(pads) - reach
        image = range(pads[0], pads[0] + length)
        if -min(pads) < length and room >= 0 and any(
            first + tap * dilation in image for first in range(0, room + 1, stride) for tap in range(kernel)
        ):  # fmt: skip
            yield length, kernel, stride, dilation, pads


def _transposed_axes() -> Iterator[tuple[int, int, int, int, tuple[int, int], int]]:
    """Try all axes up to a size, apart from those whose outputs no tap reaches."""
    sizes = product(range(1, 5), range(1, 7), range(1, 5), range(1, 4), range(3))
    for (length, kernel, stride, dilation, extra), pads in product(sizes, _pairs(-2, 18)):
        full = (length - 1) * stride + dilation * (kernel - 1) + 1
        kept = range(pads[0], full - pads[1] + extra)
        legal = extra < max(stride, dilation) and pads[0] < full and kept.stop > 0
        if legal and any(
            first + tap * dilation in kept for first in range(0, length * stride, stride) for tap in range(kernel)
        ):
            yield length, kernel, stride, dilation, pads, extra


def _pairs(least: int, most: int) -> list[tuple[int, int]]:
    """List pairs of pads; beyond two at both ends only their sum would matter."""
    sizes = range(least, most)
    return [(begin, end) for begin, end in product(sizes, sizes) if min(begin, end) <= 2]
