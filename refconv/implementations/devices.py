"""Where tensors live: in main memory, or on a CUDA device."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from refconv.errors import ImplementationError
from refconv.exact.slicing import as_reals
from refconv.problem import OPERATIONS
from refconv.reference import im2col

DEVICES = ("cpu", "cuda")
Tensors = dict[str, Any]


def carried_to(device: str) -> Callable[[Tensors], Tensors]:
    """Return what carries tensors to a device, as float32 or float64, whichever holds them exactly.

    Parameters
    ----------
    device : {"cpu", "cuda"}
        To main memory they need not be carried.

    Raises
    ------
    ImplementationError
        If there is no such device here.

    Examples
    --------
    >>> carried_to("cpu")({"x": [1.0]})
    {'x': [1.0]}
    """
    if device == "cpu":
        return lambda tensors: tensors
    cupy = load_cupy()
    return lambda tensors: {
        name: None if tensor is None else cupy.asarray(as_reals(tensor)) for name, tensor in tensors.items()
    }


def im2col_on_cuda() -> Any:
    """Return im2col whose tensors come from NumPy and whose results go back there, while it computes on the device.

    Raises
    ------
    ImplementationError
        If there is no such device here.
    """
    cupy = load_cupy()
    there = {operation: _carried(cupy, getattr(im2col, operation)) for operation in OPERATIONS}
    return SimpleNamespace(name=im2col.name, **there)


def load_cupy() -> Any:
    """Import CuPy and see that it sees a device.

    Raises
    ------
    ImplementationError
        If it is not installed, or there is no CUDA device.
    """
    try:
        import cupy
    except ImportError as error:
        raise ImplementationError(
            f"a CUDA device needs CuPy, which is not installed ({error}): pip install 'refconv[cupy13]', or cupy12."
        ) from None
    try:
        devices = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        devices = 0
    if not devices:
        raise ImplementationError("cupy needs a CUDA device, and CuPy sees none.")
    return cupy


def _carried(cupy: Any, function: Any) -> Any:
    """Carry the tensors of a call to the device, and its result back."""

    def call(*arguments: Any) -> Any:
        *tensors, problem = arguments
        there = [None if tensor is None else cupy.asarray(tensor) for tensor in tensors]
        return cupy.asnumpy(function(*there, problem))

    return call
