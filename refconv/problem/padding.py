"""Padding that is said by a name, ``"same"`` or ``"valid"``, resolved to explicit numbers.

The names are those of TensorFlow, ONNX (``auto_pad``), JAX and PyTorch, and mean what ONNX and TensorFlow define:
with padding ``same`` the output has ``ceil(length / stride)`` elements along each axis.  The total padding that
this takes, ``max((ceil(length / stride) - 1) * stride + reach - length, 0)``, is halved; where it is odd, the
larger half comes at the end (``same``, ``same_upper``) or at the beginning (``same_lower``).  PyTorch knows
``same`` for a stride of 1 alone, where it is the same.
"""

from __future__ import annotations

from refconv.errors import GeometryError
from refconv.problem.fields import Padding, Size

NAMES = ("valid", "same", "same_upper", "same_lower")


def named_padding(name: str, input_size: Size, kernel_size: Size, stride: Size, dilation: Size) -> Padding:
    """Resolve padding that is said by a name.

    Parameters
    ----------
    name : {"valid", "same", "same_upper", "same_lower"}
        In small or capital letters; ``"same"`` is ``"same_upper"``.
    input_size, kernel_size, stride, dilation : tuple of int
        One entry per axis, in elements; extents and strides of 1 or more.

    Returns
    -------
    tuple of (int, int)
        What is added at the beginning and at the end of each axis.

    Raises
    ------
    GeometryError
        If the name is none of these.

    Notes
    -----
    ONNX, operator Conv, attribute ``auto_pad``; TensorFlow, "tf.nn", section "Notes on padding".

    Examples
    --------
    >>> named_padding("same", (7, 8), kernel_size=(3, 3), stride=(2, 2), dilation=(1, 1))
    ((1, 1), (0, 1))
    >>> named_padding("SAME_LOWER", (7, 8), kernel_size=(3, 3), stride=(2, 2), dilation=(1, 1))
    ((1, 1), (1, 0))
    """
    totals = [0] * len(input_size)
    if _checked(name) != "valid":
        totals = list(map(_total, input_size, kernel_size, stride, dilation))
    return _halved(totals, name)


def named_transposed_padding(
    name: str, kernel_size: Size, stride: Size, dilation: Size, output_padding: Size
) -> tuple[Padding, Size]:
    """Resolve padding of a transposed convolution that is said by a name.

    ``valid`` cuts nothing off.  With ``same`` the output has ``length * stride`` elements along each axis: what the
    input reaches beyond that, ``reach - stride + output_padding``, is cut off in halves, and what it lacks is added to
    output_padding.

    Returns
    -------
    padding : tuple of (int, int)
    output_padding : tuple of int

    Raises
    ------
    GeometryError
        If the name is none of those of :func:`named_padding`.

    Notes
    -----
    ONNX, operator ConvTranspose, attribute ``auto_pad``; for TensorFlow, the adjoint of ``SAME``.

    Examples
    --------
    >>> named_transposed_padding("same", (4, 1), stride=(3, 2), dilation=(1, 1), output_padding=(0, 0))
    (((0, 1), (0, 0)), (0, 1))
    """
    if _checked(name) == "valid":
        return _halved([0] * len(kernel_size), name), output_padding
    axes = zip(kernel_size, stride, dilation, output_padding, strict=True)
    beyond = [_reach(kernel, gap) - step + extra for kernel, step, gap, extra in axes]
    extra = tuple(more + max(0, -excess) for more, excess in zip(output_padding, beyond, strict=True))
    return _halved([max(0, excess) for excess in beyond], name), extra


def _checked(name: str) -> str:
    if name.lower() not in NAMES:
        raise GeometryError(f"padding must be numbers or one of {', '.join(NAMES)}, got {name!r}.")
    return name.lower()


def _halved(totals: list[int], name: str) -> Padding:
    halves = [(total // 2, total - total // 2) for total in totals]
    return tuple((end, begin) if name.lower() == "same_lower" else (begin, end) for begin, end in halves)


def _total(length: int, kernel: int, stride: int, dilation: int) -> int:
    places = -(-length // stride)
    return max((places - 1) * stride + _reach(kernel, dilation) - length, 0)


def _reach(kernel: int, dilation: int) -> int:
    return dilation * (kernel - 1) + 1
