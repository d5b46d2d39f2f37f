"""What a call must return: the name, the format and the shape of its result, and the tensors that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from refconv.formats import get_format, natural_output
from refconv.implementations.protocol import ARGUMENTS, PLAIN, Demand


def arguments_of(operation: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the tensors that an operation reads, in the order of its arguments.

    Examples
    --------
    >>> list(arguments_of("grad_input", {"x": 1, "weight": 2, "grad_output": 3}))
    ['grad_output', 'weight']
    """
    return {name: tensors[name] for name in ARGUMENTS[operation] if name in tensors}


def result_dtype(tensors: Mapping[str, Any], demand: Demand = PLAIN) -> np.dtype[Any]:
    """Return the dtype of the result.

    Parameters
    ----------
    tensors : mapping of str to array
        All tensors of the case; the first one says what is natural.
    demand : Demand

    Examples
    --------
    >>> result_dtype({"x": np.zeros(1, np.int8)}), result_dtype({"x": np.zeros(1)}, Demand(out_format="bfloat16"))
    (dtype('int32'), dtype(bfloat16))
    """
    if demand.quantization is not None:
        return get_format(demand.quantization.out_format).dtype
    if demand.out_format is not None:
        return get_format(demand.out_format).dtype
    return natural_output(next(iter(tensors.values())).dtype).dtype
