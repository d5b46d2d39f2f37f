"""What a defect model is."""

from __future__ import annotations

import re
from typing import ClassVar

from refconv.diagnosis.layer import Layer


class Defect(Layer):
    """A convolution layer with one particular bug, which it predicts by computing it.

    The class's name gives the slug, its docstring says in one sentence what is wrong.

    Attributes
    ----------
    usually : str
        What it usually means, for the author of the code: reads on after "Usually means: ".
    operations : tuple of str
        Where it can show.
    stateful : bool
        Whether a second call may return something else than the first.
    """

    usually: ClassVar[str]
    operations: ClassVar[tuple[str, ...]] = ("forward", "grad_input", "grad_weight")
    stateful: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Name the layer: ``KernelFlipped`` is kernel-flipped."""
        super().__init_subclass__()
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def summary(cls) -> str:
        """Return the sentence that says what is wrong."""
        return (cls.__doc__ or "").strip()
