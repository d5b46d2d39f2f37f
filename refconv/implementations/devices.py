"""Our im2col, where its arrays live: in main memory, or on a CUDA device."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from refconv.errors import ImplementationError
from refconv.problem import OPERATIONS
from refconv.reference import im2col

DEVICES = ("cpu", "cuda")


def im2col_on(device: str) -> Any:
    """Return im2col whose tensors come from NumPy and whose results go back there, wherever it computes.

    Parameters
    ----------
    device : {"cpu", "cuda"}

    Raises
    ------
    ImplementationError
        If there is no such device here.

    Examples
    --------
    >>> im2col_on("cpu") is im2col
    True
    """
    if device == "cpu":
        return im2col
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
