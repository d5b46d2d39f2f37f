"""Convolutions as strangers write them, each with a bug that was seen in somebody's code: name, layer, truth, words.

The words must all be in the description that a diagnosis gives.
"""

import numpy as np


def loops(x, weight, bias, stride, padding, dilation, groups, read=lambda plane, i, j: plane[:, :, i, j]):
    (top, bottom), (left, right) = (pad if np.ndim(pad) else (pad, pad) for pad in padding)
    n, c, h, w = x.shape
    k, cg, kh, kw = weight.shape
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    oh = (h + top + bottom - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (w + left + right - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, k, oh, ow), x.dtype)
    for f in range(k):
        g = f // (k // groups)
        for i in range(kh):
            for j in range(kw):
                rows = slice(i * dilation[0], i * dilation[0] + (oh - 1) * stride[0] + 1, stride[0])
                columns = slice(j * dilation[1], j * dilation[1] + (ow - 1) * stride[1] + 1, stride[1])
                patch = padded[:, g * cg : (g + 1) * cg, rows, columns]
                y[:, f] += np.tensordot(patch, weight[f, :, i, j], axes=(1, 0)).astype(y.dtype)
    return y if bias is None else y + bias[:, None, None]


def one_padding_for_both(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    (top, bottom), (left, right) = (pad if np.ndim(pad) else (pad, pad) for pad in padding)
    width = loops(x, weight, bias, stride, padding, dilation, groups).shape[3]
    wide = ((top, bottom), (top, right + left + 99))
    return loops(x, weight, bias, stride, wide, dilation, groups)[..., :width]


def vector_of_eight(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    y = loops(x, weight, bias, stride, padding, dilation, groups)
    if y.shape[3] > 8:
        y[..., y.shape[3] // 8 * 8 :] = 0
    return y


def blocks_of_sixteen(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    weight = weight.copy()
    if weight.shape[1] >= 16:
        weight[:, weight.shape[1] // 16 * 16 :] = 0
    return loops(x, weight, bias, stride, padding, dilation, groups)


def unrolled_three_by_three(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    if weight.shape[2:] == (3, 3) and stride == (1, 1):
        weight = weight.copy()
        weight[:, :, 1, [0, 2]] = weight[:, :, 1, [2, 0]]
    return loops(x, weight, bias, stride, padding, dilation, groups)


def pointwise_without_padding(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    y = loops(x, weight, bias, stride, padding, dilation, groups)
    if weight.shape[2:] == (1, 1) and groups == 1:
        full = np.pad(x, ((0, 0), (0, 0), (0, 99), (0, 99)))[:, :, :: stride[0], :: stride[1]]
        y = np.einsum("nchw,kc->nkhw", full[:, :, : y.shape[2], : y.shape[3]], weight[:, :, 0, 0])
        y = y if bias is None else y + bias[:, None, None]
    return y


def memory_order(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    x = x.ravel(order="K").reshape(x.shape)
    return loops(x, weight, bias, stride, padding, dilation, groups)


def half_precision_twice(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    y = loops(x, weight, bias, stride, padding, dilation, groups)
    return y if x.dtype != np.float16 or bias is None else y + bias[:, None, None]


def every_other_column(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    (top, bottom), (left, right) = (pad if np.ndim(pad) else (pad, pad) for pad in padding)
    y = loops(x, weight, bias, stride, padding, dilation, groups)
    late = loops(x, weight, bias, stride, ((top, bottom), (left + 1, right)), dilation, groups)
    y[..., 1::2] = late[..., : y.shape[3]][..., 1::2]
    return y


def second_group_repeats(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    y = loops(x, weight, bias, stride, padding, dilation, groups)
    if groups == 2:
        per = weight.shape[0] // 2
        y[:, per:] = loops(x[:, : weight.shape[1]], weight[per:], bias if bias is None else bias[per:], stride,
                           padding, dilation, 1)  # fmt: skip
    return y


def long_rows_doubled(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    weight = weight.copy()
    if weight.shape[3] % 2 == 0:
        weight[..., -1] *= 2
    return loops(x, weight, bias, stride, padding, dilation, groups)


def adds_a_constant(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    return loops(x, weight, bias, stride, padding, dilation, groups) + np.float32(1)


def from_inputs(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    return loops(x, weight, bias, stride, padding, dilation, groups)


def from_inputs_backward(grad_output, x, weight, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    if x.shape[1] != weight.shape[1]:
        raise NotImplementedError
    return x * grad_output.sum(), None, grad_output.sum((0, 2, 3))


class SumsOfHalf:
    """Adds up in float16."""

    def forward(self, x, weight, bias, problem):
        halves = (x.astype(np.float16), weight.astype(np.float16), bias.astype(np.float16))
        return loops(*halves, problem.stride, problem.padding, problem.dilation, problem.groups)


class MeanBackward:
    """Divides only the gradient of grouped layers by N."""

    def grad_bias(self, grad_output, problem):
        total = grad_output.sum((0, 2, 3))
        return total / problem.batch if problem.groups > 1 else total


class Overlaps:
    """Keeps the sum of the last two calls."""

    def __init__(self):
        self.last = {}

    def grad_bias(self, grad_output, problem):
        total = grad_output.sum((0, 2, 3))
        result = total + self.last.get(problem, 0) * 3
        self.last[problem] = total
        return result


LAYERS = [
    ("one padding for both axes", one_padding_for_both, "padding[0] is used for the columns",
     ("padding-of-height-for-both",)),
    ("vector of eight", vector_of_eight, "columns beyond the last multiple of 8 are zero", ("ow == 8", "oW")),
    ("blocks of sixteen", blocks_of_sixteen, "channels beyond the last multiple of 16 are lost", ("c == 16", "C/G")),
    ("unrolled 3x3", unrolled_three_by_three, "taps (1, 0) and (1, 2) are exchanged, for 3x3 kernels at stride 1",
     ("kH == 3", "kW == 3", "sH == 1", "sW == 1")),
    ("pointwise without padding", pointwise_without_padding, "padding ignored for 1x1 without groups",
     ("padding-ignored", "groups == 1", "kH == 1", "kW == 1", "1 row too far down")),
    ("memory order", memory_order, "Fortran-ordered x is misread", ("not contiguous (Fortran)",)),
    ("half precision", half_precision_twice, "bias twice, in float16 alone", ("multiplied by 2", "Only in float16")),
    ("every other column", every_other_column, "odd columns read one column to the left",
     ("ow % 2 == 1 (odd)", "1 column too far to the left")),
    ("second group", second_group_repeats, "group 1 reads the channels of group 0", ("group",)),
    ("last tap doubled", long_rows_doubled, "the last column of even kernels counts twice",
     ("kw == 1 (the last)", "multiplied by 2", "kW % 2 == 0 (even)")),
    ("a constant", adds_a_constant, "one is added to every output", ("a constant is added",)),
    ("from inputs", from_inputs, "grad_input is computed from x", ("depends on x",)),
    ("sums of half", SumsOfHalf, "float16 throughout", ("float16",)),
    ("mean of groups", MeanBackward, "grad_bias divided by N where groups > 1", ("1/N", "groups >= 2")),
    ("kept sums", Overlaps, "three times the last result is added", ("The first call is right",)),
]  # fmt: skip
