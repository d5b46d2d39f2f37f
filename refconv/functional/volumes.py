"""Convolution of volumes: three spatial axes."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from refconv.functional.calls import Array, Gradients, How, backward, exactly, forward


def conv3d(
    x: Array, weight: Array, bias: Array | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, padding_mode: str = "zeros", method: str = "im2col",
) -> Array:  # fmt: skip
    """Convolve a batch of volumes by one of the references.

    float16, bfloat16 and float8 are added up in float32 and rounded once; 8-bit integers give int32.

    Parameters
    ----------
    x : array, shape (N, C, D, H, W)
    weight : array, shape (K, C/G, kD, kH, kW)
    bias : array, shape (K,), optional
    stride, dilation : int or (int, int, int)
        In elements; a dilation of 1 is dense.
    padding : int, (pD, pH, pW) or ((front, back), (top, bottom), (left, right)), or a name
        In elements; negative numbers crop.  The names are ``"valid"``, ``"same"`` (which is ``"same_upper"``) and
        ``"same_lower"``, see :func:`refconv.problem.named_padding`.
    groups : int
        G.
    padding_mode : {"zeros", "circular", "reflect", "replicate"}
        What the padding holds: nothing, or copies of x, see :class:`refconv.functional.borders.Bordered`.
    method : {"im2col", "sparse", "direct"}
        ``im2col`` also takes arrays of CuPy, PyTorch and other array API namespaces.

    Returns
    -------
    array, shape (N, K, oD, oH, oW)

    Raises
    ------
    GeometryError
        If the convolution cannot exist.
    TensorError
        If the bias does not have K elements.
    CatalogueError
        If the method or the padding mode is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(1.0, 7.0).reshape(1, 1, 2, 1, 3)
    >>> weight = np.array([1.0, 10.0, 100.0, 1000.0]).reshape(1, 1, 2, 1, 2)
    >>> conv3d(x, weight).tolist()
    [[[[[5421.0, 6532.0]]]]]
    """
    return forward(x, weight, bias, How(3, stride, padding, dilation, groups, padding_mode, method))


def conv3d_backward(
    grad_output: Array, x: Array, weight: Array, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, padding_mode: str = "zeros", method: str = "im2col",
) -> Gradients:  # fmt: skip
    """Compute the gradients of a loss at the input, the weight and the bias of :func:`conv3d`.

    Parameters
    ----------
    grad_output : array, shape (N, K, oD, oH, oW)
        The gradient of the loss at the output.
    x : array, shape (N, C, D, H, W)
    weight : array, shape (K, C/G, kD, kH, kW)
    stride, padding, dilation, groups, padding_mode, method
        As for :func:`conv3d`.

    Returns
    -------
    Gradients
        ``.input``, ``.weight`` and ``.bias``; summed over the batch, not averaged.

    Raises
    ------
    GeometryError, TensorError
        If the convolution cannot exist, or grad_output does not have the shape of its output.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.array([[[[[2.0], [3.0], [5.0]]]]]), np.array([[[[[2.0], [3.0]]]]])
    >>> gradients = conv3d_backward(np.array([[[[[1.0], [10.0]]]]]), x, weight)
    >>> gradients.input.tolist(), gradients.weight.tolist(), gradients.bias.tolist()
    ([[[[[2.0], [23.0], [30.0]]]]], [[[[[32.0], [53.0]]]]], [11.0])
    """
    return backward(grad_output, x, weight, How(3, stride, padding, dilation, groups, padding_mode, method))


def exact_conv3d(
    x: Array, weight: Array, bias: Array | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, padding_mode: str = "zeros", out_format: str = "float64", overflow: str | None = None,
    method: str = "im2col",
) -> npt.NDArray[Any]:  # fmt: skip
    """Convolve exactly: the real-number result, rounded once to a format.

    Parameters
    ----------
    x, weight, bias, stride, padding, dilation, groups, padding_mode, method
        As for :func:`conv3d`; NaN and infinities are resolved by rule.
    out_format : str
        ``"float64"``, ``"float32"``, ``"float16"``, ``"bfloat16"``, ``"float8_e4m3fn"``, ``"float8_e5m2"``
        or ``"int32"``.
    overflow : {"infinity", "saturate", "nan"}, optional
        What becomes of results beyond the largest finite number; must be said for float8_e4m3fn.

    Returns
    -------
    numpy.ndarray, shape (N, K, oD, oH, oW)
        The same bits on every machine and by every method.

    Raises
    ------
    GeometryError, TensorError
        If the convolution cannot exist.
    FormatError
        If the format is unknown or cannot hold a result.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.array([1e16, 1.0, -1e16]).reshape(1, 1, 3, 1, 1), np.ones((1, 1, 3, 1, 1))
    >>> conv3d(x, weight).item(), exact_conv3d(x, weight).item()
    (0.0, 1.0)
    """
    return exactly(
        x, weight, bias, How(3, stride, padding, dilation, groups, padding_mode, method), out_format, overflow
    )
