"""Implementations that want channels last, or weights in another order: their tensors are transposed on the way.

``mypkg:conv2d@NHWC,HWIO`` is ``mypkg:conv2d``, given x as NHWC and weight as HWIO; NHWC stands for NWC and NDHWC, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from refconv.implementations.callables import Runner
from refconv.implementations.layouts import IMAGES, OWN, WEIGHTS, Layouts
from refconv.implementations.protocol import PLAIN, RESULT_NAMES, Demand
from refconv.problem import Problem, TransposedProblem

ALIKE = {"NWC": "NHWC", "NDHWC": "NHWC"}


class LaidOutRunner:
    """A runner whose tensors lie in other layouts; they are packed there, and the results brought back.

    Parameters
    ----------
    runner : Runner
    layouts : Layouts
        Of weights of transposed convolutions only refconv's own, (C, K/G, kH, kW), is supported.
    name : str
    """

    def __init__(self, runner: Runner, layouts: Layouts, name: str) -> None:
        self.runner, self.layouts, self.name = runner, layouts, name

    def run(self, operation: str, tensors: Mapping[str, Any], problem: Problem, demand: Demand = PLAIN) -> Any:
        """Compute an operation in the other layouts."""
        if isinstance(problem, TransposedProblem) and self.layouts.weight != OWN["weight"]:
            raise NotImplementedError(f"weights of transposed convolutions have no layout {self.layouts.weight}.")
        laid = {
            name: None if tensor is None else self.layouts.arranged(tensor, name) for name, tensor in tensors.items()
        }
        result, name = np.asarray(self.runner.run(operation, laid, problem, demand)), RESULT_NAMES[operation]
        return self.layouts.restored(result, name) if result.ndim == len(problem.shape_of(name)) else result


def split_layouts(text: str) -> tuple[str, Layouts]:
    """Split an implementation from the layouts behind its last ``@``, if there are any.

    Examples
    --------
    >>> split_layouts("mypkg:conv1d@NWC")
    ('mypkg:conv1d', Layouts(image='NHWC', weight='OIHW'))
    >>> split_layouts("me@home/conv.py:conv2d")[0]
    'me@home/conv.py:conv2d'
    """
    head, at, tail = text.rpartition("@")
    words = [ALIKE.get(word, word) for word in tail.split(",")]
    if not at or not set(words) <= {*IMAGES, *WEIGHTS}:
        return text, Layouts()
    images, weights = ([word for word in words if word in known] for known in (IMAGES, WEIGHTS))
    return head, Layouts((images or IMAGES)[0], (weights or WEIGHTS)[0])
