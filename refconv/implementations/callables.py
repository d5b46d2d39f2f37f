"""Whatever a user hands over, brought to one shape: ``run(operation, tensors, problem)``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from refconv.errors import ImplementationError
from refconv.illegal import IllegalProblem
from refconv.implementations.keywords import keywords, pick, stated, with_bias
from refconv.implementations.layers import LayerRunner, is_layer
from refconv.implementations.protocol import ARGUMENTS, PLAIN, Demand
from refconv.problem import Problem, TransposedProblem


class Runner(Protocol):
    """An implementation as ``check`` calls it."""

    name: str

    def run(self, operation: str, tensors: Mapping[str, Any], problem: Problem, demand: Demand = PLAIN) -> Any:
        """Compute an operation from the tensors of a case; NotImplementedError if it is not offered."""
        ...


class ProtocolRunner:
    """An object with some of the functions forward, grad_input, grad_weight and grad_bias."""

    def __init__(self, implementation: Any, name: str) -> None:
        self.implementation, self.name = implementation, name

    def run(self, operation: str, tensors: Mapping[str, Any], problem: Problem, demand: Demand = PLAIN) -> Any:
        """Call the function of that name."""
        quantized = [] if demand.quantization is None else [demand.quantization]
        name = f"quantized_{operation}" if quantized else operation
        if isinstance(problem, IllegalProblem) and not getattr(self.implementation, "unchecked", False):
            raise NotImplementedError(f"no problem reaches {self.name} that breaks a rule: {problem.rule}")
        if isinstance(problem, TransposedProblem) and not getattr(self.implementation, "transposed", False):
            raise NotImplementedError(f"{self.name} does not say that it has transposed convolutions.")
        function = getattr(self.implementation, name, None)
        if function is None:
            raise NotImplementedError(f"{self.name} has no function {name}.")
        arguments = [*(tensors.get(argument) for argument in ARGUMENTS[operation]), *quantized]
        return function(*arguments, problem, **stated(function, demand))


class FunctionRunner:
    """A function with PyTorch's signature, and perhaps another one for the gradients.

    ``f(x, weight, bias=None, stride=, padding=, dilation=, groups=)`` and
    ``f_backward(grad_output, x, weight, stride=, padding=, dilation=, groups=)``, which returns
    (grad_input, grad_weight, grad_bias), each of which may be None.  Padding is (pH, pW) where it is
    symmetric, else ((top, bottom), (left, right)).  A keyword that the function does not take is left
    out where it has its neutral value, and makes the case unsupported elsewhere; so does a bias, where a function
    has no argument for it.  A function that takes
    ``output_padding`` is a transposed convolution: it is asked for those, and for no others.
    """

    def __init__(self, function: Callable[..., Any], backward: Callable[..., Any] | None, name: str) -> None:
        self.function, self.backward, self.name = function, backward, name

    def run(self, operation: str, tensors: Mapping[str, Any], problem: Problem, demand: Demand = PLAIN) -> Any:
        """Call the function, or take one of the three gradients that the other one returns."""
        if demand.quantization is not None:
            raise NotImplementedError(f"{self.name} is no quantised layer.")
        named: dict[str, Any] = {}
        if operation == "forward":
            call = self.function
            arguments, named = with_bias(call, tensors["x"], tensors["weight"], tensors.get("bias"))
        elif self.backward is None:
            raise NotImplementedError(f"there is no {self.name}_backward beside {self.name}.")
        else:
            call, arguments = self.backward, [tensors["grad_output"], tensors["x"], tensors["weight"]]
        result = call(*arguments, **named, **keywords(call, problem), **stated(call, demand))
        return result if operation == "forward" else pick(result, operation, f"{self.name}_backward")


def as_runner(target: Any, name: str | None = None, backward: Callable[..., Any] | None = None) -> Runner:
    """Wrap an implementation of any kind.

    Parameters
    ----------
    target : object
        An object or module with the functions of :class:`refconv.implementations.Implementation`, a
        class of such objects, a function with PyTorch's signature, or a class of layers, see
        :class:`refconv.implementations.layers.LayerRunner`.
    name : str, optional
        By default its own.
    backward : callable, optional
        The gradients of a plain function; by default ``NAME_backward`` of the module that defines it.

    Raises
    ------
    ImplementationError
        If it is none of these.

    Examples
    --------
    >>> from refconv.reference import direct
    >>> as_runner(direct).name
    'direct'
    """
    if is_layer(target):
        return LayerRunner(target, name or target.__name__)
    if isinstance(target, ProtocolRunner | FunctionRunner | LayerRunner) or callable(getattr(target, "run", None)):
        return cast(Runner, target)
    if inspect.isclass(target):
        target = _made(target)
    title = name or str(getattr(target, "name", None) or getattr(target, "__name__", type(target).__name__))
    if any(callable(getattr(target, operation, None)) for operation in (*ARGUMENTS, "quantized_forward")):
        return ProtocolRunner(target, title)
    if callable(target):
        return FunctionRunner(target, backward or _backward_beside(target), title)
    raise ImplementationError(
        f"an implementation must be a function conv2d(x, weight, bias, stride=...), a class of layers that is "
        f"made with (weight, bias, stride=...), or have functions named {', '.join(ARGUMENTS)}, got {target!r}."
    )


def _made(target: type) -> Any:
    """Make an object of a class that is made without arguments."""
    try:
        wanted = inspect.signature(target)
    except (TypeError, ValueError):  # a class written in C
        return target()
    try:
        wanted.bind()
    except TypeError:
        got = f"got {target.__name__}{wanted}"
        if "weight" in wanted.parameters:
            raise ImplementationError(f"a class of layers must have a method forward(x), {got}.") from None
        raise ImplementationError(
            f"a class of layers must be made with (weight, bias, stride=...), {got}; "
            "where a class makes its own weight, a function conv2d(x, weight, bias, stride=...) can set it."
        ) from None
    return target()


def _backward_beside(function: Any) -> Callable[..., Any] | None:
    module = inspect.getmodule(function)
    return getattr(module, f"{getattr(function, '__name__', '')}_backward", None)
