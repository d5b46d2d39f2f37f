"""What must be refused: every rule of a problem broken once, and tensors that contradict each other.

A kernel that exceeds the padded input is a choice, see :mod:`refconv.catalogue.special`.  Negative padding
and mixed dtypes are missing on purpose: some programs crop, and some promote, as they promise.
"""

from __future__ import annotations

from typing import Any

from refconv.catalogue.families import conv
from refconv.catalogue.spec import Row
from refconv.illegal import IllegalProblem

Shape = tuple[int, ...]

_PLAIN: dict[str, Any] = {
    "batch": 1, "in_channels": 4, "out_channels": 6, "input_size": (5, 6), "kernel_size": (3, 2), "groups": 2,
}  # fmt: skip


def illegal() -> list[Row]:
    """Problems that break a rule, one at a time."""

    def row(slug: str, flag: str, **broken: Any) -> Row:
        problem = IllegalProblem(**_PLAIN | broken)
        return Row(slug, problem.rule, problem, (flag,), operations=("forward",), invalid=True)

    return [
        row("groups-over-inputs", "BadGroups", in_channels=5),
        row("groups-over-outputs", "BadGroups", out_channels=5),
        row("groups-above-channels", "BadGroups", groups=5),
        row("groups-zero", "BadGroups", groups=0),
        row("stride-zero", "ZeroStride", stride=(0, 0)),
        row("stride-zero-height", "ZeroStride", stride=(0, 1)),
        row("dilation-zero", "ZeroDilation", dilation=(0, 0)),
        row("dilation-zero-width", "ZeroDilation", dilation=(1, 0)),
        row("kernel-empty", "EmptyKernel", kernel_size=(0, 2)),
        row("image-empty", "EmptyImage", input_size=(0, 6)),
    ]


def mismatched() -> list[Row]:
    """Legal problems whose tensors have other shapes; of forward, since few check the shapes of gradients."""
    problem = conv(2, (4, 6), (5, 6), (3, 2), groups=2)

    def row(slug: str, comment: str, tensor: str, shape: Shape, *operations: str) -> Row:
        return Row(slug, comment, problem, ("ShapeMismatch",), operations=operations or ("forward",), invalid=True,
                   shapes=((tensor, shape),))  # fmt: skip

    return [
        row("weight-channels", "The weights of one group too many input channels.", "weight", (6, 3, 3, 2)),
        row("weight-all-channels", "Weights as if there were no groups.", "weight", (6, 4, 3, 2)),
        row("weight-axes", "Weights without their last axis.", "weight", (6, 2, 3)),
        row("bias-too-long", "A bias of one entry too many.", "bias", (7,)),
        row("bias-too-short", "A bias of one entry too few.", "bias", (5,)),
        row("x-channels", "An image of one channel too many.", "x", (2, 5, 5, 6)),
    ]  # fmt: skip
