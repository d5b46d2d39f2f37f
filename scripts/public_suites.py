"""The convolutions of published suites, and which faulty convolutions they see.

Their geometries are stated here, read from the projects' own files; the numbers are ours, which are exact and
distinct, and all four results are compared without a tolerance.  That is more than any of these suites asks for,
so what is not seen here is not seen there.

* ONNX: the ``Conv`` cases of ``onnx.backend.test.case.node`` of onnx 1.23.2.  Forward alone, no bias.
* WebNN: ``webnn/resources/test_data/conv2d.json`` of the web platform tests.  Its layouts and fused activations are
  the same convolution; forward alone.
* PyTorch: the samples of ``nn.functional.conv2d`` and ``conv1d`` (here: one row) in ``op_db`` of torch 2.13.0.
  Those without a batch are the same convolution of one image.

Others are left out because their geometries could not be read as a whole: oneDNN's benchdnn draws on thousands of
lines of inputs, XNNPACK draws at random, CMSIS-NN and Arm's TOSA suites generate theirs.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from refconv.catalogue.families import conv
from refconv.diagnosis.defects import Triggered, every_defect
from refconv.diagnosis.layer import Layer
from refconv.fills import exact_integers
from refconv.implementations import ARGUMENTS
from refconv.problem import ConvProblem

_ONE, _TWO, _THREE = (1, 1), (2, 2), (3, 3)
_FRAME = ((1, 1), (1, 1))

ONNX = [
    conv(1, _ONE, (5, 5), _THREE, padding=_FRAME),
    conv(1, _ONE, (5, 5), _THREE),
    conv(1, _ONE, (7, 5), _THREE, _TWO, padding=_FRAME),
    conv(1, _ONE, (7, 5), _THREE, _TWO),
    conv(1, _ONE, (7, 5), _THREE, _TWO, padding=((1, 1), (0, 0))),
    conv(1, _ONE, (5, 5), _THREE, _TWO, padding=_FRAME),
]

WEBNN = [
    conv(1, _ONE, (5, 5), _THREE),
    conv(1, _ONE, (5, 5), _THREE, padding=_FRAME),
    conv(1, _ONE, (5, 5), _THREE, _TWO),
    conv(1, _ONE, (5, 5), _THREE, dilation=_TWO),
    conv(1, _ONE, (4, 4), _THREE, _TWO, padding=((0, 1), (0, 1))),
    conv(1, _ONE, (5, 5), _THREE, _TWO, padding=_FRAME),
    conv(1, (4, 4), (2, 2), _TWO, groups=4),
    conv(2, (1, 3), (3, 3), _TWO),
    conv(1, (2, 2), (5, 5), _TWO, padding=((1, 0), (0, 1)), groups=2),
]

OPINFO = [
    conv(1, (3, 3), (4, 4), _THREE, _TWO, padding=((2, 2), (2, 2))),
    conv(2, (4, 2), (8, 8), _THREE, (3, 2), (4, 4), ((2, 2), (1, 1)), 2),
    conv(1, (4, 1), (5, 5), (2, 3), _TWO, (2, 3), _FRAME),
    conv(1, (2, 4), (4, 3), (3, 4), _TWO, padding=_FRAME),
    conv(1, (4, 1), (5, 5), (2, 3), _TWO),
    conv(1, (4, 1), (5, 5), (2, 3), dilation=_THREE, padding=((1, 2), (3, 3))),
    conv(2, (4, 4), (6, 6), _THREE, groups=4),
    conv(2, (4, 8), (6, 6), _THREE, groups=4),
    conv(2, (4, 4), (6, 6), _THREE, (3, 2), groups=4),
    conv(2, (4, 4), (6, 6), _THREE, padding=_FRAME, groups=4),
    conv(2, (4, 4), (5, 5), _TWO, dilation=_TWO, groups=4),
    conv(2, (4, 6), (6, 5), (3, 2), groups=2),
    conv(1, (4, 3), (5, 5), _THREE),
    conv(1, (3, 3), (1, 4), (1, 3), (1, 2), padding=((0, 0), (2, 2))),
    conv(2, (4, 2), (1, 8), (1, 3), (1, 3), (1, 2), ((0, 0), (1, 1)), 2),
    conv(1, (4, 1), (1, 5), (1, 3), (1, 2)),
    conv(2, (2, 2), (1, 4), (1, 4), dilation=(1, 2), padding=((0, 0), (3, 3)), groups=2),
    conv(1, (4, 3), (1, 5), (1, 3)),
]
OPINFO += [replace(problem, batch=1) for problem in OPINFO if problem.batch > 1]

SUITES: dict[str, list[ConvProblem]] = {"ONNX": ONNX, "WebNN": WEBNN, "PyTorch OpInfo": OPINFO}


def seen(problems: Iterable[ConvProblem]) -> set[str]:
    """Return the slugs of the defect models that show on at least one of the problems, in float32."""
    return {slug for problem in problems for slug in every_defect() if _shows(slug, problem)}


@functools.cache
def _shows(slug: str, problem: ConvProblem) -> bool:
    model, float32 = every_defect()[slug], np.dtype("float32")
    tensors = {name: exact_integers(f"{problem.descriptor}/{name}", problem.shape_of(name), 999)
               for name in ("x", "weight", "bias", "grad_output")}  # fmt: skip
    for operation in model.operations:
        layer: Layer = model()
        if isinstance(layer, Triggered):
            layer = layer.layer(operation, problem, float32)
        arguments = [tensors[name] for name in ARGUMENTS[operation]]
        right = getattr(Layer(), operation)(*arguments, problem)
        try:
            with np.errstate(all="ignore"):
                got = getattr(layer, operation)(*arguments, problem)
        except (ValueError, IndexError):  # the model cannot be computed there, as in diagnosis.kills
            continue
        if got.shape != right.shape or not np.array_equal(got, right, equal_nan=True):
            return True
    return False
