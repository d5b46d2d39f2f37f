"""What a right result does not show: state that is kept, and memory layouts that are taken for granted.

After a call whose result was right, the same operation is asked for again: with tensors that lie in
memory otherwise, and with other numbers in the same buffers, as an optimiser leaves them.  The other
numbers are the negatives of one factor: the result is then the negative of the golden value, in any
arithmetic that rounds symmetrically, so that nothing needs to be computed for it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.formats import get_format
from refconv.implementations import Call
from refconv.implementations.arrangement import EXPANDED, is_constant
from refconv.problem import TransposedProblem
from refconv.suite import Case

Array = npt.NDArray[Any]

LAYOUTS = {
    "fortran": "Fortran-ordered inputs",
    "channels-last": "inputs that lie in memory channels-last",
    "strided": "inputs that are every second element of a larger array",
    "window": "inputs that are windows of larger arrays",
    "reversed": "inputs whose rows lie in memory from right to left",
    "channel-slice": "inputs that are some of the channels of larger arrays, channels-last",
}

LAYOUTS_EACH = 2  # of them are tried on each operation of a case

FACTORS = {  # what may be negated: the result is linear in each of these sets
    "forward": (("weight", "bias"), ("x", "bias")),
    "grad_input": (("weight",), ("grad_output",)),
    "grad_weight": (("x",), ("grad_output",)),
    "grad_bias": (("grad_output",), ("grad_output",)),
}


@dataclass(frozen=True)
class SideCheck:
    """A further call, and how its result is to be read.

    Attributes
    ----------
    call : Call
    words : str
        Completes "the result is right, but wrong with ...".
    undo : callable
        Turns its result into what the first call must return.
    first : bool
        Whether it follows that call directly, and so tells whether its result was overwritten.
    limit : float
        Seconds; those that follow are left out if it takes longer.
    copies : int
        How often the images stand in its result.
    """

    call: Call
    words: str
    undo: Callable[[Array], Array] = np.asarray
    first: bool = False
    limit: float = math.inf
    copies: int = 1

    def shape(self, first: Array) -> tuple[int, ...]:
        """Return the shape that its result must have, where the first call returned this."""
        return first.shape if self.copies == 1 else (self.copies * len(first), *first.shape[1:])


def side_checks(call: Call, case: Case, arranges: bool = True) -> list[SideCheck]:
    """List the further calls that a right result is put to, chosen by the case's id.

    Parameters
    ----------
    call : Call
        The one that gave the right result.
    case : Case
    arranges : bool
        Whether the way of plugging in can hand over tensors that are not packed.
    """
    turn = zlib.crc32(f"{call.case_id}/{call.operation}".encode())
    found = [_update(call, turn)] if _negatable(call, case) else []
    if _permutable(call, case):
        found.append(_partial_update(call))
    if arranges and any(map(is_constant, call.tensors.values())):
        found.append(
            SideCheck(replace(call, arrangement=EXPANDED), "equal elements that are one, with strides of zero")
        )
    for step in range(LAYOUTS_EACH if arranges else 0):
        layout = list(LAYOUTS)[(turn + step) % len(LAYOUTS)]
        found.append(SideCheck(replace(call, arrangement=layout), LAYOUTS[layout]))
    return [replace(side, first=index == 0) for index, side in enumerate(found)]


def repeated(call: Call) -> SideCheck:
    """Return the same call once more, which tells state from layout."""
    return SideCheck(call, "the same inputs a second time")


def _update(call: Call, turn: int) -> SideCheck:
    names = [name for name in FACTORS[call.operation][turn // len(LAYOUTS) % 2] if name in call.tensors]
    tensors = {name: np.negative(tensor) if name in names else tensor for name, tensor in call.tensors.items()}
    words = f"other values of {' and '.join(names)} in the same buffers, as an optimiser leaves them"
    return SideCheck(replace(call, tensors=tensors, in_place=True), words, np.negative)


def _partial_update(call: Call) -> SideCheck:
    """Reverse the output channels but the first and the last one, which a cache may have taken as samples."""
    order = np.arange(call.problem.out_channels)
    order[1:-1] = order[-2:0:-1]
    axis = {"weight": int(isinstance(call.problem, TransposedProblem)), "bias": 0}  # that of the output channels
    tensors = {name: np.take(tensor, order, axis[name]) if name in axis else tensor
               for name, tensor in call.tensors.items()}  # fmt: skip
    words = "other values in the middle of weight, in the same buffers"
    return SideCheck(replace(call, tensors=tensors, in_place=True), words, lambda y: y[:, order])


def _permutable(call: Call, case: Case) -> bool:
    one_group = call.problem.groups == 1 and call.problem.out_channels >= 4
    return call.operation == "forward" and one_group and case.result == "valid" and case.quantization is None


def _negatable(call: Call, case: Case) -> bool:
    """Tell whether negating a factor is exact in its format and negates the golden value."""
    if case.result != "valid" or case.quantization is not None:
        return False
    for tensor in call.tensors.values():
        element = get_format(tensor.dtype)
        if element.is_integer and (element.smallest >= 0 or np.any(tensor == element.smallest)):
            return False
    return True
