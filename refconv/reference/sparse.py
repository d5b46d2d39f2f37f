"""The matrix: one image's convolution is Y* = W* X*, with a sparse W*.

X* is the image unrolled into a column of C*H*W numbers, Y* the output unrolled into K*oH*oW, and W* a
sparse matrix that holds each weight in many places (Dumoulin and Visin, "A guide to convolution
arithmetic for deep learning", arXiv:1603.07285, section 4.1).  The layer's gradients are then those of
any linear map, with one difference that is often overlooked:

* grad_input: the gradient at X* is (W*)ᵀ ∇, as for a dense layer.
* grad_weight: the gradient at W*, taken as a free matrix, is ∇ (X*)ᵀ.  That is *not* the layer's
  gradient.  It is dense, while W* has zeros that must stay zero, and it treats as free what is tied:
  updating W* by it would leave the set of convolutions at the first step.  The layer's gradient is its
  projection onto the pattern: for each weight, the sum of ∇ (X*)ᵀ over the places where it stands.
  The projection is computed at those places alone; the dense product is never formed.

W* is built from the definition by index arithmetic, a block of rows at a time, so that memory stays
bounded whatever the problem.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refconv.problem import ConvProblem, Geometry

if TYPE_CHECKING:  # imported where a matrix is made: it takes longer than all the rest of the package
    from scipy.sparse import csr_array

Array = npt.NDArray[Any]

name = "sparse"
BUDGET = 64 * 2**20  # bytes that a block of rows of W*, and what is gathered through it, may take


class Pattern(NamedTuple):
    """Where the weights stand in the rows ``rows`` of W*, in CSR order."""

    rows: slice
    indptr: Array  # where each row begins
    column: Array  # which element of X* an entry multiplies
    tie: Array  # which weight the entry is, as an index into weight.ravel()


def convolution_matrix(weight: Array, problem: ConvProblem) -> csr_array:
    """Unroll the weights into W*, the matrix with Y* = W* X* for one image.

    Parameters
    ----------
    weight : array, shape (K, C/G, kH, kW)
    problem : ConvProblem
        Its batch does not matter.

    Returns
    -------
    scipy.sparse.csr_array, shape (K*oH*oW, C*H*W)
        Every tap that meets the image is stored, zero weights included.

    Raises
    ------
    TensorError
        If weight does not have the shape that the problem gives it.

    Notes
    -----
    Dumoulin and Visin, section 4.1.

    Examples
    --------
    >>> weight = np.array([[[[1, 2], [3, 4]]]])
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))
    >>> print(convolution_matrix(weight, problem).toarray())
    [[1 2 0 3 4 0 0 0 0]
     [0 1 2 0 3 4 0 0 0]
     [0 0 0 1 2 0 3 4 0]
     [0 0 0 0 1 2 0 3 4]]
    """
    problem.check_tensor("weight", weight.shape)
    return _matrix(_pattern(problem, 0, problem.matrix_shape[0]), weight, problem)


def forward(x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
    """Multiply: Y* = W* X*, all images of the batch as the columns of X*.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    weight : array, shape (K, C/G, kH, kW)
    bias : array, shape (K,), or None
    problem : ConvProblem

    Returns
    -------
    array, shape (N, K, oH, oW)

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Notes
    -----
    Dumoulin and Visin, section 4.1.

    Examples
    --------
    >>> x = np.array([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]])
    >>> weight = np.array([[[[1, 2], [3, 4]]]])
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))
    >>> forward(x, weight, None, problem).tolist()
    [[[[37, 47], [67, 77]]]]
    """
    problem.check_tensor("x", x.shape)
    problem.check_tensor("weight", weight.shape)
    images = _unroll(x, problem.batch)
    outputs = np.zeros((problem.matrix_shape[0], problem.batch), dtype=np.result_type(x, weight))
    for block in _blocks(problem):
        outputs[block.rows] = _matrix(block, weight, problem) @ images
    y = outputs.T.reshape(problem.y_shape)
    if bias is None:
        return y
    problem.check_tensor("bias", bias.shape)
    return y + bias.reshape(-1, *[1] * len(problem.output_size))


def grad_input(grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
    """Multiply by the transpose: the gradient at X* is (W*)ᵀ ∇.

    Parameters
    ----------
    grad_output : array, shape (N, K, oH, oW)
    weight : array, shape (K, C/G, kH, kW)
    problem : ConvProblem

    Returns
    -------
    array, shape (N, C, H, W)

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Notes
    -----
    The chain rule for Y* = W* X* with respect to X*; Dumoulin and Visin, section 4.1.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> grad_input(np.array([[[[1, 10]]]]), np.array([[[[2, 3]]]]), problem).tolist()
    [[[[2, 23, 30]]]]
    """
    problem.check_tensor("grad_output", grad_output.shape)
    problem.check_tensor("weight", weight.shape)
    nabla = _unroll(grad_output, problem.batch)
    images = np.zeros((problem.matrix_shape[1], problem.batch), dtype=np.result_type(grad_output, weight))
    for block in _blocks(problem):
        images += _matrix(block, weight, problem).T @ nabla[block.rows]
    return images.T.reshape(problem.x_shape)


def grad_weight(x: Array, grad_output: Array, problem: ConvProblem) -> Array:
    """Project ∇ (X*)ᵀ onto the pattern: sum it, for each weight, over the places where it stands.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    grad_output : array, shape (N, K, oH, oW)
    problem : ConvProblem

    Returns
    -------
    array, shape (K, C/G, kH, kW)
        Summed over the batch, not averaged.

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Notes
    -----
    The chain rule for W*, which depends linearly on the weights: W*[r, j] = weight[tie(r, j)], so
    dloss/dweight[t] is the sum of (∇ (X*)ᵀ)[r, j] over all (r, j) with tie(r, j) = t.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> grad_weight(np.array([[[[2, 3, 5]]]]), np.array([[[[1, 10]]]]), problem).tolist()
    [[[[32, 53]]]]
    """
    problem.check_tensor("x", x.shape)
    problem.check_tensor("grad_output", grad_output.shape)
    images, nabla = _unroll(x, problem.batch), _unroll(grad_output, problem.batch)
    gradient = np.zeros(math.prod(problem.weight_shape), dtype=np.result_type(x, grad_output))
    for block in _blocks(problem):
        row = np.repeat(np.arange(block.rows.start, block.rows.stop), np.diff(block.indptr))
        entries = np.einsum("en,en->e", nabla[row], images[block.column])
        gradient += _projection(block.tie, len(gradient), gradient.dtype) @ entries
    return gradient.reshape(problem.weight_shape)


def grad_bias(grad_output: Array, problem: Geometry) -> Array:
    """Multiply by the transpose of the matrix that hands each bias to its oH*oW outputs.

    Parameters
    ----------
    grad_output : array, shape (N, K, oH, oW)
    problem : ConvProblem

    Returns
    -------
    array, shape (K,)

    Raises
    ------
    TensorError
        If grad_output does not have the shape that the problem gives it.

    Notes
    -----
    The chain rule for Y* = W* X* + B* b, where B*[r, k] is 1 if row r belongs to output channel k.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(1, 3), kernel_size=(1, 2))
    >>> grad_bias(np.array([[[[1, 10]], [[2, 20]]]]), problem).tolist()
    [11, 22]
    """
    problem.check_tensor("grad_output", grad_output.shape)
    channel = np.repeat(np.arange(problem.out_channels), math.prod(problem.output_size))
    per_image = _projection(channel, problem.out_channels, grad_output.dtype) @ _unroll(grad_output, problem.batch)
    return np.asarray(per_image.sum(axis=1, dtype=grad_output.dtype))


def _pattern(problem: ConvProblem, start: int, stop: int) -> Pattern:
    """Find the entries of rows ``start`` to ``stop`` of W*, by index arithmetic from the definition."""
    taps = problem.weight_shape[1:]  # (C/G, kH, kW)
    row, tap = np.arange(start, stop), np.arange(math.prod(taps))
    k, *output = np.unravel_index(row, problem.y_shape[1:])
    c, *kernel = np.unravel_index(tap, taps)
    column = (k // max(1, problem.out_channels // problem.groups) * taps[0])[:, None] + c
    inside = np.ones(column.shape, dtype=bool)
    for axis, length in enumerate(problem.input_size):
        first = output[axis] * problem.stride[axis] - problem.padding[axis][0]
        position = first[:, None] + kernel[axis] * problem.dilation[axis]
        inside &= (position >= 0) & (position < length)
        column = column * length + position
    tie = k[:, None] * len(tap) + tap
    indptr = np.concatenate(([0], np.cumsum(inside.sum(axis=1))))
    return Pattern(slice(start, stop), indptr, column[inside], tie[inside])


def _blocks(problem: ConvProblem) -> Iterator[Pattern]:
    """Cut the rows of W* into blocks whose patterns and gathered entries fit into the budget."""
    entry = 64 + 3 * 8 * problem.batch  # bytes: indices, masks and data; two gathered factors, their product
    rows, per_row = problem.matrix_shape[0], max(1, math.prod(problem.weight_shape[1:]))
    step = max(1, BUDGET // (entry * per_row))
    for start in range(0, rows, step):
        yield _pattern(problem, start, min(rows, start + step))


def _matrix(pattern: Pattern, weight: Array, problem: ConvProblem) -> csr_array:
    """Put the weights into their places."""
    from scipy.sparse import csr_array

    height = pattern.rows.stop - pattern.rows.start
    return csr_array(
        (weight.ravel()[pattern.tie], pattern.column, pattern.indptr), shape=(height, problem.matrix_shape[1])
    )


def _projection(tie: Array, count: int, dtype: Any) -> csr_array:
    """Build the 0/1 matrix that sums the entries of each tie."""
    from scipy.sparse import csr_array

    entries = np.arange(len(tie))
    return csr_array((np.ones(len(tie), dtype=dtype), (tie, entries)), shape=(count, len(tie)))


def _unroll(tensor: Array, batch: int) -> Array:
    """Turn (N, ...) into one column per image."""
    return tensor.reshape(batch, math.prod(tensor.shape[1:])).T
