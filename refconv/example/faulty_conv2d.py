"""A convolution as people write it, with one mistake in it.

    refconv check faulty_conv2d.py:conv2d       finds it
    refconv diagnose faulty_conv2d.py:conv2d    names it

Then look for the words "the mistake" below, mend the line, and run both again.
"""

import numpy as np


def conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Convolve x (N, C, H, W) with weight (K, C/groups, kH, kW)."""
    if x.dtype not in (np.float32, np.float64):
        raise NotImplementedError("float32 and float64 only")
    images, channels, height, width = x.shape
    filters, depth, kernel_h, kernel_w = weight.shape
    (top, bottom), (left, right) = (pad if np.ndim(pad) else (pad, pad) for pad in padding)
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))

    out_h = (height + top + bottom - dilation[0] * (kernel_h - 1) - 1) // stride[0] + 1
    out_w = (width + left + right - dilation[1] * (kernel_w - 1) - 1) // stride[1] + 1
    y = np.zeros((images, filters, out_h, out_w), x.dtype)
    for k in range(filters):
        first = k // (filters // groups) * depth
        for i in range(kernel_h):
            for j in range(kernel_w):
                row, column = i * dilation[0], j * dilation[0]  # the mistake: columns have their own dilation[1]
                patch = padded[:, first : first + depth, row:, column:][:, :, :: stride[0], :: stride[1]]
                part = np.tensordot(patch[:, :, :out_h, :out_w], weight[k, :, i, j], axes=(1, 0))
                y[:, k, : part.shape[1], : part.shape[2]] += part
    return y if bias is None else y + bias[:, None, None]
