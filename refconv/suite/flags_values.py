"""Flags of values, policies and refusals: what a case has, and what a failure usually means."""

from __future__ import annotations

Rows = dict[str, tuple[str, str]]

NUMERIC: Rows = {
    "RealValued": (
        "The values are not integers, so that the order of summation may change the last bits.",
        "the accumulator is narrower than claimed, or a product is missing altogether.",
    ),
    "Cancellation": (
        "Large products of opposite sign cancel and leave a small result.",
        "the accumulator is too narrow, or the inputs are rounded to a narrower format.",
    ),
    "LongReduction": (
        "Very many products are added into one result.",
        "the sum is kept in the output format, or partial sums are rounded between tiles.",
    ),
    "SwampedBias": (
        "The bias is so small or so large beside the sum that one of them disappears if the rounding comes too early.",
        "the bias is added after the sum was already rounded to the output format.",
    ),
    "Subnormal": (
        "Inputs, products or results are subnormal numbers.",
        "subnormal numbers are flushed to zero.",
    ),
    "Overflow": (
        "The exact result lies at or beyond the largest finite number of the output format.",
        "the result saturates where it should be infinite or the reverse, or a partial sum overflows first.",
    ),
    "RoundTie": (
        "The exact result lies on, or very near to, the middle between two neighbouring numbers.",
        "the result is rounded twice, is truncated, or ties do not go to the even neighbour.",
    ),
    "WideExponents": (
        "The exponents of the values differ widely within one sum.",
        "small terms are lost in a narrow accumulator, or a common scale is taken for the whole tensor.",
    ),
}

NONFINITE: Rows = {
    "NanPropagation": (
        "Some values are NaN.",
        "NaN is dropped by a comparison or a maximum, or spreads to outputs that do not read it.",
    ),
    "InfPropagation": (
        "Some values are infinite.",
        "infinity is multiplied by a zero that is not there, as transform and masking algorithms do, and becomes NaN.",
    ),
    "PaddingMeetsNonFinite": (
        "A NaN or infinite weight meets the padding.",
        "the padding is multiplied as zeros, which gives NaN, instead of being absent, or the reverse.",
    ),
    "ZeroTimesInfinity": (
        "An infinity meets a zero of the other factor.",
        "products with zero weights are skipped, as sparse kernels do, and the NaN of 0 * inf is lost.",
    ),
    "UnreadNonFinite": (
        "NaN or infinity stand where some or all results do not read them: in leftovers, other groups or images.",
        "what is not read is multiplied by zero, as by masks and dense matrices, and the NaN spreads.",
    ),
    "NegativeZero": (
        "Some inputs are -0.",
        "-0 is told from +0, by its sign bit or by its bytes, where both are the same number.",
    ),
    "SignedZero": (
        "The sign of a zero in the result matters.",
        "a sum begins with the other zero, or the sign is lost in a fused or vectorised addition.",
    ),
}

DTYPE: Rows = {
    "MixedDtype": (
        "The tensors of the case do not all have the same format.",
        "a tensor is reinterpreted or rounded to the format of another one before the products are taken.",
    ),
    "Int8Extremes": (
        "The integers include the most negative and the largest ones of their format.",
        "-128 is negated in 8 bits, or pairs of products saturate in a 16-bit intermediate sum.",
    ),
    "ZeroPoint": (
        "The quantised tensors have a zero point other than zero.",
        "the padding is filled with 0 instead of the zero point, or the correction term misses the borders.",
    ),
    "Saturation": (
        "Quantised results lie beyond both ends of the output format.",
        "results wrap around instead of saturating, or saturate before the zero point is added.",
    ),
    "PerChannelScale": (
        "Every output channel has a scale of its own.",
        "the scale of the first channel is used for all, or is indexed within the group instead of over all channels.",
    ),
}

# Each flag is one policy, claimed by its name in kebab case: PaddingIsAbsent is padding-is-absent.
CHOICE: Rows = {
    "PaddingIsAbsent": (
        "Policy: taps on the padding are left out, even where the weight or the gradient is NaN or infinite.",
        "the padding is multiplied as zeros, which is the other policy.",
    ),
    "PaddingIsZero": (
        "Policy: taps on the padding are multiplied by zero, so that a NaN or infinite factor gives NaN there.",
        "the padding is left out, which is the other policy.",
    ),
    "OversizedKernelIsRefused": (
        "Policy: a kernel that is larger than the padded input is refused by an error.",
        "an empty result is returned, which is the other policy, or the size underflows.",
    ),
    "OversizedKernelIsEmpty": (
        "Policy: a kernel that is larger than the padded input gives an empty result.",
        "it is refused, which is the other policy, or the output size is negative or rounded up to one.",
    ),
    "NoInputChannelsGiveBias": (
        "Policy: without input channels the result is the bias, or zero, in the full output shape.",
        "the output has no channels or holds uninitialised memory.",
    ),
    "NoInputChannelsGiveNothing": (
        "Policy: without input channels the result has no output channels either.",
        "the empty sum is computed in the full output shape, which is the other policy.",
    ),
    "SubnormalsAreKept": (
        "Policy: subnormal inputs enter the products with their value.",
        "the processor or its dot-product instruction flushes subnormal numbers to zero, which is the other policy.",
    ),
    "HalfToEven": (
        "Policy: quantised results are the exact real number, rounded to nearest with ties to even, as in ONNX.",
        "another way to round is followed, or the zero point is added before the rounding.",
    ),
    "HalfAwayFromZero": (
        "Policy: quantised results are the exact real number, rounded to nearest with ties away from zero.",
        "another way to round is followed, or a half is added to negative numbers too.",
    ),
    "FixedPointDoubleRounding": (
        "Policy: the multiplier has 31 bits and the product is rounded twice, as in gemmlowp and TensorFlow Lite.",
        "another way to round is followed, or the sign decides wrongly about ties.",
    ),
    "FixedPointSingleRounding": (
        "Policy: the multiplier has 31 bits and the product is rounded once, ties up, as in newer TensorFlow Lite.",
        "another way to round is followed, or the product is kept in 32 bits.",
    ),
    "SubnormalsAreFlushed": (
        "Policy: subnormal inputs are taken for zeros, and subnormal results become zeros.",
        "subnormal numbers are computed with, which is the other policy.",
    ),
}

INVALID: Rows = {
    "BadGroups": (
        "The groups do not divide the channels.",
        "the division is floored silently and the last channels are dropped.",
    ),
    "KernelAbovePaddedInput": (
        "The kernel is larger than the padded input.",
        "a negative size wraps around to a huge one, or memory before the input is read.",
    ),
    "ZeroStride": (
        "A stride is zero.",
        "the output size is divided by zero, which ends the process or gives a nonsensical shape.",
    ),
    "ZeroDilation": (
        "A dilation is zero; a dense kernel has a dilation of one.",
        "the interface counts the elements between two taps instead of their distance.",
    ),
    "EmptyKernel": (
        "The kernel has no elements along an axis.",
        "an empty sum is returned where a size was miscalculated.",
    ),
    "EmptyImage": (
        "The image has no elements along an axis; an empty batch is legal, this is not.",
        "a size is not checked before memory is read.",
    ),
    "ShapeMismatch": (
        "The shapes of the tensors contradict each other.",
        "a shape is not checked, and memory beyond a tensor is read.",
    ),
    "DtypeMismatch": (
        "The dtypes of the tensors contradict each other.",
        "a buffer is reinterpreted in another format without a conversion.",
    ),
}
