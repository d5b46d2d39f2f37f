"""Call an implementation in this process, and watch what it does to memory."""

from __future__ import annotations

import builtins
import math
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.formats import natural_output
from refconv.implementations.arrangement import POISON, arranged, memory_of
from refconv.implementations.callables import Runner
from refconv.implementations.misbehaviour import MisbehaviourError
from refconv.implementations.places import told
from refconv.implementations.protocol import PLAIN, RESULT_NAMES
from refconv.implementations.session import BROKE_DOWN, Answer, Call, as_array, same_bytes
from refconv.problem import Problem, TransposedProblem

Array = npt.NDArray[Any]
Buffers = dict[str, Array]

REFUSALS = (ValueError, TypeError, AssertionError, RuntimeError)
LARGEST_POISON = 2**22  # bytes: larger blocks usually come fresh from the system, filled with zeros


class InProcess:
    """A session in this process: quick, and at the mercy of what it calls.

    Before a call the heap is poisoned, so that memory that is read before it is written shows;
    after it, the inputs and the result of the call before are compared with what they were.
    """

    repeats = True

    def __init__(self, runner: Runner, remake: Callable[[], Runner] | None = None) -> None:
        self.runner, self.name, self.remake = runner, runner.name, remake
        self.arranges: bool = getattr(runner, "arranges", True)
        self.checks_arguments: bool = getattr(runner, "checks_arguments", True)
        self._buffers: Buffers = {}
        self._last: tuple[Array, Array] | None = None  # the result of the call before, and a copy of it

    def call(self, call: Call) -> Answer:
        """Run one operation."""
        tensors = self._laid_out(call)
        before = {name: memory_of(tensor) for name, tensor in tensors.items()}
        _poison_heap(call)
        begin = time.perf_counter()
        try:
            with np.errstate(all="ignore"):  # infinities and overflows are what some cases are about
                result = self.runner.run(
                    call.operation, tensors, call.problem, *([call.demand] if call.demand != PLAIN else [])
                )
        except NotImplementedError as error:
            return Answer("UNSUPPORTED", message=str(error), seconds=time.perf_counter() - begin)
        except MisbehaviourError as caught:
            return Answer(caught.status, message=str(caught), seconds=time.perf_counter() - begin)
        except (Exception, SystemExit) as error:
            return Answer(*blame(error), seconds=time.perf_counter() - begin)
        seconds = time.perf_counter() - begin
        changed = tuple(name for name, tensor in tensors.items() if memory_of(tensor) != before[name])
        array = as_array(result)
        if array is None:
            name, kind = RESULT_NAMES[call.operation], type(result).__name__
            return Answer("ERROR", None, f"{name} must be an array of numbers, got {kind}", seconds, changed)
        return Answer("RETURNED", array, "", seconds, changed, self._overwrote(array))

    def _laid_out(self, call: Call) -> Buffers:
        """Copy the inputs: into the buffers of the call before if that is asked for and they fit."""
        old = self._buffers if call.in_place else {}
        self._buffers = {}
        for name, tensor in call.tensors.items():
            buffer = old.get(name)
            if buffer is None or (buffer.shape, buffer.dtype) != (tensor.shape, tensor.dtype):
                buffer = arranged(tensor, call.arrangement)
            else:
                buffer[...] = tensor
            self._buffers[name] = buffer
        return dict(self._buffers)

    def _overwrote(self, result: Array) -> bool:
        """Compare the result of the call before with its copy, and keep this one."""
        overwrote = self._last is not None and not same_bytes(*self._last)
        self._last = (result, result.copy())
        return overwrote

    def renew(self) -> None:
        """Make the implementation anew, where it is known how."""
        if self.remake is not None:
            self.runner = self.remake()
        self.close()

    def close(self) -> None:
        """Forget everything."""
        self._buffers, self._last = {}, None

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def blame(error: BaseException) -> tuple[str, Any, str]:
    """Tell what may be a refusal from a breakdown: errors like IndexError are nobody's way to refuse a problem."""
    own = type(error) is Exception or not hasattr(builtins, type(error).__name__)
    if own or type(error) in REFUSALS:
        return "REJECTED", None, told(error, "raised ", " on a legal problem")
    return "ERROR", None, told(error, BROKE_DOWN)


def _poison_heap(call: Call) -> None:
    """Fill and free blocks of the sizes that the call is likely to ask for."""
    sizes = _likely(call.problem, next(iter(call.tensors.values())).dtype)
    blocks = [np.empty(size, np.uint8) for size in sizes]
    for block in blocks:
        block.fill(POISON)


@lru_cache(maxsize=4)
def _likely(problem: Problem, item: np.dtype[Any]) -> tuple[int, ...]:
    """List sizes in bytes, each as often as its block is to be filled."""
    formats = {item, natural_output(item).dtype, np.dtype(np.float64)}
    gathers = problem.adjoint if isinstance(problem, TransposedProblem) else problem
    padded = [length + sum(pads) for length, pads in zip(gathers.input_size, gathers.padding, strict=True)]
    counts = {math.prod(problem.shape_of(name)) for name in ("x", "weight", "y", "bias")}
    counts.add(math.prod(gathers.x_shape[:2]) * math.prod(padded))
    sizes = {(count, dtype) for count in counts for dtype in formats if count * dtype.itemsize <= LARGEST_POISON}
    return tuple(count * dtype.itemsize for count, dtype in sizes for _ in range(2))
