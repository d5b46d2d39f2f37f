"""SciPy: ``scipy.signal.correlate`` of three-dimensional arrays, which sums over the channels as well."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
from scipy import signal

from refconv.errors import ImplementationError
from refconv.implementations.limits import require, require_formats, zero_padded
from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
METHODS = ("direct", "fft")
CARRIERS = {"float64": np.float64, "float32": np.float32, "int8": np.int32}  # of integers: wide enough for the sums


class ScipyEngine:
    """Forward alone, without dilation, one image and one output channel at a time.

    Users of correlate pad the image before the call, take every stride-th element of the result and add
    the bias to it; so does this.  Integers are widened to int32, because correlate adds in their own dtype.

    Parameters
    ----------
    method : {"direct", "fft"}
    """

    def __init__(self, method: str = "direct") -> None:
        self.method = method
        self.name = "scipy" if method == "direct" else f"scipy:{method}"
        self.version = f"scipy {scipy.__version__}"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        require_formats("scipy.signal.correlate", CARRIERS, x, weight)
        require(set(problem.dilation) == {1}, "scipy.signal.correlate has no dilation.")
        require(x.size and weight.size, "scipy.signal.correlate returns nothing for empty arrays.")
        carrier = CARRIERS[x.dtype.name]
        image, kernels = zero_padded(x, problem).astype(carrier), weight.astype(carrier)
        y = np.empty(problem.y_shape, carrier)
        for n, k in np.ndindex(*y.shape[:2]):
            y[n, k] = self._correlate(image[n], kernels[k], k, problem)
        return y if bias is None else y + bias.reshape(-1, 1, 1)

    def _correlate(self, image: Array, kernel: Array, k: int, problem: ConvProblem) -> Array:
        """Return one channel of one result, shape (oH, oW)."""
        channels = len(kernel)
        first = k // (problem.out_channels // problem.groups) * channels
        dense = signal.correlate(image[first : first + channels], kernel, mode="valid", method=self.method)
        height, width = problem.stride
        return np.asarray(dense)[0, ::height, ::width]


def create(option: str | None = None) -> ScipyEngine:
    """Make the engine that ``scipy``, ``scipy:direct`` or ``scipy:fft`` names.

    Raises
    ------
    ImplementationError
        If the option is unknown.
    """
    if option is not None and option not in METHODS:
        raise ImplementationError(f"the option of scipy must be one of {', '.join(METHODS)}, got {option!r}.")
    return ScipyEngine(option or "direct")
