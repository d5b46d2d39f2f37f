"""Tell which faulty convolutions a case catches by its golden values alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.diagnosis.defects import Defect, TransposedDefect, Triggered
from refconv.exact.expansion import is_cast
from refconv.exact.special import add
from refconv.exact.sums import FloatSum
from refconv.formats import get_format
from refconv.implementations import ARGUMENTS, RESULT_NAMES
from refconv.judge import Verdict, judge_tensor
from refconv.problem import ConvProblem, TransposedProblem
from refconv.suite import Case, Expected

Array = npt.NDArray[Any]


Model = type[Defect] | type[TransposedDefect]


def catches(case: Case, defect: Model) -> tuple[str, ...]:
    """Return the operations of a case whose golden value a defect misses.

    The defect computes in float64, so that nothing but the defect itself is held against it; what it gives is rounded
    to the format of the result, since two sums that differ may be one number there.

    Parameters
    ----------
    case : Case
        A choice, and what must be refused, catches nothing by its values.
    defect : type of Defect or TransposedDefect

    Examples
    --------
    >>> from refconv.diagnosis.defects import all_defects
    >>> from refconv.suite import load_suite
    >>> from refconv.suite.embedded import smoke_folder
    >>> case = load_suite(smoke_folder()).case("worked-example-float32-iota/x3x3-w2x2")
    >>> catches(case, all_defects()["kernel-flipped"])
    ('forward', 'grad_input', 'grad_weight')
    """
    if case.result != "valid" or case.quantization is not None:
        return ()
    return tuple(operation for operation in defect.operations if _misses(case, defect, operation))


def _misses(case: Case, defect: Model, operation: str) -> bool:
    expected = case.expected.get(RESULT_NAMES[operation])
    if expected is None:
        return False
    try:
        got = predicted(case, defect, operation)
    except (ValueError, IndexError):  # models need not know what to do where there is nothing to compute
        usual = len(case.problem.input_size) == 2 and not isinstance(case.problem, TransposedProblem)
        return (usual or defect.refuses) and 0 not in (*case.problem.x_shape, *case.problem.y_shape)
    if got is None:
        return False
    return not (got.shape == expected.tensor.shape and judge(rounded(got, expected), expected).passed)


def rounded(got: Array, expected: Expected) -> Array:
    """Round float64 once to the format of a golden value, as its case treats overflow; integers stay float64.

    Examples
    --------
    >>> from refconv.suite import Judge
    >>> from refconv.formats import get_format
    >>> narrow = np.zeros(2, get_format("bfloat16").dtype)
    >>> rounded(np.array([257 + 2.0**-30, 2.0**128]), Expected(narrow, Judge("exact"))).tolist()
    [258.0, inf]
    """
    out = get_format(expected.tensor.dtype)
    if out.is_integer:
        return got
    overflow = expected.judge.overflow or ("infinity" if out.has_infinity else "nan")
    if is_cast(out, overflow):
        with np.errstate(over="ignore"):
            return got.astype(out.dtype)
    return add(FloatSum(got.shape, ()), got).round(out, overflow)


def judge(got: Array, expected: Expected) -> Verdict:
    """Judge a tensor as the vectors say."""
    return judge_tensor(got, expected.tensor, expected.lo, expected.hi)


def predicted(case: Case, defect: Model, operation: str) -> Array | None:
    """Return what a defect makes of a case, in float64; None where its trigger does not hold.

    Models of convolutions say nothing of transposed ones, nor the reverse.

    Raises
    ------
    ValueError, IndexError
        If a layer with the bug refuses the problem, or the model has no answer.

    Examples
    --------
    >>> from refconv.diagnosis.defects import triggered_defects
    >>> from refconv.suite import load_suite
    >>> from refconv.suite.embedded import smoke_folder
    >>> case = load_suite(smoke_folder()).case("worked-example-float32-iota/x3x3-w2x2")
    >>> predicted(case, triggered_defects()["seventeenth-column-skipped"], "forward") is None
    True
    """
    layer: Any = defect()
    if isinstance(case.problem, TransposedProblem) != isinstance(layer, TransposedDefect):
        return None
    if isinstance(layer, Triggered) and isinstance(case.problem, ConvProblem):
        dtype = next(iter(case.inputs.values())).dtype
        if not layer.holds(operation, case.problem, dtype):
            return None
        layer = layer.layer(operation, case.problem, dtype)
    with np.errstate(all="ignore"):
        got: Array = getattr(layer, operation)(*widened(case, operation), case.problem)
    return got


def widened(case: Case, operation: str) -> list[Any]:
    """Return the inputs of an operation in float64; None for those that the case does not have."""
    tensors = (case.inputs.get(name) for name in ARGUMENTS[operation])
    return [None if tensor is None else tensor.astype(np.float64) for tensor in tensors]
