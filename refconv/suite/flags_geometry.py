"""Flags of geometry and order: what a case has, and what a failure usually means."""

from __future__ import annotations

Rows = dict[str, tuple[str, str]]

BASIC: Rows = {
    "Basic": (
        "A small, ordinary convolution that every implementation should support.",
        "the operation is not a cross-correlation at all: a flipped kernel, swapped operands, or a wrong output shape.",
    ),
    "WorkedExample": (
        "The example of a textbook or paper, small enough to be computed by hand.",
        "the kernel is flipped or the output is transposed; compare the printed values one by one.",
    ),
    "Transposed": (
        "The input gradient of the case is the output of a transposed convolution.",
        "the overlaps of the patches are lost, or the zeros between the strided elements are miscounted.",
    ),
    "FirstLayer": (
        "Few input channels and many output channels, as in the first layer of an image network.",
        "a kernel that handles channels in blocks reads past the last input channel or skips it.",
    ),
    "RealNetwork": (
        "The geometry of a layer of a published network.",
        "a path that is selected for large or popular shapes differs from the general one.",
    ),
}

EXACT: Rows = {
    "ExactInteger": (
        "The values are integers and every partial sum fits into the accumulator, so any order gives these bits.",
        "a product was dropped, doubled or misplaced, or the inputs were rounded to a narrower format before use.",
    ),
    "OneHot": (
        "One operand is zero except for a single one, so the result shows the other operand, shifted.",
        "an index is off: the place at which the values appear tells by how much and along which axis.",
    ),
    "Iota": (
        "The values count upwards in memory order, so that every element tells its own address.",
        "a tensor is read with wrong strides or in another memory layout.",
    ),
    "NarrowAccumulator": (
        "The partial sums fit into an accumulator as narrow as the inputs, so even that one must be exact.",
        "indices are wrong; a lack of accumulator precision is excluded by the choice of values.",
    ),
}

INDEXING: Rows = {
    "TransposedConvolution": (
        "The case is a transposed convolution: every element of x adds a whole kernel to y; weight is (C, K/G, ...).",
        "weight is read as (K, C/G, ...), the kernel is flipped, sums are lost where kernels overlap, or the stride "
        "puts one zero too many or too few between the elements.",
    ),
    "OutputPadding": (
        "The output of a transposed convolution is longer at its end than without output_padding.",
        "output_padding is ignored, or lengthens the output at its beginning.",
    ),
    "CutOutput": (
        "The padding of a transposed convolution cuts elements off its output.",
        "the padding is added to the input instead, the output is cut before all products are added, or begin and "
        "end are exchanged.",
    ),
    "GrownOutput": (
        "The padding of a transposed convolution is negative at some end: the output grows there.",
        "a negative padding is refused or taken for zero, or the grown part does not hold the bias.",
    ),
    "UnevenOverlap": (
        "The stride does not divide the reach of the kernel, so that the number of products that meet varies.",
        "a loop over the products of an output element has the same number of turns everywhere, or starts at a wrong "
        "tap.",
    ),
    "GapsInOutput": (
        "The stride of a transposed convolution is larger than the reach of the kernel: some outputs are the bias.",
        "output that no product reaches is left unwritten, or lacks the bias.",
    ),
    "SameUpper": (
        "The padding is what SAME_UPPER (auto_pad, or padding='same') stands for: of an odd total more at the end.",
        "the length is taken from a wrong axis, dilation or stride is forgotten, or less than nothing is added.",
    ),
    "SameLower": (
        "The padding is what SAME_LOWER stands for: of an odd total more at the beginning.",
        "the larger half is put at the end, as SAME_UPPER does.",
    ),
    "ValidPadding": (
        "The padding is what VALID stands for: none.",
        "VALID is computed like SAME, which adds padding.",
    ),
    "NonSquareInput": (
        "The height and the width of the input differ.",
        "height and width are swapped in a bound or in a row stride.",
    ),
    "NonSquareKernel": (
        "The height and the width of the kernel differ.",
        "the kernel is transposed, or one extent of it is used for both axes.",
    ),
    "EvenKernel": (
        "The kernel has an even extent and therefore no centre.",
        "a padding of (kernel - 1) // 2 on both sides is assumed, or the kernel is centred half an element off.",
    ),
    "Strided": (
        "The stride is larger than one along at least one axis.",
        "the stride is ignored, is applied before the padding, or is missing from a gradient.",
    ),
    "StrideAboveKernel": (
        "The stride is larger than the reach of the kernel, so that some inputs are never read.",
        "the input gradient at unread places is left uninitialised instead of being zero.",
    ),
    "Dilated": (
        "The taps of the kernel are more than one element apart.",
        "the dilation is ignored, is off by one (0 is dense in some interfaces), or is missing from the output size.",
    ),
    "StrideDilationDiffer": (
        "The strides of the two axes differ, and so do their dilations.",
        "the stride or dilation of one axis is used for the other one, or stride and dilation are exchanged.",
    ),
    "Padded": (
        "Zeros surround the input.",
        "the padding is ignored, is filled with something else, or shifts the output by one element.",
    ),
    "AsymmetricPadding": (
        "The padding at the beginning of an axis differs from the padding at its end.",
        "begin and end are exchanged, or the total is split evenly.",
    ),
    "Cropped": (
        "The padding is negative at some end: the first or the last elements of the input are not read.",
        "a negative padding is refused, taken for zero, or read as a large unsigned number; or the offset of the "
        "gradient at the cropped end is wrong.",
    ),
    "PaddingAboveKernel": (
        "The padding is at least as large as the reach of the kernel, so that some outputs see only padding.",
        "a border is clipped to the kernel, an index becomes negative, or the bias is missing where no input is read.",
    ),
    "Leftover": (
        "The stride does not divide the length, so that the last rows or columns are not read.",
        "the output size is rounded up or refused, or the gradient of the unread elements is not zero.",
    ),
    "Grouped": (
        "There are several groups, and their numbers of input and output channels differ.",
        "channels are interleaved instead of blocked, or the offset of a group is wrong.",
    ),
    "Depthwise": (
        "There are as many groups as input channels, one output channel each.",
        "channels are mixed, or a special depthwise path handles borders or the last channels differently.",
    ),
    "DepthMultiplier": (
        "There are as many groups as input channels, with several output channels each.",
        "the output channels are ordered multiplier first instead of group first.",
    ),
    "TileEdge": (
        "An extent lies next to a power of two: one below, exactly on it, or one above.",
        "the remainder of a tile is skipped, computed twice, or written over its neighbour.",
    ),
    "VectorTail": (
        "The number of channels leaves a remainder modulo 4, 8, 16 or 32.",
        "the tail of a vector loop is skipped, or reads and writes lanes beyond the last channel.",
    ),
    "Pointwise": (
        "The kernel has one element, so that the convolution is a matrix product over the channels.",
        "a shortcut through matrix multiplication ignores the stride, the padding or the groups.",
    ),
    "FullReduction": (
        "The kernel covers the whole input, so that each output channel is a single number.",
        "the kernel is flipped or transposed, or the reduction stops before its last element.",
    ),
    "OneRowInput": (
        "The input has a single row or a single column.",
        "a loop assumes at least two rows, or a one-dimensional shortcut takes the wrong axis.",
    ),
}

LAYOUT: Rows = {
    "SameShapes": (
        "The case before has tensors of the same shapes and another geometry.",
        "a plan, a buffer or a bias of an earlier call is used again because the key of a cache lacks something.",
    ),
    "ConstantTensor": (
        "All weights are one, and so is the gradient at the output, as behind a plain sum.",
        "a layer without effect hands out its input, or a number that is spread out by strides of zero is misread.",
    ),
    "NonContiguous": (
        "The tensors may be handed over as views whose strides are not those of a packed array.",
        "the strides are ignored and the buffer is read as if it were packed.",
    ),
    "ZeroBatch": (
        "The batch holds no image.",
        "an empty result is refused, or the weight and bias gradients are left uninitialised instead of being zero.",
    ),
    "OneByOne": (
        "All extents are one, so that strides in memory are ambiguous.",
        "the memory layout is guessed from strides, which tell nothing where an extent is one.",
    ),
    "BatchOrder": (
        "The batch holds several images that differ.",
        "every image is computed from the first one, or batch and channel are exchanged.",
    ),
}
