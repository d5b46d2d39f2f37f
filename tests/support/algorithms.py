"""Honest implementations of other arithmetic than a plain sum: Winograd, FFT, narrowed inputs, split sums."""

from fractions import Fraction

import numpy as np

from refconv.formats import get_format

F = Fraction
# Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308), section 4.
WINOGRAD = {
    2: {
        "BT": [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
        "G": [[1, 0, 0], [F(1, 2), F(1, 2), F(1, 2)], [F(1, 2), F(-1, 2), F(1, 2)], [0, 0, 1]],
        "AT": [[1, 1, 1, 0], [0, 1, -1, -1]],
    },
    4: {
        "BT": [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0],
               [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]],
        "G": [[F(1, 4), 0, 0], [F(-1, 6)] * 3, [F(-1, 6), F(1, 6), F(-1, 6)], [F(1, 24), F(1, 12), F(1, 6)],
              [F(1, 24), F(-1, 12), F(1, 6)], [0, 0, 1]],
        "AT": [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    },
}  # fmt: skip


def transformed(matrix, tensor):
    """Apply a transform along both last axes, term by term, every step rounded to the tensor's dtype."""
    rows = np.array(matrix, dtype=np.float64).astype(tensor.dtype)
    for axis in (-2, -1):
        moved = np.moveaxis(tensor, axis, -1)
        result = np.zeros((*moved.shape[:-1], len(rows)), tensor.dtype)
        for i, row in enumerate(rows):
            for j in np.flatnonzero(row):
                result[..., i] += row[j] * moved[..., j]
        tensor = np.moveaxis(result, -1, axis)
    return tensor


def winograd(x, weight, bias, problem, tile, offset=0):
    """Convolve by F(tile × tile, 3 × 3) in the dtype of x; ``offset`` moves where the tiles begin."""
    m, size, (oH, oW), G = WINOGRAD[tile], tile + 2, problem.output_size, problem.groups
    pads = [(begin + offset, end + offset + tile) for begin, end in problem.padding]
    image = np.pad(x, [(0, 0), (0, 0), *pads])
    kernel = transformed(m["G"], weight).reshape(G, -1, *weight.shape[1:2], size, size)
    y = np.zeros((x.shape[0], problem.out_channels, oH + 2 * tile, oW + 2 * tile), x.dtype)
    for top in range(0, oH + offset, tile):
        for left in range(0, oW + offset, tile):
            data = transformed(m["BT"], image[:, :, top : top + size, left : left + size])
            data = data.reshape(x.shape[0], G, -1, size, size)
            total = np.zeros((x.shape[0], G, kernel.shape[1], size, size), x.dtype)
            for c in range(data.shape[2]):
                total += data[:, :, None, c] * kernel[None, :, :, c]
            spread = total.reshape(x.shape[0], -1, size, size)
            y[:, :, top : top + tile, left : left + tile] = transformed(m["AT"], spread)
    y = y[:, :, offset : offset + oH, offset : offset + oW]
    return y if bias is None else y + bias.reshape(-1, 1, 1)


def fft(x, weight, bias, problem):
    """Convolve by single-precision FFTs of the whole padded image; stride and dilation 1, one group."""
    import scipy.fft

    image = np.pad(x, [(0, 0), (0, 0), *problem.padding])
    shape = [2 * size for size in image.shape[2:]]
    spectrum = scipy.fft.fft2(image.astype(np.complex64), shape)[:, None]
    kernel = scipy.fft.fft2(weight[:, :, ::-1, ::-1].astype(np.complex64), shape)[None]
    total = np.zeros((x.shape[0], weight.shape[0], *shape), np.complex64)
    for c in range(x.shape[1]):
        total += spectrum[:, :, c] * kernel[:, :, c]
    (kH, kW), (oH, oW) = problem.kernel_size, problem.output_size
    y = scipy.fft.ifft2(total).real[:, :, kH - 1 : kH - 1 + oH, kW - 1 : kW - 1 + oW].astype(np.float32)
    return y if bias is None else y + bias.reshape(-1, 1, 1)


def narrowed(tensor, precision):
    """Round float32 to fewer bits, ties to even."""
    bits = np.ascontiguousarray(tensor, dtype=np.float32).view(np.uint32)
    drop = 24 - precision
    half = (np.uint32(1) << np.uint32(drop - 1)) - np.uint32(1) + ((bits >> np.uint32(drop)) & np.uint32(1))
    return ((bits + half) >> np.uint32(drop) << np.uint32(drop)).view(np.float32)


def columns(x, problem):
    """Unfold an image: (N, C * kH * kW, oH * oW), for one group."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, [(0, 0), (0, 0), *problem.padding]),
                                                       problem.kernel_size, axis=(2, 3))  # fmt: skip
    taken = windows[:, :, :: problem.stride[0], :: problem.stride[1]]
    return np.moveaxis(taken, (2, 3), (4, 5)).reshape(x.shape[0], -1, np.prod(problem.output_size))


def split(x, weight, problem, parts, between):
    """Add the products in ``parts`` blocks, storing the running sum in another format after each."""
    dtype = get_format(between).dtype
    unfolded, flat = columns(x, problem), weight.reshape(weight.shape[0], -1)
    total = np.zeros((x.shape[0], weight.shape[0], unfolded.shape[2]), dtype)
    for block in np.array_split(np.arange(flat.shape[1]), parts):
        total = (total.astype(np.float32) + flat[:, block] @ unfolded[:, block]).astype(dtype)
    return total.astype(x.dtype).reshape(problem.y_shape)
