"""The flags that follow from the geometry alone, so that no case forgets one."""

from __future__ import annotations

from refconv.problem import ConvProblem, Problem, TransposedProblem


def traits(problem: Problem) -> tuple[str, ...]:
    """Name what is unusual about a problem, in the words of the flags.

    Examples
    --------
    >>> traits(ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(7, 9), kernel_size=(3, 3),
    ...                    stride=(2, 2)))
    ('NonSquareInput', 'Strided', 'Grouped', 'BatchOrder')
    """
    found = _of_transposed(problem) if isinstance(problem, TransposedProblem) else _of_convolution(problem)
    return tuple(name for name, holds in found.items() if holds)


def _of_convolution(p: ConvProblem) -> dict[str, bool]:
    reach = [d * (k - 1) + 1 for k, d in zip(p.kernel_size, p.dilation, strict=True)]
    read = [(o - 1) * s + r for o, s, r in zip(p.output_size, p.stride, reach, strict=True)]
    padded = [length + sum(pads) for length, pads in zip(p.input_size, p.padding, strict=True)]
    depthwise = p.groups > 1 and p.in_channels == p.groups
    return {
        "NonSquareInput": len(set(p.input_size)) > 1,
        "OneRowInput": min(p.input_size) == 1 and max(p.input_size) > 1,
        "NonSquareKernel": len(set(p.kernel_size)) > 1,
        "EvenKernel": any(k % 2 == 0 for k in p.kernel_size),
        "Strided": max(p.stride) > 1,
        "StrideAboveKernel": any(s > r for s, r in zip(p.stride, reach, strict=True)),
        "Dilated": any(d > 1 and k > 1 for d, k in zip(p.dilation, p.kernel_size, strict=True)),
        "StrideDilationDiffer": len(set(p.stride)) > 1 and len(set(p.dilation)) > 1,
        "Padded": max(map(max, p.padding)) > 0,
        "Cropped": min(map(min, p.padding)) < 0,
        "AsymmetricPadding": any(begin != end for begin, end in p.padding),
        "PaddingAboveKernel": any(max(pads) >= r for pads, r in zip(p.padding, reach, strict=True)),
        "Leftover": read != padded and 0 not in p.output_size,
        "Grouped": p.groups > 1 and not depthwise,
        "Depthwise": depthwise and p.out_channels == p.groups,
        "DepthMultiplier": depthwise and p.out_channels > p.groups,
        "Pointwise": max(p.kernel_size) == 1 and max(p.input_size) > 1,
        "FullReduction": tuple(reach) == p.input_size and not any(map(any, p.padding)) and max(reach) > 1,
        "ZeroBatch": p.batch == 0,
        "BatchOrder": p.batch > 1,
        "LongReduction": p.reduction_length("forward") >= 512,
    }


def _of_transposed(p: TransposedProblem) -> dict[str, bool]:
    reach = [d * (k - 1) + 1 for k, d in zip(p.kernel_size, p.dilation, strict=True)]
    depthwise = p.groups > 1 and p.in_channels == p.groups
    return {
        "TransposedConvolution": True,
        "OutputPadding": max(p.output_padding) > 0,
        "CutOutput": max(map(max, p.padding)) > 0,
        "GrownOutput": min(map(min, p.padding)) < 0,
        "UnevenOverlap": any(r > s > 1 and r % s for s, r in zip(p.stride, reach, strict=True)),
        "GapsInOutput": any(s > r for s, r in zip(p.stride, reach, strict=True)),
        "NonSquareInput": len(set(p.input_size)) > 1,
        "NonSquareKernel": len(set(p.kernel_size)) > 1,
        "Strided": max(p.stride) > 1,
        "Dilated": any(d > 1 and k > 1 for d, k in zip(p.dilation, p.kernel_size, strict=True)),
        "StrideDilationDiffer": len(set(p.stride)) > 1 and len(set(p.dilation)) > 1,
        "Grouped": p.groups > 1 and not depthwise,
        "Depthwise": depthwise and p.out_channels == p.groups,
        "DepthMultiplier": depthwise and p.out_channels > p.groups,
        "ZeroBatch": p.batch == 0,
        "BatchOrder": p.batch > 1,
    }
