"""The keyword arguments that a function or a class takes, and what to do about those that it does not."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from refconv.implementations.protocol import Demand
from refconv.problem import Problem, TransposedProblem

GEOMETRY = ("stride", "padding", "dilation", "groups", "output_padding")
GRADIENTS = ("grad_input", "grad_weight", "grad_bias")


def keywords(function: Callable[..., Any], problem: Problem) -> dict[str, Any]:
    """Return the geometry as PyTorch says it; padding in pairs where it is not symmetric."""
    transposed = isinstance(problem, TransposedProblem)
    if transposed != _is_transposed(function):
        kind = "transposed convolution" if transposed else "convolution"
        name = getattr(function, "__name__", function)
        raise NotImplementedError(f"{name} is no {kind}: it takes {'no' if transposed else 'an'} output_padding.")
    symmetric = all(begin == end for begin, end in problem.padding)
    found = {
        "stride": problem.stride,
        "padding": tuple(begin for begin, _ in problem.padding) if symmetric else problem.padding,
        "dilation": problem.dilation,
        "groups": problem.groups,
    }
    if isinstance(problem, TransposedProblem):
        found["output_padding"] = problem.output_padding
    neutral = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    missing = [name for name in found if not takes(function, name)]
    for name in missing:
        value = found.pop(name)
        if any(entry != neutral[name] for entry in (value if isinstance(value, tuple) else (value,))):
            raise NotImplementedError(f"{getattr(function, '__name__', function)} takes no argument {name}.")
    return found


def _is_transposed(function: Callable[..., Any]) -> bool:
    """Tell by its arguments; a function that takes any keywords is none, unless it names this one."""
    return "output_padding" in (_names(function) or ())


def stated(function: Callable[..., Any], demand: Demand) -> dict[str, str]:
    """Return what a case asks for beyond its tensors, if the function can be told."""
    for name, value in demand.keywords.items():
        if not takes(function, name):
            raise NotImplementedError(f"{getattr(function, '__name__', function)} takes no {name}={value!r}.")
    return demand.keywords


def with_bias(function: Callable[..., Any], x: Any, weight: Any, bias: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return the tensors as a function takes them: the bias in the third place, by its name, or not at all."""
    third = _remembered(_third, function)
    if third is None or third not in ("", *GEOMETRY):
        return [x, weight, bias], {}
    if takes(function, "bias"):
        return [x, weight], {"bias": bias}
    if bias is not None:
        name = getattr(function, "__name__", function)
        raise NotImplementedError(f"{name} takes no argument bias: a function around it may add one to its result.")
    return [x, weight], {}


def takes(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a function can be given a keyword argument."""
    names = _names(function)
    return names is None or name in names or "**" in names


def _names(function: Callable[..., Any]) -> frozenset[str] | None:
    """Return the arguments that a function names, with "**" if it takes any; None if that cannot be told."""
    names: frozenset[str] | None = _remembered(_read, function)
    return names


def _remembered(read: Any, function: Callable[..., Any]) -> Any:
    """Read a signature once, unless the function cannot be hashed."""
    try:
        return read(function)
    except TypeError:
        return read.__wrapped__(function)


@functools.lru_cache(maxsize=64)
def _third(function: Callable[..., Any]) -> str | None:
    """Return the name of the third argument that is given by its place, "" if there is none; None if nobody knows."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    places = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return places[2] if places[2:] else ""


@functools.lru_cache(maxsize=64)  # reading a signature takes longer than many a call
def _read(function: Callable[..., Any]) -> frozenset[str] | None:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function written in C
        return None
    return frozenset("**" if p.kind is p.VAR_KEYWORD else name for name, p in parameters.items())


def _said(result: Any) -> str:
    kind = type(result).__name__
    return f"a {kind} of {len(result)}" if isinstance(result, tuple | list) else kind


def pick(gradients: Any, operation: str, name: str) -> Any:
    """Take one of the three gradients that a backward function returns."""
    if not isinstance(gradients, tuple | list) or len(gradients) != len(GRADIENTS):
        raise TypeError(f"{name} must return (grad_input, grad_weight, grad_bias), got {_said(gradients)}.")
    gradient = gradients[GRADIENTS.index(operation)]
    if gradient is None:
        raise NotImplementedError(f"{name} returns no {operation}.")
    return gradient
