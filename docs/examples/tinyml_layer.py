"""The convolution layer of tinyml 0.0.6 (pip install tinyml==0.0.6) as an implementation under test.

refconv check docs/examples/tinyml_layer.py:conv2d --vectors vectors/core --select '*-float32-*' --select '*-float64-*'
"""

import numpy as np
from tinyml.layers import Conv2D


def _layer(x, weight, stride, padding):
    if len(set(stride)) > 1 or np.ndim(padding) > 1 or len(set(padding)) > 1:
        raise NotImplementedError("one stride and one padding for all sides")
    layer = Conv2D("conv", x.shape[1:], len(weight), *weight.shape[2:], stride[0], padding[0])
    layer.weight.tensor, layer.bias.tensor = weight, np.zeros(len(weight), x.dtype)
    layer.y = layer.forward(x)
    return layer


def conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    y = _layer(x, weight, stride, padding).y
    return y if bias is None else y + bias[:, None, None]


def conv2d_backward(grad_output, x, weight, stride=(1, 1), padding=(0, 0)):
    layer = _layer(x, weight, stride, padding)
    return layer.backward(grad_output), layer.weight.gradient, layer.bias.gradient
