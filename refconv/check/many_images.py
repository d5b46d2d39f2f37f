"""More images than 16 bits count, on a few small cases: their golden values are known without computing.

Kernels hold the number of an image in a grid index of 16 bits, and offsets into x likewise; a case that shows it
would fill megabytes.  Instead, a small case is repeated: y and grad_input repeat with it.  For gradients that are
added up over the images, grad_output is zero in all copies but the last, so that nothing but the images beyond
16 bits contributes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.check.side_checks import SideCheck
from refconv.implementations import Call
from refconv.suite import Case, Expected

Array = npt.NDArray[Any]

COUNTED = 2**16  # images and elements of x that 16 bits count
TRIAL = 2**11  # images of the first attempt
SLOW = 0.05  # seconds for the first attempt, beyond which the second is left out: a loop in an interpreter
PRODUCTS = 12  # of one image at most, and elements of x and y: so that this costs milliseconds and megabytes
REPEATED = ("x", "grad_output")


def many_images(call: Call, case: Case, truth: Expected | None) -> list[SideCheck]:
    """List the calls with a few thousand and with more than 65,536 images, for exact cases of few products."""
    p = call.problem
    exact = case.result == "valid" and case.quantization is None and truth is not None and truth.judge.rule == "exact"
    if not exact or p.batch == 0 or math.prod(p.y_shape[1:]) * math.prod(p.weight_shape[1:]) > PRODUCTS:
        return []
    if math.prod(p.x_shape[1:]) > PRODUCTS or not all(_finite(tensor) for tensor in call.tensors.values()):
        return []
    return [_repeated(call, images // p.batch + 2, limit) for images, limit in ((TRIAL, SLOW), (COUNTED, math.inf))]


def _repeated(call: Call, copies: int, limit: float) -> SideCheck:
    tensors = {
        name: np.tile(tensor, (copies, *[1] * (tensor.ndim - 1))) if name in REPEATED else tensor
        for name, tensor in call.tensors.items()
    }
    by_image = call.operation in ("forward", "grad_input")
    if not by_image and tensors["grad_output"].size:  # an empty one is no copy, and read-only
        tensors["grad_output"][: -call.problem.batch] = 0
    problem = replace(call.problem, batch=copies * call.problem.batch)
    words = f"{problem.batch} images that repeat those of the case"
    undo = _one_copy(call.problem.batch) if by_image else np.asarray
    further = replace(call, tensors=tensors, problem=problem)
    return SideCheck(further, words, undo, limit=limit, copies=copies if by_image else 1)


def _one_copy(batch: int) -> Callable[[Array], Array]:
    """Return what takes the first copy that differs from the one before it, or any if all are alike."""

    def one(result: Array) -> Array:
        copies = result.reshape(len(result) // batch, batch, *result.shape[1:])
        other = (copies[1:] != copies[:-1]).any(axis=tuple(range(1, copies.ndim)))
        found: Array = copies[1 + int(np.argmax(other)) if other.any() else 0]
        return found

    return one


def _finite(tensor: Array) -> bool:
    return bool(np.isfinite(tensor.astype(np.float64)).all())
