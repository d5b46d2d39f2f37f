"""A failure as a few lines of Python that fail for the same reason."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.diagnosis.hunt.attempt import Attempt
from refconv.diagnosis.hunt.source import Source, source_of
from refconv.diagnosis.hunt.trial import STANDARD, Catch, evidence_of
from refconv.implementations import ARGUMENTS, RESULT_NAMES, Runner, SessionRunner, load_implementation
from refconv.implementations.callables import FunctionRunner
from refconv.implementations.command import is_command
from refconv.implementations.keywords import GRADIENTS
from refconv.judge import AccuracyClass

Array = npt.NDArray[Any]

SMALL = 200  # elements of all tensors up to which they are written out
LAYING = {
    "contiguous": "",
    "channels-last": "np.moveaxis(np.ascontiguousarray(np.moveaxis({0}, 1, -1)), -1, 1)",
    "every-second": "np.repeat({0}, 2, axis=-1)[..., ::2]",
    "reversed": "np.ascontiguousarray({0}[..., ::-1])[..., ::-1]",
}


def program_for(caught: Catch | None, runner: Runner, source: Any, claimed: AccuracyClass | None) -> str:
    """Write the program for whatever was hunted: an object, or what a text names, in this process or another."""
    if caught is None:
        return ""
    if isinstance(source, str) and isinstance(runner, SessionRunner) and not is_command(source):
        runner = load_implementation(source)  # imported, not called
    return reproducer(caught, source_of(source), runner, claimed)


def reproducer(caught: Catch, source: Source, runner: Runner, claimed: AccuracyClass | None = None) -> str:
    """Write a program that shows the failure.

    Small tensors are written out, and for a plain function nothing but NumPy is needed; of large ones the
    program makes the same numbers again by refconv.

    Parameters
    ----------
    caught : Catch
    source : Source
        Of the implementation.
    runner : Runner
    claimed : AccuracyClass, optional
        By which the results were judged.

    Returns
    -------
    str
        It ends with an AssertionError, or with what the implementation raises.
    """
    if caught.attempt.size > SMALL or claimed is not None:
        return _by_refconv(caught, source, claimed)
    return _Writer(caught, source, runner).program()


def _by_refconv(caught: Catch, source: Source, claimed: AccuracyClass | None) -> str:
    judged = f", parse_class({claimed.name!r})" if claimed else ""
    lines = [
        "from refconv.diagnosis.hunt import Attempt, trial",
        "from refconv.implementations import as_runner",
        *(["from refconv.judge import parse_class"] if claimed else []),
        *source.lines,
        "",
        f"attempt, operation = Attempt.from_json('''{caught.attempt.as_json(caught.operation)}''')",
        f"caught = trial(as_runner({source.name}), attempt, operation{judged})",
        "assert caught is None, caught.message",
    ]
    return "\n".join(lines) + "\n"


class _Writer:
    """Writes out one failure with all its numbers."""

    def __init__(self, caught: Catch, source: Source, runner: Runner) -> None:
        self.caught, self.source, self.runner = caught, source, runner
        self.attempt: Attempt = caught.attempt
        self.result = RESULT_NAMES[caught.operation]
        self.plain = isinstance(runner, FunctionRunner)

    def program(self) -> str:
        lines = [*self._imports(), "", *self._call("first")]
        if self.attempt.again:
            lines += [f"first, kept = {self.result}, np.array({self.result})", "", "# the second call"]
            lines += [*self._call("again"), "np.testing.assert_array_equal(first, kept)"]
        return "\n".join(lines) + "\n"

    def _imports(self) -> list[str]:
        narrow = "float8" in self.attempt.dtype or self.attempt.dtype == "bfloat16"
        lines = [*(["import ml_dtypes"] if narrow else []), "import numpy as np"]
        gradient = self.plain and self.caught.operation != "forward"
        name = self.source.name
        own = [f"{line}, {name}_backward" if gradient and line.endswith(f"import {name}") else line
               for line in self.source.lines]  # fmt: skip
        if self.plain:
            return lines + own
        lines += ["from refconv import ConvProblem", "from refconv.implementations import as_runner", *own, ""]
        return [*lines, f"problem = ConvProblem.from_descriptor({self.attempt.problem.descriptor!r})",
                f"runner = as_runner({name})"]  # fmt: skip

    def _call(self, call: str) -> list[str]:
        tensors = self.attempt.tensors(call)
        needed = [*ARGUMENTS[self.caught.operation]]
        if self.plain and self.caught.operation != "forward":
            needed = ["grad_output", "x", "weight"]
        lines = []
        for name in needed:
            lines += self._tensor(name, tensors.get(name))
        if self.caught.kind == "changed":
            lines.append(f"before = [np.array(tensor) for tensor in ({', '.join(self._present(needed))},)]")
        lines += [self._statement(needed), *self._assertions(tensors)]
        if self.caught.kind == "changed":
            lines.append(f"for old, new in zip(before, ({', '.join(self._present(needed))},), strict=True):")
            lines.append("    np.testing.assert_array_equal(new, old)")
        return lines

    def _present(self, needed: list[str]) -> list[str]:
        return [name for name in needed if name != "bias" or self.attempt.bias]

    def _tensor(self, name: str, tensor: Array | None) -> list[str]:
        if tensor is None:
            return [f"{name} = None"]
        lines = [f"{name} = {_written(tensor)}"]
        laying = LAYING[self.attempt.layout].format(name)
        return [*lines, f"{name} = {laying}"] if laying and (tensor.ndim > 1 or "moveaxis" not in laying) else lines

    def _statement(self, needed: list[str]) -> str:
        operation, problem = self.caught.operation, self.attempt.problem
        if not self.plain:
            tensors = ", ".join(f"{name!r}: {name}" for name in needed)
            return f"{self.result} = np.asarray(runner.run({operation!r}, {{{tensors}}}, problem))"
        symmetric = all(begin == end for begin, end in problem.padding)
        stated = {
            "stride": problem.stride,
            "padding": tuple(begin for begin, _ in problem.padding) if symmetric else problem.padding,
            "dilation": problem.dilation,
            "groups": problem.groups,
        }
        forward = operation == "forward"
        taken = _parameters(self.runner, forward)
        words = ", ".join([*needed, *(f"{name}={value}" for name, value in stated.items() if taken(name))])
        name = self.source.name if forward else f"{self.source.name}_backward"
        pick = "" if forward else f"[{GRADIENTS.index(operation)}]"
        return f"{self.result} = np.asarray({name}({words}){pick})"

    def _assertions(self, tensors: dict[str, Array]) -> list[str]:
        evidence = evidence_of(self.attempt, self.caught.operation, tensors)
        lines = [f"expected = {_written(evidence.truth)}"]
        lines.append(f"assert {self.result}.shape == expected.shape, {self.result}.shape")
        if self.attempt.exact:
            lines.append(f"np.testing.assert_array_equal({self.result}, expected)")
        else:
            lo, hi, _ = STANDARD.interval(evidence)
            lines += [f"lo = {_written(lo)}", f"hi = {_written(hi)}"]
            lines.append(f"assert np.all((lo <= {self.result}) & ({self.result} <= hi)), {self.result}")
        return [*lines, f"assert {self.result}.dtype == expected.dtype, {self.result}.dtype"]


def _parameters(runner: Any, forward: bool) -> Any:
    """Return a predicate: whether the function takes a keyword."""
    try:
        known = inspect.signature(runner.function if forward else runner.backward).parameters
    except (TypeError, ValueError):
        return lambda name: True
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    return lambda name: anything or name in known


def _written(tensor: Array) -> str:
    name = tensor.dtype.name
    narrow = name.startswith(("bfloat", "float8"))
    dtype = f"ml_dtypes.{name}" if narrow else f"np.{name}"
    if tensor.size == 0:
        return f"np.zeros({tensor.shape}, {dtype})"
    values = tensor.tolist() if tensor.dtype.kind in "iu" else tensor.astype(np.float64).tolist()
    return f"np.array({values!r}, {dtype})".replace("inf", "np.inf")
