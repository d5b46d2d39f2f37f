"""The extended tier: what is too large to be committed, and is made from a recipe instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

from refconv.catalogue import layers
from refconv.catalogue.arrays import ARRAYS, array_rows
from refconv.catalogue.families import Pair, conv
from refconv.catalogue.spec import CaseSpec, Row

_ONE = ((1, 1), (1, 1))


def large_planes() -> list[Row]:
    """Planes around 2**15 and 2**16 pixels and beyond, whose offsets outgrow 16 bits."""
    return [
        Row(f"{size[0]}x{size[1]}-{kernel[0]}x{kernel[1]}", f"{size[0] * size[1]:,} pixels.",
            conv(1, channels, size, kernel, stride, padding=_ONE), ("TileEdge",))
        for channels, size, kernel, stride in (
            ((1, 2), (181, 181), (3, 3), (1, 1)), ((2, 1), (182, 181), (3, 3), (1, 1)),
            ((1, 1), (256, 256), (3, 3), (1, 1)),
            ((3, 2), (257, 255), (3, 2), (2, 2)), ((1, 2), (1, 65537), (1, 3), (1, 1)),
            ((2, 1), (65535, 1), (3, 1), (2, 1)),
        )
    ]  # fmt: skip


def wide_channels() -> list[Row]:
    """Channels in and out around 32 to 256 at once, under 3x3 and 1x1, over planes with a remainder."""
    pairs: tuple[Pair, ...] = ((31, 65), (32, 64), (33, 63), (63, 33), (64, 32), (65, 31), (96, 104), (104, 96),
                               (128, 127), (129, 128), (256, 40), (440, 24))  # fmt: skip
    planes = ((7, 5), (4, 8), (5, 9), (6, 6), (3, 11), (8, 7), (5, 4), (7, 3), (4, 4), (3, 5), (5, 5), (2, 7))
    rows = []
    for channels, plane in zip(pairs, planes, strict=True):
        for kernel in (1, 3):
            pads = ((kernel // 2,) * 2,) * 2
            rows.append(Row(f"c{channels[0]}-k{channels[1]}-{kernel}x{kernel}",
                            f"{channels[0]} -> {channels[1]}, {kernel}x{kernel}, {plane[0]}x{plane[1]} pixels.",
                            conv(1, channels, plane, (kernel, kernel), padding=pads), ("VectorTail",)))  # fmt: skip
    return rows


def winograd_planes() -> list[Row]:
    """3x3 over enough channels and tiles that Winograd paths surely start, every size of output modulo 6."""
    return [
        Row(f"c{c}-k{k}-{h}x{w}", f"{c} -> {k}, outputs {h}x{w}.", conv(2, (c, k), (h, w), (3, 3), padding=_ONE),
            ("TileEdge",))
        for c, k, h, w in ((16, 32, 12, 13), (32, 16, 14, 15), (32, 32, 16, 17), (24, 40, 11, 18), (33, 17, 13, 12),
                           (64, 16, 10, 14))
    ]  # fmt: skip


def many_images() -> list[Row]:
    """More images than fit into 16 bits."""
    return [
        Row("65537-rows", "65,537 images of one row.", conv(65537, (1, 1), (1, 2), (1, 2)), ("BatchOrder",)),
        Row("65600-pixels", "65,600 images of one pixel.", conv(65600, (1, 2), (1, 1), (1, 1)), ("BatchOrder",)),
    ]


FAMILIES: dict[str, Callable[[], list[Row]]] = {
    "large-planes": large_planes,
    "many-images": many_images,
    "wide-channels": wide_channels,
    "winograd-planes": winograd_planes,
}


def extended() -> list[CaseSpec]:
    """List all cases of the tier: the array of strength 3, the large families, the layers of networks."""
    specs = [CaseSpec(f"triples-{element}-{fill}", row, element, fill)
             for element, fill in ARRAYS for row in array_rows("triples", element, fill)]  # fmt: skip
    for element, family in product(("float32", "float16", "bfloat16", "int8"), FAMILIES):
        if element != "float16" or family not in (
            "large-planes",
            "many-images",
        ):  # whose sums outgrow it
            rows = FAMILIES[family]()
            kept = [row if element == "float32" else replace(row, operations=("forward",)) for row in rows]
            specs += [CaseSpec(f"{family}-{element}-exact", row, element, "exact") for row in kept]
    for network, make in layers.NETWORKS.items():
        specs += [CaseSpec(f"{network}-float32-exact", row, "float32", "exact") for row in make()]
    return specs
