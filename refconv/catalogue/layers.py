"""Every distinct convolution of published networks, whole: real extents, real channels.

Shapes from He et al. (ResNet-50, arXiv:1512.03385, table 1), Sandler et al. (MobileNetV2, arXiv:1801.04381, table 2),
Howard et al. (MobileNetV3-Large, arXiv:1905.02244, table 1), Tan and Le (EfficientNet-B0, arXiv:1905.11946, table 1),
Liu et al. (ConvNeXt-T, arXiv:2201.03545), Ronneberger et al. (U-Net, arXiv:1505.04597, figure 1) and Redmon and
Farhadi (YOLOv3, arXiv:1804.02767, its tiny variant as published with the darknet program).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from refconv.catalogue.families import Pair, conv
from refconv.catalogue.spec import Row
from refconv.problem import OPERATIONS, ConvProblem, Padding

WITH_GRADIENTS = 2**24  # products of the forward pass up to which a layer has its gradients too

Problems = Iterator[ConvProblem]


def layer(
    channels: Pair, size: int, kernel: int, stride: int = 1, groups: int = 1, pads: Pair | None = None
) -> ConvProblem:
    """Write a square layer in one line; by default it is padded symmetrically to the size of its input."""
    pads = pads or (kernel // 2, kernel // 2)
    padding: Padding = (pads, pads)
    return conv(1, channels, (size, size), (kernel, kernel), (stride, stride), (1, 1), padding, groups)


def resnet50() -> list[Row]:
    """Bottlenecks with the stride on the first 1x1, as in the paper, and on the 3x3, as most programs have it."""
    return _rows(_resnet50())


def _resnet50() -> Problems:
    yield layer((3, 64), 224, 7, 2)
    stages = ((64, 64, 256, 56, 1), (256, 128, 512, 56, 2), (512, 256, 1024, 28, 2), (1024, 512, 2048, 14, 2))
    for inner, middle, outer, size, stride in stages:
        after = size // stride
        for step in sorted({1, stride}):
            yield layer((inner, middle), size, 1, step)
            yield layer((middle, middle), size if step > 1 else after, 3, step)
        yield layer((inner, outer), size, 1, stride)
        yield layer((middle, outer), after, 1)
        yield layer((outer, middle), after, 1)


def mobilenet_v2() -> list[Row]:
    """Inverted residuals."""
    return _rows(_mobilenet_v2())


def _mobilenet_v2() -> Problems:
    yield layer((3, 32), 224, 3, 2)
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    channels, size = 32, 112
    for expansion, outer, repeats, first in stages:
        for turn in range(repeats):
            stride = first if turn == 0 else 1
            yield from _inverted(channels, channels * expansion, outer, size, 3, stride)
            channels, size = outer, size // stride
    yield layer((320, 1280), 7, 1)
    yield layer((1280, 1000), 1, 1)


def mobilenet_v3() -> list[Row]:
    """Inverted residuals of 3x3 and 5x5, with squeeze and excitation."""
    return _rows(_mobilenet_v3())


def _mobilenet_v3() -> Problems:
    yield layer((3, 16), 224, 3, 2)
    blocks = (
        (3, 16, 16, 0, 1), (3, 64, 24, 0, 2), (3, 72, 24, 0, 1), (5, 72, 40, 24, 2), (5, 120, 40, 32, 1),
        (3, 240, 80, 0, 2), (3, 200, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 120, 1), (3, 672, 112, 168, 1),
        (5, 672, 160, 168, 2), (5, 960, 160, 240, 1),
    )  # fmt: skip
    channels, size = 16, 112
    for kernel, middle, outer, squeezed, stride in blocks:
        yield from _inverted(channels, middle, outer, size, kernel, stride)
        if squeezed:
            yield layer((middle, squeezed), 1, 1)
            yield layer((squeezed, middle), 1, 1)
        channels, size = outer, size // stride
    yield layer((160, 960), 7, 1)
    yield layer((960, 1280), 1, 1)
    yield layer((1280, 1000), 1, 1)


def efficientnet_b0() -> list[Row]:
    """Inverted residuals with TensorFlow's padding, which is uneven under stride 2."""
    return _rows(_efficientnet_b0())


def _efficientnet_b0() -> Problems:
    yield layer((3, 32), 224, 3, 2, pads=(0, 1))
    stages = ((1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1),
              (6, 5, 192, 4, 2), (6, 3, 320, 1, 1))  # fmt: skip
    channels, size = 32, 112
    for expansion, kernel, outer, repeats, first in stages:
        for turn in range(repeats):
            stride, middle = first if turn == 0 else 1, channels * expansion
            pads = (kernel // 2 - 1, kernel // 2) if stride == 2 else None
            yield from _inverted(channels, middle, outer, size, kernel, stride, pads)
            yield layer((middle, channels // 4), 1, 1)
            yield layer((channels // 4, middle), 1, 1)
            channels, size = outer, size // stride
    yield layer((320, 1280), 7, 1)


def convnext_t() -> list[Row]:
    """7x7 depthwise, wide 1x1, and patches between the stages."""
    return _rows(_convnext_t())


def _convnext_t() -> Problems:
    yield layer((3, 96), 224, 4, 4, pads=(0, 0))
    for channels, size in ((96, 56), (192, 28), (384, 14), (768, 7)):
        yield layer((channels, channels), size, 7, groups=channels)
        yield layer((channels, 4 * channels), size, 1)
        yield layer((4 * channels, channels), size, 1)
        if channels < 768:
            yield layer((channels, 2 * channels), size, 2, 2, pads=(0, 0))


def unet_input() -> list[Row]:
    """Return the first two layers, at half of the figure's 572: an input of 284 keeps all sizes before pooling even."""
    return _rows(list(_unet_down())[:2])


def unet_down() -> list[Row]:
    """3x3 without padding, from the first pooling on."""
    return _rows(list(_unet_down())[2:])


def _unet_down() -> Problems:
    channels, size = 1, 284
    for outer in (64, 128, 256, 512, 1024):
        yield layer((channels, outer), size, 3, pads=(0, 0))
        yield layer((outer, outer), size - 2, 3, pads=(0, 0))
        channels, size = outer, (size - 4) // 2


def unet_up() -> list[Row]:
    """3x3 after the skips; and the 2x2 layers with stride 2 whose grad_input is the up-convolution."""
    return _rows(_unet_up())


def _unet_up() -> Problems:
    size = 10
    for outer in (512, 256, 128, 64):
        size *= 2
        yield layer((outer, 2 * outer), size, 2, 2, pads=(0, 0))
        yield layer((2 * outer, outer), size, 3, pads=(0, 0))
        yield layer((outer, outer), size - 2, 3, pads=(0, 0))
        size -= 4
    yield layer((64, 2), size, 1)


def yolo_tiny() -> list[Row]:
    """3x3 at 416x416 down to 13x13, and the 255 channels of the detections."""
    return _rows(_yolo_tiny())


def _yolo_tiny() -> Problems:
    size = 416
    for inner, outer in ((3, 16), (16, 32), (32, 64), (64, 128), (128, 256)):
        yield layer((inner, outer), size, 3)
        size //= 2
    yield from (layer((inner, outer), 13, 3) for inner, outer in ((256, 512), (512, 1024)))
    yield from (layer((inner, outer), 13, 1) for inner, outer in ((1024, 256), (512, 255), (256, 128)))
    yield layer((384, 256), 26, 3)
    yield layer((256, 255), 26, 1)


NETWORKS: dict[str, Callable[[], list[Row]]] = {
    "resnet50-layers": resnet50,
    "mobilenet-v2-layers": mobilenet_v2,
    "mobilenet-v3-layers": mobilenet_v3,
    "efficientnet-b0-layers": efficientnet_b0,
    "convnext-t-layers": convnext_t,
    "unet-input-layers": unet_input,
    "unet-down-layers": unet_down,
    "unet-up-layers": unet_up,
    "yolov3-tiny-layers": yolo_tiny,
}


def _inverted(
    inner: int, middle: int, outer: int, size: int, kernel: int, stride: int, pads: Pair | None = None
) -> Problems:
    if middle != inner:
        yield layer((inner, middle), size, 1)
    yield layer((middle, middle), size, kernel, stride, middle, pads)
    yield layer((middle, outer), size // stride, 1)


def _rows(problems: Iterable[ConvProblem]) -> list[Row]:
    return [_row(problem) for problem in dict.fromkeys(problems)]


def _row(problem: ConvProblem) -> Row:
    H, k, s = problem.input_size[0], problem.kernel_size[0], problem.stride[0]
    slug = f"c{problem.in_channels}-k{problem.out_channels}-{k}x{k}-s{s}-at-{H}x{H}"
    slug += "-depthwise" if problem.groups > 1 else ""
    products = math.prod(problem.y_shape) * math.prod(problem.weight_shape[1:])
    first = ("FirstLayer",) if problem.in_channels <= 3 else ()
    return Row(slug, f"{problem.in_channels} -> {problem.out_channels}, {k}x{k}, stride {s}, at {H}x{H}.", problem,
               (*first, "RealNetwork"), bias=H == 1,
               operations=OPERATIONS if products <= WITH_GRADIENTS else ("forward",))  # fmt: skip
