"""A shared library with the C ABI of ``refconv_impl.h``, called with every tensor between fences."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import ImplementationError
from refconv.implementations import abi
from refconv.implementations.callables import ProtocolRunner
from refconv.implementations.fenced import Fenced
from refconv.implementations.misbehaviour import MisbehaviourError
from refconv.implementations.protocol import ARGUMENTS, PLAIN, RESULT_NAMES, Demand
from refconv.implementations.wanted import result_dtype
from refconv.problem import ConvProblem, Problem, TransposedProblem

Array = npt.NDArray[Any]

POISONS = (0xA5, 0x5A)  # what no result holds with both of them was never written
MESSAGE = 512  # bytes


class LibraryRunner(ProtocolRunner):
    """A shared library; whatever it does wrong with memory either raises MisbehaviourError or ends this process.

    Attributes
    ----------
    protect : bool
        Keep the inputs in read-only memory, and a forbidden page behind each fence: a write there ends the
        process at once, and says nothing.  Without, the same mistakes are found after the call and told in
        words, unless they ended the process by themselves.  May be changed between two calls.
    """

    arranges = False  # it is always handed packed tensors

    def __init__(self, path: Path, protect: bool = False) -> None:
        self._library = _opened(path)
        super().__init__(self._library, _name(self._library) or path.stem)
        self.protect = protect
        self.checks_arguments = self.unchecked = _has(self._library, "refconv_checks_arguments")
        self._blocks: dict[tuple[str, int, bool], Fenced] = {}

    def run(self, operation: str, tensors: Mapping[str, Any], problem: Problem, demand: Demand = PLAIN) -> Array:
        """Call the function of that operation; the same buffers serve call after call, as in a program."""
        if isinstance(problem, TransposedProblem):
            raise NotImplementedError("the C ABI has no transposed convolutions.")
        function = self._function(operation, demand)
        inputs = {name: np.ascontiguousarray(tensors[name]) for name in ARGUMENTS[operation] if name in tensors}
        dtype, shape = result_dtype(tensors, demand), problem.shape_of(RESULT_NAMES[operation])
        structs = [self._input(name, inputs.get(name)) for name in ARGUMENTS[operation]]
        call = _Call(function, problem, demand, structs, dtype, shape)
        result = self._result(operation, call, inputs, POISONS[0])
        untouched = _holds(result, POISONS[0])
        if untouched.any():  # perhaps an honest value: no value survives both poisons
            untouched &= _holds(self._result(operation, call, inputs, POISONS[1]), POISONS[1])
        if untouched.any():
            raise MisbehaviourError(_unwritten(untouched, RESULT_NAMES[operation]))
        return result

    def _function(self, operation: str, demand: Demand) -> Any:
        name = f"refconv_{operation}" if demand.quantization is None else f"refconv_quantized_{operation}"
        try:
            return self._library[name]
        except AttributeError:
            raise NotImplementedError(f"{self.name} exports no {name}.") from None

    def _block(self, name: str, nbytes: int) -> Fenced:
        key = (name, nbytes, self.protect)
        if key not in self._blocks:
            self._blocks = {kept: block for kept, block in self._blocks.items() if kept[0] != name}
            self._blocks[key] = Fenced(nbytes, pages=self.protect)
        return self._blocks[key]

    def _input(self, name: str, tensor: Array | None) -> abi.Tensor | None:
        if tensor is None:
            return None
        block = self._block(name, tensor.nbytes)
        block.allow_writes(True)
        block.content[:] = tensor.reshape(-1).view(np.uint8)
        block.allow_writes(False)
        return abi.tensor_struct(tensor.dtype, tensor.shape, block.address)

    def _result(self, operation: str, call: _Call, inputs: Mapping[str, Array], poison: int) -> Array:
        """Call once, and look at the memory before anything that the call says is believed."""
        name = RESULT_NAMES[operation]
        block = self._block(name, math.prod(call.shape) * call.dtype.itemsize)
        message = self._block("message", MESSAGE)
        block.content[:], message.content[:] = poison, 0
        status = call(block.address, message.address)
        self._look([*inputs, name, "message"])
        self._compare(inputs)
        _raise_for(status, bytes(message.content).split(b"\0")[0].decode("utf-8", "replace"), operation)
        return np.array(block.content).view(call.dtype).reshape(call.shape)

    def _look(self, names: list[str]) -> None:
        for name in names:
            block = next(block for key, block in self._blocks.items() if key[0] == name)
            found = block.trespass()
            if found is not None:
                self._blocks.clear()  # their fences are broken
                raise MisbehaviourError(f"wrote {found[0]} bytes {found[1]} of {name}")

    def _compare(self, inputs: Mapping[str, Array]) -> None:
        for name, tensor in inputs.items():
            if self._block(name, tensor.nbytes).content.tobytes() != tensor.tobytes():
                raise MisbehaviourError(f"changed its input {name}")


class _Call:
    """A function with all its arguments but the two that are written to."""

    def __init__(
        self, function: Any, problem: ConvProblem, demand: Demand, structs: list[abi.Tensor | None],
        dtype: np.dtype[Any], shape: tuple[int, ...],
    ) -> None:  # fmt: skip
        self.function, self.structs, self.dtype, self.shape = function, structs, dtype, shape
        self.problem = abi.problem_struct(problem, demand.overflow)
        quantization = demand.quantization
        self.quantization = None if quantization is None else abi.quantization_struct(quantization)

    def __call__(self, address: int, message: int) -> int:
        result = abi.tensor_struct(self.dtype, self.shape, address)
        quantized = [] if self.quantization is None else [ctypes.byref(self.quantization)]
        tensors = [None if struct is None else ctypes.byref(struct) for struct in self.structs]
        return int(self.function(
            ctypes.byref(self.problem), *quantized, *tensors, ctypes.byref(result), ctypes.c_void_p(message),
            ctypes.c_size_t(MESSAGE),
        ))  # fmt: skip


def is_library(text: str) -> bool:
    """Tell whether a text names a shared library.

    Examples
    --------
    >>> is_library("./libmine.so"), is_library("libmine.so.1.2"), is_library("mine.py:conv2d")
    (True, True, False)
    """
    return re.search(r"\.(so(\.\d+)*|dylib|dll)$", text) is not None


def _opened(path: Path) -> Any:
    if not path.is_file():
        raise ImplementationError(f"{path} must be a shared library, but there is no such file.")
    try:
        library = ctypes.CDLL(str(path.resolve()))
    except OSError as error:
        raise ImplementationError(f"{path} must be a shared library that can be loaded, got: {error}.") from None
    try:
        version = library["refconv_abi_version"]()
    except AttributeError:
        raise ImplementationError(
            f"{path} must export refconv_abi_version, but does not; 'refconv include-dir' shows where the header lies."
        ) from None
    if version != abi.VERSION:
        raise ImplementationError(f"{path} must have ABI version {abi.VERSION}, got {version}; build it again.")
    if not any(_has(library, f"refconv_{name}") for name in (*ARGUMENTS, "quantized_forward")):
        raise ImplementationError(f"{path} must export refconv_forward or one of its siblings, but exports none.")
    return library


def _has(library: Any, name: str) -> bool:
    return hasattr(library, name)


def _name(library: Any) -> str | None:
    if not _has(library, "refconv_name"):
        return None
    function = library["refconv_name"]
    function.restype = ctypes.c_char_p
    name: bytes | None = function()
    return name.decode("utf-8", "replace") if name else None


def _raise_for(status: int, message: str, operation: str) -> None:
    if status == abi.OK:
        return
    if status == abi.UNSUPPORTED:
        raise NotImplementedError(message or f"refconv_{operation} says unsupported")
    if status == abi.REJECTED:
        raise MisbehaviourError(f"refused a legal problem{': ' if message else ''}{message}", "REJECTED")
    if status == abi.ERROR:
        raise MisbehaviourError(f"broke down{': ' if message else ''}{message}", "ERROR")
    raise MisbehaviourError(f"returned the status {status}, which is none of 0, 1, 2 and 3", "ERROR")


def _holds(result: Array, poison: int) -> npt.NDArray[np.bool_]:
    words = result.reshape(-1).view(np.uint8).reshape(result.size, result.dtype.itemsize)
    found: npt.NDArray[np.bool_] = np.all(words == poison, axis=-1).reshape(result.shape)
    return found


def _unwritten(untouched: npt.NDArray[np.bool_], name: str) -> str:
    first = ", ".join(map(str, np.argwhere(untouched)[0]))
    return f"left {int(untouched.sum())} of {untouched.size} elements of {name} unwritten, first {name}[{first}]"
