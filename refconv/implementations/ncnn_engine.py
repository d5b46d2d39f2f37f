"""ncnn: a network of one Convolution or ConvolutionDepthWise layer, on the CPU."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import ImplementationError
from refconv.implementations.limits import require, require_formats
from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
OPTIONS = ("unpacked", "bfloat16")
RAW = b"\0\0\0\0"  # stands before weights that are stored as float32


class NcnnEngine:
    """Forward in float32, one image at a time because ncnn has no batches, on one thread.

    Its narrow storage formats are off, because they would round the tensors of a float32 layer.

    Parameters
    ----------
    option : {None, "unpacked", "bfloat16"}
        Without the packed memory layout; with layers that store bfloat16, for tensors of that format.
    """

    def __init__(self, option: str | None = None) -> None:
        import ncnn

        self.ncnn: Any = ncnn
        self.option = option
        self.format = "bfloat16" if option == "bfloat16" else "float32"
        self.name = f"ncnn:{option}" if option else "ncnn"
        self.version = f"ncnn {ncnn.__version__}"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        require_formats(self.name, (self.format,), x, weight, bias)
        require(x.size and weight.size, "ncnn has no empty tensors.")
        net = self._network(weight, bias, problem)
        # In float32 ncnn takes and returns narrower formats, too; it reads the memory of these images, not a copy.
        images = np.ascontiguousarray(x, np.float32)
        return np.stack([self._run(net, image) for image in images]).astype(x.dtype)

    def _network(self, weight: Array, bias: Array | None, problem: ConvProblem) -> Any:
        net = self.ncnn.Net()
        net.opt.num_threads = 1
        net.opt.use_packing_layout = self.option != "unpacked"
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = self.option == "bfloat16"
        require(net.load_param_mem(_described(bias is not None, problem)) == 0, "ncnn cannot load this layer.")
        offset = b"" if bias is None else bias.astype("<f4").tobytes()
        with TemporaryDirectory() as folder:  # from memory, ncnn would read the weights where Python may free them
            model = Path(folder) / "weights.bin"
            model.write_bytes(RAW + weight.astype("<f4").tobytes() + offset)
            require(net.load_model(str(model)) == 0, "ncnn cannot load these weights.")
        return net

    def _run(self, net: Any, image: Array) -> Array:
        extractor = net.create_extractor()
        extractor.input("x", self.ncnn.Mat(image))
        status, y = extractor.extract("y")
        if status:
            raise RuntimeError(f"ncnn returned the status {status}")
        return np.array(y)


def _described(biased: bool, problem: ConvProblem) -> str:
    """Return the network in ncnn's own words, where every parameter has a number."""
    (kH, kW), (sH, sW), (dH, dW) = problem.kernel_size, problem.stride, problem.dilation
    (top, bottom), (left, right) = problem.padding
    numbers = {
        0: problem.out_channels, 1: kW, 11: kH, 2: dW, 12: dH, 3: sW, 13: sH, 4: left, 15: right, 14: top, 16: bottom,
        5: int(biased), 6: int(np.prod(problem.weight_shape)),
    }  # fmt: skip
    numbers |= {7: problem.groups} if problem.groups > 1 else {}
    kind = "ConvolutionDepthWise" if problem.groups > 1 else "Convolution"
    stated = " ".join(f"{key}={value}" for key, value in numbers.items())
    return f"7767517\n2 2\nInput x 0 1 x\n{kind} layer 1 1 x y {stated}\n"


def create(option: str | None = None) -> NcnnEngine:
    """Make the engine that ``ncnn``, ``ncnn:unpacked`` or ``ncnn:bfloat16`` names.

    Raises
    ------
    ImplementationError
        If the option is unknown.
    """
    if option is not None and option not in OPTIONS:
        raise ImplementationError(f"the option of ncnn must be one of {', '.join(OPTIONS)}, got {option!r}.")
    return NcnnEngine(option)
