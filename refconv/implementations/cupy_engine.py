"""CuPy: our im2col on arrays of a CUDA device, which are multiplied by cuBLAS."""

from __future__ import annotations

from refconv.implementations.devices import im2col_on_cuda, load_cupy
from refconv.implementations.references import Reference


class CupyEngine(Reference):
    """Our im2col, whose tensors are carried to the device and whose results are carried back."""

    def __init__(self) -> None:
        super().__init__(im2col_on_cuda())
        self.name, self.version = "cupy", f"cupy {load_cupy().__version__}"


def create() -> CupyEngine:
    """Make the engine ``cupy``.

    Raises
    ------
    ImplementationError
        If CuPy is not installed, or sees no CUDA device.
    """
    return CupyEngine()
