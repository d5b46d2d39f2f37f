"""CuPy: our im2col on arrays of a CUDA device, which are multiplied by cuBLAS."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from refconv.errors import ImplementationError
from refconv.implementations.references import Reference
from refconv.problem import OPERATIONS
from refconv.reference import im2col


class CupyEngine(Reference):
    """Our im2col, whose tensors are carried to the device and whose results are carried back."""

    def __init__(self, cupy: Any) -> None:
        there = {operation: _on_device(cupy, getattr(im2col, operation)) for operation in OPERATIONS}
        super().__init__(SimpleNamespace(name="cupy", **there))  # with a module's functions
        self.version = f"cupy {cupy.__version__}"


def create() -> CupyEngine:
    """Make the engine ``cupy``.

    Raises
    ------
    ImplementationError
        If CuPy sees no CUDA device.
    """
    import cupy

    try:
        devices = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        devices = 0
    if not devices:
        raise ImplementationError("cupy needs a CUDA device, and CuPy sees none.")
    return CupyEngine(cupy)


def _on_device(cupy: Any, function: Any) -> Any:
    """Carry the tensors of a call to the device, and its result back."""

    def call(*arguments: Any) -> Any:
        *tensors, problem = arguments
        there = [None if tensor is None else cupy.asarray(tensor) for tensor in tensors]
        return cupy.asnumpy(function(*there, problem))

    return call
