"""What a defect model is."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import numpy as np

from refconv.diagnosis.layer import Array, Layer
from refconv.problem import ConvProblem


class Described:
    """What is said about a model of a bug.

    The class's name gives the slug, its docstring says in one sentence what is wrong.

    Attributes
    ----------
    usually : str
        What it usually means, for the author of the code: reads on after "Usually means: ".
    source : str
        Where such a bug was seen: the address of a public thread, or a few words.
    operations : tuple of str
        Where it can show.
    stateful : bool
        Whether a second call may return something else than the first.
    refuses : bool
        Whether it raises ValueError where a layer with the bug refuses the problem.
    """

    name: str
    usually: ClassVar[str]
    source: ClassVar[str]
    operations: ClassVar[tuple[str, ...]] = ("forward", "grad_input", "grad_weight")
    stateful: ClassVar[bool] = False
    refuses: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Name the layer: ``KernelFlipped`` is kernel-flipped."""
        super().__init_subclass__()
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def summary(cls) -> str:
        """Return the sentence that says what is wrong."""
        return (cls.__doc__ or "").strip()


class Defect(Described, Layer):
    """A convolution layer with one particular bug, which it predicts by computing it."""


class Triggered(Defect):
    """A layer with a bug that shows only where a trigger holds; everywhere else it is right.

    Most bugs of real libraries are of this kind: a shortcut, a tail or a tile that only some problems
    meet.  The trigger is that of the report; the effect is ours where the report does not say it.

    Attributes
    ----------
    bug : type of Layer
        What the layer is where the trigger holds.
    trigger : str
        When it holds: reads on after "where ".
    example : str
        The descriptor of a small problem on which it shows.
    dtype : str
        A dtype in which it shows there.
    """

    bug: ClassVar[type[Layer]]
    trigger: ClassVar[str]
    example: ClassVar[str]
    dtype: ClassVar[str] = "float32"

    @classmethod
    def summary(cls) -> str:
        """Return the sentence that says where it is wrong, and what."""
        what = super().summary()
        return f"Where {cls.trigger}, {what[:1].lower()}{what[1:]}"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        """Say whether the trigger holds; asked of problems with two spatial axes and no empty tensor."""
        raise NotImplementedError

    def holds(self, operation: str, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        """Say whether the bug may show in an operation."""
        usual = len(problem.input_size) == 2 and 0 not in (*problem.x_shape, *problem.weight_shape, *problem.y_shape)
        return operation in self.operations and usual and self.applies(problem, dtype)

    def layer(self, operation: str, problem: ConvProblem, dtype: np.dtype[Any]) -> Layer:
        """Return who computes an operation."""
        return self.bug() if self.holds(operation, problem, dtype) else Layer()

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y, shape (N, K, oH, oW)."""
        return self.layer("forward", problem, x.dtype).forward(x, weight, bias, problem)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input, shape (N, C, H, W)."""
        return self.layer("grad_input", problem, weight.dtype).grad_input(grad_output, weight, problem)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight, shape (K, C/G, kH, kW)."""
        return self.layer("grad_weight", problem, x.dtype).grad_weight(x, grad_output, problem)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias, shape (K,)."""
        return self.layer("grad_bias", problem, grad_output.dtype).grad_bias(grad_output, problem)
