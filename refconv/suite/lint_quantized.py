"""Whether a quantised case keeps the promises of the format."""

from __future__ import annotations

from collections.abc import Iterator

from refconv.formats import FORMATS
from refconv.quantization import Quantization
from refconv.suite.model import Case


def lint_quantization(case: Case, quantization: Quantization) -> Iterator[str]:
    """Yield what is wrong with the scales, the zero points and the formats of a quantised case."""
    channels = case.problem.out_channels
    for name, entries in (("scale", quantization.weight_scale), ("zero_point", quantization.weight_zero_point)):
        if len(entries) not in (1, channels):
            yield f"the weight must have one {name} or one for each of {channels} channels, got {len(entries)}."
    if [name for _, name, _ in case.all_expected() if name != "y"]:
        yield "a quantised case must expect y alone, got gradients."
    for _, name, expected in case.all_expected():
        if name == "y" and expected.tensor.dtype.name != quantization.out_format:
            yield f"y must be {quantization.out_format} as the quantization states, got {expected.tensor.dtype.name}."
    dtypes = {name: array.dtype.name for name, array in case.inputs.items()} | {"y": quantization.out_format}
    if dtypes.get("bias", "int32") != "int32":
        yield f"the bias of a quantised case must be int32, got {dtypes['bias']}."
    yield from _lint_zero_points(quantization, dtypes)


def _lint_zero_points(quantization: Quantization, dtypes: dict[str, str]) -> Iterator[str]:
    points = {
        "x": (quantization.x_zero_point,),
        "weight": quantization.weight_zero_point,
        "y": (quantization.y_zero_point,),
    }
    for name, values in points.items():
        element = FORMATS.get(dtypes.get(name, ""))
        if element is None or dtypes[name] not in ("int8", "uint8"):
            yield f"{name} of a quantised case must be int8 or uint8, got {dtypes.get(name)}."
        elif not all(element.smallest <= value <= element.largest for value in values):
            yield f"the zero points of {name} must be numbers of {element}, got {list(values)}."
