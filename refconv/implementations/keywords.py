"""The keyword arguments that a function or a class takes, and what to do about those that it does not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from refconv.implementations.protocol import Demand
from refconv.problem import ConvProblem

GRADIENTS = ("grad_input", "grad_weight", "grad_bias")


def keywords(function: Callable[..., Any], problem: ConvProblem) -> dict[str, Any]:
    """Return the geometry as PyTorch says it; padding in pairs where it is not symmetric."""
    symmetric = all(begin == end for begin, end in problem.padding)
    found = {
        "stride": problem.stride,
        "padding": tuple(begin for begin, _ in problem.padding) if symmetric else problem.padding,
        "dilation": problem.dilation,
        "groups": problem.groups,
    }
    neutral = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    missing = [name for name in found if not takes(function, name)]
    for name in missing:
        value = found.pop(name)
        if any(entry != neutral[name] for entry in (value if isinstance(value, tuple) else (value,))):
            raise NotImplementedError(f"{getattr(function, '__name__', function)} takes no argument {name}.")
    return found


def stated(function: Callable[..., Any], demand: Demand) -> dict[str, str]:
    """Return what a case asks for beyond its tensors, if the function can be told."""
    for name, value in demand.keywords.items():
        if not takes(function, name):
            raise NotImplementedError(f"{getattr(function, '__name__', function)} takes no {name}={value!r}.")
    return demand.keywords


def takes(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a function can be given a keyword argument."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function written in C: let it judge
        return True
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def pick(gradients: Any, operation: str, name: str) -> Any:
    """Take one of the three gradients that a backward function returns."""
    if not isinstance(gradients, tuple | list) or len(gradients) != len(GRADIENTS):
        raise TypeError(f"{name} must return (grad_input, grad_weight, grad_bias), got {type(gradients)}.")
    gradient = gradients[GRADIENTS.index(operation)]
    if gradient is None:
        raise NotImplementedError(f"{name} returns no {operation}.")
    return gradient
