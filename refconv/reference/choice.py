"""The reference of a method that suits a problem."""

from __future__ import annotations

from typing import Any

from refconv.problem import Problem, TransposedProblem
from refconv.reference import transposed


def suited(reference: Any, problem: Problem) -> Any:
    """Return a reference itself, or, for a transposed problem, the one of :mod:`refconv.reference.transposed`.

    Parameters
    ----------
    reference : module
        :mod:`refconv.reference.direct`, ``sparse`` or ``im2col``.
    problem : ConvProblem or TransposedProblem

    Examples
    --------
    >>> from refconv.problem import TransposedProblem
    >>> from refconv.reference import direct
    >>> problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(2,), kernel_size=(3,))
    >>> suited(direct, problem).__name__, suited(direct, problem.adjoint).__name__
    ('refconv.reference.transposed.direct', 'refconv.reference.direct')
    """
    return getattr(transposed, reference.name) if isinstance(problem, TransposedProblem) else reference
