"""Transposed convolution of volumes: three spatial axes."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from refconv.functional.calls import Array, Gradients, TransposedHow, backward, exactly, forward


def conv_transpose3d(
    x: Array, weight: Array, bias: Array | None = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1, method: str = "im2col",
) -> Array:  # fmt: skip
    """Convolve a batch of volumes transposed, by one of the references; arguments in PyTorch's order.

    The adjoint of :func:`refconv.conv3d`, also called deconvolution: every element of x is multiplied by the whole
    kernel and added to the output.

    float16, bfloat16 and float8 are added up in float32 and rounded once; 8-bit integers give int32.

    Parameters
    ----------
    x : array, shape (N, C, D, H, W)
    weight : array, shape (C, K/G, kD, kH, kW)
    bias : array, shape (K,), optional
    stride, dilation : int or (int, int, int)
        In elements; a dilation of 1 is dense.
    padding : int, (pD, pH, pW) or ((front, back), (top, bottom), (left, right)), or a name
        What is cut off the output, in elements; negative numbers add to it.  With ``"same"``, ``"same_upper"`` or
        ``"same_lower"`` the output is stride times as long as the input; ``"valid"`` cuts nothing.
    output_padding : int or (int, int, int)
        How much longer the output is at its end, in elements; less than stride or dilation.
    groups : int
        G.
    method : {"im2col", "sparse", "direct"}
        By columns that are added where they overlap, by (W*)ᵀ, or by loops that scatter.

    Returns
    -------
    array, shape (N, K, oD, oH, oW)

    Raises
    ------
    GeometryError
        If the layer cannot exist.
    TensorError
        If the bias does not have K elements.
    CatalogueError
        If the method is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 1, -1, 1), np.array([1.0, 10.0]).reshape(1, 1, 1, -1, 1)
    >>> conv_transpose3d(x, weight).ravel().tolist()
    [1.0, 12.0, 23.0, 30.0]
    >>> conv_transpose3d(x, weight, stride=(1, 3, 1), output_padding=(0, 1, 0)).ravel().tolist()
    [1.0, 10.0, 0.0, 2.0, 20.0, 0.0, 3.0, 30.0, 0.0]
    """
    return forward(x, weight, bias, TransposedHow(3, stride, padding, output_padding, groups, dilation, method))


def conv_transpose3d_backward(
    grad_output: Array, x: Array, weight: Array, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1, method: str = "im2col",
) -> Gradients:  # fmt: skip
    """Compute the gradients of a loss at the input, the weight and the bias of :func:`conv_transpose3d`.

    Parameters
    ----------
    grad_output : array, shape (N, K, oD, oH, oW)
        The gradient of the loss at the output.
    x : array, shape (N, C, D, H, W)
    weight : array, shape (C, K/G, kD, kH, kW)
    stride, padding, output_padding, groups, dilation, method
        As for :func:`conv_transpose3d`.

    Returns
    -------
    Gradients
        ``.input``, ``.weight`` and ``.bias``; summed over the batch, not averaged.

    Raises
    ------
    GeometryError, TensorError
        If the layer cannot exist, or grad_output does not have the shape of its output.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.array([1.0, 10.0, 100.0]).reshape(1, 1, 1, -1, 1), np.array([1.0, 10.0]).reshape(1, 1, 1, -1, 1)
    >>> gradients = conv_transpose3d_backward(np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 1, -1, 1), x, weight)
    >>> gradients.input.ravel().tolist(), gradients.weight.ravel().tolist(), gradients.bias.tolist()
    ([21.0, 32.0, 43.0], [321.0, 432.0], [10.0])
    """
    how = TransposedHow(3, stride, padding, output_padding, groups, dilation, method)
    return backward(grad_output, x, weight, how)


def exact_conv_transpose3d(
    x: Array, weight: Array, bias: Array | None = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1, out_format: str = "float64", overflow: str | None = None,
    method: str = "im2col",
) -> npt.NDArray[Any]:  # fmt: skip
    """Convolve transposed, exactly: the real-number result, rounded once to a format.

    Parameters
    ----------
    x, weight, bias, stride, padding, output_padding, groups, dilation, method
        As for :func:`conv_transpose3d`; NaN and infinities are resolved by rule.
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
        If the layer cannot exist.
    FormatError
        If the format is unknown or cannot hold a result.

    Examples
    --------
    >>> import numpy as np
    >>> x, weight = np.array([1e16, 1.0]).reshape(1, 1, 1, -1, 1), np.array([1.0, -1e16, 1.0]).reshape(1, 1, 1, -1, 1)
    >>> exact_conv_transpose3d(x, weight, -np.ones(1)).ravel().tolist()[2]  # 1e16 - 1e16 - 1
    -1.0
    """
    how = TransposedHow(3, stride, padding, output_padding, groups, dilation, method)
    return exactly(x, weight, bias, how, out_format, overflow)
