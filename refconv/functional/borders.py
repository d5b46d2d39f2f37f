"""Padding modes: layers whose padding is made of the image, as a composition of a border and a reference.

PyTorch's ``padding_mode``.  The border is built first, then the larger image is convolved without padding.  Going
back, the gradient of the larger image is folded: every element of the border adds its gradient to the element of the
image that it was copied from.  Nothing in here multiplies, so that the composition is as exact as its reference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from array_api_compat import array_namespace, device

from refconv.errors import CatalogueError, GeometryError
from refconv.problem import ConvProblem

Array = Any  # of any array API namespace

MODES = ("zeros", "circular", "reflect", "replicate")


class Bordered:
    """A reference whose padding holds copies of the image.

    Parameters
    ----------
    reference : module or object
        Of the protocol :class:`refconv.implementations.Implementation`.
    mode : {"circular", "reflect", "replicate"}
        The image repeats, is mirrored at its first and last element, or continues with them.

    Examples
    --------
    >>> import numpy as np
    >>> from refconv.reference import direct
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(1,),
    ...                       padding=((2, 2),))
    >>> x, weight = np.array([[[1, 2, 3]]]), np.array([[[1]]])
    >>> [Bordered(direct, mode).forward(x, weight, None, problem).ravel().tolist() for mode in MODES[1:]]
    [[2, 3, 1, 2, 3, 1, 2], [3, 2, 1, 2, 3, 2, 1], [1, 1, 1, 2, 3, 3, 3]]
    """

    def __init__(self, reference: Any, mode: str) -> None:
        self.reference, self.mode = reference, mode
        self.name = f"{reference.name} with {mode} padding"
        self.unbounded_integers = getattr(reference, "unbounded_integers", False)

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        problem.check_tensor("x", x.shape)
        return self.reference.forward(self._larger(x, problem), weight, bias, _larger(problem))

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input: what flows to the border is added where it was copied from."""
        gradient = self.reference.grad_input(grad_output, weight, _larger(problem))
        for axis, places in enumerate(_sources(problem, self.mode), start=2):
            gradient = _folded(gradient, axis, places, problem.x_shape[axis])
        return gradient

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight."""
        problem.check_tensor("x", x.shape)
        return self.reference.grad_weight(self._larger(x, problem), grad_output, _larger(problem))

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias."""
        return self.reference.grad_bias(grad_output, problem)

    def _larger(self, x: Array, problem: ConvProblem) -> Array:
        xp = array_namespace(x)
        for axis, places in enumerate(_sources(problem, self.mode), start=2):
            x = xp.take(x, xp.asarray(places, device=device(x)), axis=axis)
        return x


def check_mode(mode: str, problem: ConvProblem) -> None:
    """Refuse a mode that does not exist, or a border that is larger than the image has elements for.

    Raises
    ------
    CatalogueError
        If the mode is unknown.
    GeometryError
        If a circular border is larger than the image, or a reflected one as large.
    """
    if mode not in MODES:
        raise CatalogueError(f"padding_mode must be one of {', '.join(MODES)}, got {mode!r}.")
    for length, pads in zip(problem.input_size, problem.padding, strict=True):
        most = {"circular": length, "reflect": length - 1}.get(mode, max(pads))
        if max(pads) > most:
            raise GeometryError(
                f"padding with padding_mode={mode!r} must be {most} or less on an axis of {length} elements, "
                f"got {pads}."
            )


def _larger(problem: ConvProblem) -> ConvProblem:
    size = tuple(length + sum(pads) for length, pads in zip(problem.input_size, problem.padding, strict=True))
    return replace(problem, input_size=size, padding=())


def _sources(problem: ConvProblem, mode: str) -> list[list[int]]:
    """List, along each axis, which element of the image every element of the larger image is a copy of."""
    axes = zip(problem.input_size, problem.padding, strict=True)
    return [[_source(place, length, mode) for place in range(-begin, length + end)] for length, (begin, end) in axes]


def _source(place: int, length: int, mode: str) -> int:
    if mode == "circular":
        return place % length
    if mode == "reflect":
        return length - 1 - abs(length - 1 - abs(place))
    return min(max(place, 0), length - 1)


def _folded(gradient: Array, axis: int, places: list[int], length: int) -> Array:
    """Add every slice of an axis to the slice that it is a copy of."""
    xp = array_namespace(gradient)
    shape = (*gradient.shape[:axis], length, *gradient.shape[axis + 1 :])
    total = xp.zeros(shape, dtype=gradient.dtype, device=device(gradient))
    before = (slice(None),) * axis
    for copy, place in enumerate(places):
        total[(*before, place, ...)] += gradient[(*before, copy, ...)]
    return total
