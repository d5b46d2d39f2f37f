"""Flags of known bugs: whose, in which version, reproduced when, and what it does."""

from __future__ import annotations

Known = dict[str, tuple[str, str, tuple[str, ...]]]  # what the case has, what a failure means, links

KNOWN_BUG: Known = {
    "OpencvPaddedPointwise": (
        "A padded 1x1 kernel; OpenCV 5.0.0 (dnn) was wrong, reproduced on 2026-11-22.",
        "the matrix product for 1x1 kernels ignores the padding and reads past the image.",
        (),
    ),
    "OpencvInfinity": (
        "An infinity and a NaN in the image; OpenCV 5.0.0 (dnn) was wrong, reproduced on 2026-11-22.",
        "infinities and NaN become the largest finite number.",
        (),
    ),
    "OpencvOversized": (
        "A dilated kernel larger than the image; OpenCV 5.0.0 (dnn) died of SIGFPE, reproduced on 2026-11-22.",
        "a negative output size is divided by, instead of being refused.",
        (),
    ),
    "EmptyBatch": (
        "No image at all; OpenCV 5.0.0 returned None, TensorFlow 2.21.0 the shape of the input, mlx 0.32.4 raised in "
        "grad_weight, reproduced on 2026-11-22.",
        "an early return for empty inputs forgets the shape of the output, or that gradients are zero.",
        ("https://github.com/pytorch/pytorch/issues/19599",),
    ),
    "NcnnGroups": (
        "Groups whose channels are no multiple of four; ncnn 20261020 was wrong, reproduced on 2026-11-22.",
        "packed channels of neighbouring groups are mixed, or memory beyond the weights is read.",
        (),
    ),
    "NcnnDilated": (
        "A dilated 3x3 kernel without packing; ncnn 20261020 crashed, reproduced on 2026-11-22.",
        "a scratch buffer is sized for the dense kernel.",
        (),
    ),
    "NcnnBfloat16Groups": (
        "Groups with bfloat16 storage; ncnn 20261020 returned garbage, reproduced on 2026-11-22.",
        "weights that were stored in 16 bits are read as 32 bits, or the reverse.",
        (),
    ),
    "NoChannels": (
        "No input channels; mlx 0.32.4 died of SIGFPE, OpenVINO 2026.4.1 returned unwritten memory, PyTorch 2.13.0 "
        "drops the bias and the output channels, reproduced on 2026-11-22.",
        "a division by the number of channels, or an output that an empty loop never writes.",
        (),
    ),
    "MlxNoOutputChannels": (
        "No output channels; mlx 0.32.4 ended the process with exit code 0, reproduced on 2026-11-22.",
        "an assertion about sizes ends the process, and looks like success.",
        (),
    ),
    "MlxFloat64": (
        "Inputs of float64; mlx 0.32.4 computed them in float32 and returned float64, reproduced on 2026-11-22.",
        "the matrix product behind a special path knows float32 only, and the result is widened again.",
        (),
    ),
    "OnnxGroupedTransposed": (
        "The input gradient of a grouped layer; the ReferenceEvaluator of onnx 1.23.2 raised, and was wrong elsewhere, "
        "reproduced on 2026-11-22.",
        "the weights of a transposed convolution are split along the wrong axis.",
        (),
    ),
    "OnnxZeroPointFirst": (
        "Ties before an odd zero point; the ReferenceEvaluator of onnx 1.23.2 was wrong, reproduced on 2026-11-22.",
        "the zero point is added before the rounding to even.",
        (),
    ),
    "OnnxruntimeSixteenBits": (
        "Products of 255 and -128 in pairs; onnxruntime 1.31.1 on AVX2 without VNNI was wrong, reproduced "
        "in November 2026.",
        "pairs of products are added up in 16 bits, which saturate.",
        (),
    ),
    "TorchBfloat16LastPosition": (
        "An infinite gradient at the last of an odd number of positions; PyTorch 2.13.0 on AVX-512 gave NaN for the "
        "whole channel in bfloat16, reproduced on 2026-11-22.",
        "an odd reduction is filled up with a zero, which is multiplied by the infinity.",
        (),
    ),
    "TinymlNonSquareKernel": (
        "A 2x3 kernel at stride 2 that leaves nothing over; tinyml 0.0.6 refused it, reproduced on 2026-11-22.",
        "the width is checked with the height of the kernel.",
        (),
    ),
}
