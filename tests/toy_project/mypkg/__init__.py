"""A convolution as projects have them: float32 and float64, one stride for both axes and one pad for all sides."""

import numpy as np


def _windows(x, weight, stride, padding):
    x = np.pad(x, [(0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2])
    view = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    return view[:, :, :: stride[0], :: stride[1]]


def conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    if x.dtype not in (np.float32, np.float64) or np.ndim(padding) > 1:
        raise NotImplementedError("float32 and float64, and padding that is symmetric")
    y = np.einsum("nchwij,kcij->nkhw", _windows(x, weight, stride, padding), weight)
    return y if bias is None else y + bias[:, None, None]


def conv2d_backward(grad_output, x, weight, stride=(1, 1), padding=(0, 0)):
    if x.dtype not in (np.float32, np.float64) or np.ndim(padding) > 1:
        raise NotImplementedError("float32 and float64, and padding that is symmetric")
    grad_weight = np.einsum("nkhw,nchwij->kcij", grad_output, _windows(x, weight, stride, padding))
    return None, grad_weight, grad_output.sum(axis=(0, 2, 3))


def broken(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    return conv2d(x, weight[:, :, ::-1, ::-1], bias, stride, padding)
