"""Layers of published networks: kernel, stride, padding and groups as published, extents cropped to size.

Shapes from He et al., "Deep residual learning for image recognition" (arXiv:1512.03385, table 1), Sandler
et al., "MobileNetV2: inverted residuals and linear bottlenecks" (arXiv:1801.04381, table 2), and Tan and
Le, "EfficientNet: rethinking model scaling" (arXiv:1905.11946, table 1).
"""

from __future__ import annotations

from refconv.catalogue.families import conv
from refconv.catalogue.spec import Row

FIRST, REAL = ("FirstLayer", "RealNetwork"), ("RealNetwork",)


def resnet50() -> list[Row]:
    """7x7 stem, bottlenecks, and projections with stride."""
    return [
        Row("stem", "7x7, stride 2, 3 -> 64 at 224x224; here 3 -> 8 at 17x15.",
            conv(1, (3, 8), (17, 15), (7, 7), (2, 2), padding=((3, 3), (3, 3))), FIRST, bias=False),
        Row("bottleneck-3x3", "3x3, 64 -> 64 at 56x56; here 8 -> 8 at 8x7.",
            conv(1, (8, 8), (8, 7), (3, 3), padding=((1, 1), (1, 1))), REAL, bias=False),
        Row("bottleneck-3x3-s2", "3x3, stride 2, 128 -> 128 at 56x56; here 8 -> 8 at 10x8.",
            conv(1, (8, 8), (10, 8), (3, 3), (2, 2), padding=((1, 1), (1, 1))), REAL, bias=False),
        Row("expand-1x1", "1x1, 64 -> 256 at 56x56; here 8 -> 32 at 5x4.",
            conv(1, (8, 32), (5, 4), (1, 1)), REAL, bias=False),
        Row("project-1x1-s2", "1x1, stride 2, 256 -> 512 at 56x56; here 16 -> 32 at 6x8.",
            conv(1, (16, 32), (6, 8), (1, 1), (2, 2)), REAL, bias=False),
        Row("last-1x1", "1x1, 512 -> 2048 at 7x7; here 16 -> 64 at 3x3.",
            conv(1, (16, 64), (3, 3), (1, 1)), REAL, bias=False),
    ]  # fmt: skip


def mobilenet_v2() -> list[Row]:
    """Inverted residuals: expand, depthwise, project."""
    return [
        Row("stem", "3x3, stride 2, 3 -> 32 at 224x224; here 3 -> 8 at 14x12.",
            conv(1, (3, 8), (14, 12), (3, 3), (2, 2), padding=((1, 1), (1, 1))), FIRST, bias=False),
        Row("expand-1x1", "1x1, 16 -> 96 at 112x112; here 4 -> 24 at 6x5.",
            conv(1, (4, 24), (6, 5), (1, 1)), REAL, bias=False),
        Row("depthwise", "3x3 depthwise, 144 channels at 56x56; here 12 at 7x8.",
            conv(1, (12, 12), (7, 8), (3, 3), padding=((1, 1), (1, 1)), groups=12), REAL, bias=False),
        Row("depthwise-s2", "3x3 depthwise, stride 2, 96 channels at 112x112; here 12 at 10x8.",
            conv(1, (12, 12), (10, 8), (3, 3), (2, 2), padding=((1, 1), (1, 1)), groups=12), REAL, bias=False),
        Row("project-1x1", "1x1, 144 -> 24 at 56x56; here 36 -> 6 at 4x5.",
            conv(1, (36, 6), (4, 5), (1, 1)), REAL, bias=False),
    ]  # fmt: skip


def efficientnet_b0() -> list[Row]:
    """5x5 depthwise kernels, TensorFlow's uneven padding, and squeeze-and-excitation."""
    return [
        Row("stem-same", "3x3, stride 2, 3 -> 32 at 224x224, padded at the end alone; here 3 -> 8 at 12x14.",
            conv(1, (3, 8), (12, 14), (3, 3), (2, 2), padding=((0, 1), (0, 1))), FIRST, bias=False),
        Row("depthwise-5x5", "5x5 depthwise, 240 channels at 28x28; here 10 at 7x6.",
            conv(1, (10, 10), (7, 6), (5, 5), padding=((2, 2), (2, 2)), groups=10), REAL, bias=False),
        Row("depthwise-5x5-s2-same", "5x5 depthwise, stride 2, 144 channels at 56x56; here 10 at 8x8.",
            conv(1, (10, 10), (8, 8), (5, 5), (2, 2), padding=((1, 2), (1, 2)), groups=10), REAL, bias=False),
        Row("squeeze", "1x1 on one pixel, 96 -> 4, with bias.", conv(1, (96, 4), (1, 1), (1, 1)), REAL),
        Row("excite", "1x1 on one pixel, 4 -> 96, with bias.", conv(1, (4, 96), (1, 1), (1, 1)), REAL),
        Row("head-1x1", "1x1, 320 -> 1280 at 7x7; here 20 -> 40 at 3x4.",
            conv(1, (20, 40), (3, 4), (1, 1)), REAL, bias=False),
    ]  # fmt: skip
