"""Families of special values: NaN, infinities, -0, subnormal and largest finite numbers, and open choices.

Every value stands at a stated place, inside the image, under the padding or where nothing reads it, in a
problem large enough that many results stay finite: those must not change.
"""

from __future__ import annotations

from dataclasses import replace

from refconv.catalogue.families import conv
from refconv.catalogue.planting import Planted
from refconv.catalogue.spec import Row
from refconv.problem import OversizedProblem
from refconv.suite import REFUSED

_PLAIN = conv(1, (2, 3), (5, 6), (3, 2))
_WIDER = conv(1, (2, 4), (5, 6), (3, 2))  # whose last output channel stays finite
_PADDED = conv(1, (2, 3), (4, 5), (3, 3), padding=((1, 1), (2, 2)))  # even, so that nobody pads beforehand
_BACK = ("grad_input", "grad_weight", "grad_bias")


def non_finite() -> list[Row]:
    """NaN, inf and -inf in each of the four tensors."""

    def planted(tensor: str, *places: tuple[int, ...]) -> tuple[Planted, ...]:
        return tuple(Planted(tensor, place, value) for place, value in zip(places, ("nan", "inf", "-inf"), strict=True))

    return [
        Row("x", "NaN, inf and -inf at three pixels; -inf in the second channel.", _PLAIN,
            planted=planted("x", (0, 0, 0, 1), (0, 0, 3, 5), (0, 1, 4, 0)), operations=("forward", "grad_weight")),
        Row("weight", "NaN, inf and -inf in the kernel of one output channel each.", _WIDER,
            planted=planted("weight", (0, 1, 2, 1), (1, 0, 0, 0), (2, 1, 1, 0)), operations=("forward", "grad_input")),
        Row("bias", "The bias of the three channels is NaN, inf and -inf.", conv(2, (2, 4), (4, 3), (2, 2)),
            planted=planted("bias", (0,), (1,), (2,)), operations=("forward",)),
        Row("grad-output", "NaN, inf and -inf in one channel of the gradient each.", _WIDER,
            planted=planted("grad_output", (0, 0, 0, 1), (0, 1, 2, 2), (0, 2, 1, 3)), operations=_BACK),
    ]  # fmt: skip


def special_places() -> list[Row]:
    """Where special values meet each other, zeros, borders, groups, images, and what is never read."""
    unread = ("UnreadNonFinite",)
    border = conv(1, (2, 2), (5, 6), (3, 3), padding=((1, 1), (1, 1)))
    return [
        Row("inf-minus-inf", "Two infinities of opposite sign: NaN where weights make them so, infinity elsewhere.",
            _PLAIN, planted=(Planted("x", (0, 0, 2, 2), "inf"), Planted("x", (0, 1, 2, 3), "-inf"),
                             Planted("bias", (1,), "-inf")), operations=("forward", "grad_weight")),
        Row("zero-times-inf", "Weights of 0 and -0 meet infinities: NaN by IEEE 754, and never skipped.", _PLAIN,
            ("ZeroTimesInfinity",), operations=("forward",),
            planted=(Planted("x", (0, 0, 2, 3), "inf"), Planted("weight", (0, 0, 1, 1), "0"),
                     Planted("weight", (2, 0, 2, 0), "-0"))),
        Row("negative-zero", "-0 in every tensor: a zero like any other.", _PLAIN,
            planted=(Planted("x", (0, 0, 1), "-0"), Planted("weight", (1,), "-0"), Planted("bias", (1,), "-0"),
                     Planted("grad_output", (0, 2), "-0"))),
        Row("corners-of-the-image", "NaN and infinities in the corners, under a kernel that reaches over the border.",
            border, operations=("forward",),
            planted=(Planted("x", (0, 0, 0, 0), "inf"), Planted("x", (0, 1, 4, 5), "nan"))),
        Row("weight-over-the-border", "NaN and infinite weights; the gradient of the image does not read padding.",
            border, ("PaddingMeetsNonFinite",), operations=("grad_input",),
            planted=(Planted("weight", (0, 0, 0, 0), "inf"), Planted("weight", (1, 1, 2, 2), "nan"))),
        Row("leftover", "NaN and inf in the rows and columns that the stride leaves unread.",
            conv(1, (2, 3), (6, 8), (3, 2), (2, 3)), unread, operations=("forward", "grad_weight"),
            planted=(Planted("x", (0, 0, 5), "nan"), Planted("x", (0, 1, 1, 2), "inf"))),
        Row("other-group", "NaN and inf in the second group stay there.", conv(1, (4, 6), (4, 5), (2, 3), groups=2),
            unread, planted=(Planted("x", (0, 2, 1, 1), "nan"), Planted("weight", (4, 1, 0, 2), "inf"))),
        Row("other-image", "NaN and inf in the second image stay there.", conv(3, (2, 3), (4, 5), (2, 3)), unread,
            operations=("forward", "grad_input"),
            planted=(Planted("x", (1, 0, 2, 2), "nan"), Planted("grad_output", (1, 2, 1, 1), "inf"))),
    ]  # fmt: skip


def subnormal() -> list[Row]:
    """Tensors of subnormal numbers, whose exact results are subnormal too."""
    return [
        Row("x", "x and bias in units of the smallest subnormal number.", _PLAIN,
            subnormal=("x", "bias"), operations=("forward", "grad_weight")),
        Row("weight", "weight and bias in units of the smallest subnormal number.", _PLAIN,
            subnormal=("weight", "bias"), operations=("forward", "grad_input")),
        Row("grad-output", "grad_output in units of the smallest subnormal number.", _PLAIN,
            subnormal=("grad_output",), operations=_BACK),
    ]  # fmt: skip


def largest() -> list[Row]:
    """Values below one beside the largest finite number: nothing may overflow, and nothing be lost."""
    return [
        Row("x", "The largest finite number at one pixel.", _PLAIN,
            planted=(Planted("x", (0, 1, 2, 3), "largest"),), operations=("forward", "grad_weight")),
        Row("weight-and-bias", "It is a weight of one channel, and its negative the bias of another.", _PLAIN,
            planted=(Planted("weight", (0, 1, 1, 0), "largest"), Planted("bias", (1,), "-largest")),
            operations=("forward", "grad_input")),
        Row("grad-output", "It stands in the gradient.", _PLAIN,
            planted=(Planted("grad_output", (0, 2, 1, 3), "-largest"),), operations=_BACK),
    ]  # fmt: skip


def overflow() -> list[Row]:
    """Results beyond the largest finite number: infinity, with the sign of the exact result."""
    return [
        Row("product", "The largest number times 2 and -3.", conv(1, (1, 2), (2, 3), (1, 1)), bias=False,
            operations=("forward",), planted=(Planted("x", (0, 0, 1, 1), "largest"), Planted("weight", (0,), "2"),
                                              Planted("weight", (1,), "-3"))),
        Row("sum", "The largest number and the largest number.", conv(1, (1, 1), (2, 4), (1, 2)), bias=False,
            planted=(Planted("x", (0, 0, 0), "largest"), Planted("weight", (0,), "1")), operations=("forward",)),
    ]  # fmt: skip


def padding_choice() -> list[Row]:
    """Non-finite factors that meet the padding: absent, or multiplied by its zeros."""
    flags, policies = ("PaddingMeetsNonFinite",), ("padding-is-absent", "padding-is-zero")
    return [
        Row("padding-nan-weight", "A NaN weight that only meets padding along the first row and column.", _PADDED,
            flags, operations=("forward",), planted=(Planted("weight", (0, 0, 0, 0), "nan"),), policies=policies),
        Row("padding-inf-weight", "Infinite weights that meet padding at the top and at the bottom.", _PADDED, flags,
            operations=("forward",), policies=policies,
            planted=(Planted("weight", (1, 1, 0, 1), "inf"), Planted("weight", (2, 0, 2, 0), "-inf"))),
        Row("padding-inf-grad-output", "An infinite gradient in a corner, some taps of which read padding.", _PADDED,
            flags, operations=("grad_weight",), policies=policies,
            planted=(Planted("grad_output", (0, 1, 0, 0), "inf"),)),
    ]  # fmt: skip


def oversized_choice() -> list[Row]:
    """Kernels that are larger than the padded input: an error, or an empty result."""
    policies = (REFUSED, "oversized-kernel-is-empty")
    rows = []
    for slug, comment, size, kernel, dilation in [
        ("kernel-above-input", "A kernel of four rows over three.", (3, 5), (4, 2), (1, 1)),
        ("dilated-above-input", "A dilated kernel that reaches over one column too many.", (4, 6), (2, 3), (1, 3)),
    ]:
        problem = OversizedProblem(batch=1, in_channels=2, out_channels=3, input_size=size, kernel_size=kernel,
                                   dilation=dilation)  # fmt: skip
        rows.append(Row(slug, comment, problem, policies=policies, operations=("forward",)))
    return rows


def no_channels_choice() -> list[Row]:
    """No input channels: the empty sum, or no output at all."""
    policies = ("no-input-channels-give-bias", "no-input-channels-give-nothing")
    problem = conv(2, (0, 3), (4, 5), (2, 3), padding=((1, 0), (0, 0)))
    row = Row("no-input-channels", "C = 0: every output is an empty sum and the bias.", problem, policies=policies)
    return [replace(row, operations=("forward",))]


def special_sums() -> list[Row]:
    """List sums whose special values meet in one window: what comes first must not decide."""
    x = ((0, 0, 2, 2), (0, 0, 2, 3), (0, 1, 3, 2), (0, 1, 1, 3))
    return [
        Row("inf-inf-in-one-window", "Infinities of both signs in one window, in both orders.", _PLAIN,
            planted=tuple(map(Planted, ("x",) * 4, x, ("inf", "-inf", "-inf", "inf"))), operations=("forward",)),
        Row("inf-then-nan", "NaN behind an infinity: NaN.", _PLAIN,
            planted=tuple(map(Planted, ("x",) * 2, x, ("inf", "nan"))), operations=("forward",)),
        Row("zero-under-inf", "Pixels of 0 and -0 under infinite weights: NaN by IEEE 754, and never skipped.", _WIDER,
            ("ZeroTimesInfinity",), operations=("forward",),
            planted=(Planted("x", x[0], "0"), Planted("x", x[2], "-0"), Planted("weight", (0, 0, 1, 1), "inf"),
                     Planted("weight", (2, 1, 2, 0), "nan"))),
    ]  # fmt: skip


def subnormal_choice() -> list[Row]:
    """Subnormal bfloat16 inputs, which the dot-product instruction of many processors takes for zeros."""
    policies = ("subnormals-are-kept", "subnormals-are-flushed")
    return [
        replace(row, slug=f"subnormal-{row.slug}", bias=False, policies=policies,
                comment=row.comment.replace(" and bias", ""), subnormal=row.subnormal[:1])
        for row in subnormal()
    ]  # fmt: skip
