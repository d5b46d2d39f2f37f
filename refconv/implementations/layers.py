"""A class of layers: made with its weights, called forward, then backward."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from refconv.implementations.keywords import keywords, pick, stated
from refconv.implementations.protocol import PLAIN, Demand
from refconv.problem import Problem


class LayerRunner:
    """A class with a constructor and two methods, as layers of neural networks have them.

    ``Layer(weight, bias, stride=, padding=, dilation=, groups=)`` (the bias may be None), ``forward(x)``, and, if
    it has gradients, ``backward(grad_output)``, which returns (grad_input, grad_weight, grad_bias), each of which
    may be None.  The geometry is said as to a function, see
    :class:`refconv.implementations.callables.FunctionRunner`.

    Every call makes a layer of its own.  Between the two passes of a layer another one, with other weights, is
    given other numbers: what a layer keeps for its gradients must be kept in the layer.
    """

    def __init__(self, layer: Any, name: str) -> None:
        self.layer, self.name = layer, name

    def run(self, operation: str, tensors: Mapping[str, Any], problem: Problem, demand: Demand = PLAIN) -> Any:
        """Make a layer, and return its output or one of its gradients."""
        if demand.quantization is not None:
            raise NotImplementedError(f"{self.name} is no quantised layer.")
        if operation != "forward" and not hasattr(self.layer, "backward"):
            raise NotImplementedError(f"{self.name} has no backward.")
        arguments = keywords(self.layer, problem) | stated(self.layer, demand)
        x, weight, bias = tensors["x"], tensors["weight"], tensors.get("bias")
        if bias is None and operation == "grad_bias":  # a layer without a bias has no gradient for it
            bias = np.zeros(problem.shape_of("bias"), weight.dtype)
        layer = self.layer(weight, bias, **arguments)
        y = layer.forward(x)
        if operation == "forward":
            return y
        self.layer(np.negative(weight), bias, **arguments).forward(np.negative(x))
        return pick(layer.backward(tensors["grad_output"]), operation, f"{self.name}.backward")


def is_layer(target: Any) -> bool:
    """Tell whether something is a class of layers: it has ``forward``, and is made with an argument ``weight``.

    Examples
    --------
    >>> is_layer(LayerRunner)
    False
    """
    if not inspect.isclass(target) or not callable(getattr(target, "forward", None)):
        return False
    try:
        return "weight" in inspect.signature(target).parameters
    except (TypeError, ValueError):  # a class written in C
        return False
