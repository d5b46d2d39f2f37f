"""Convolutions in ten styles, each with a bug of its author: name, layer, truth, words of the diagnosis."""

import numpy as np
from numpy.lib.stride_tricks import as_strided


def pads_of(padding):
    return [(pad, pad) if np.ndim(pad) == 0 else tuple(pad) for pad in padding]


def out_size(length, kernel, stride, pads, dilation=1):
    return (length + sum(pads) - dilation * (kernel - 1) - 1) // stride + 1


def fft_circular(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    """Spectra as long as the image: what should fall on the padding comes from the other end."""
    (top, bottom), (left, right) = pads_of(padding)
    h, w = x.shape[2:]
    oh = out_size(h, weight.shape[2], stride[0], (top, bottom))
    ow = out_size(w, weight.shape[3], stride[1], (left, right))
    if max(weight.shape[2] - h, weight.shape[3] - w, 0):
        raise NotImplementedError("kernels larger than the image")
    spectrum = np.einsum("nchw,kchw->nkhw", np.fft.fft2(x, (h, w)), np.conj(np.fft.fft2(weight, (h, w))))
    full = np.fft.ifft2(spectrum).real
    rows, columns = (np.arange(oh) * stride[0] - top) % h, (np.arange(ow) * stride[1] - left) % w
    y = full[:, :, rows[:, None], columns]
    return y if bias is None else y + bias[:, None, None]


BT = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], float)
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0, 0, 1]])  # the second 0.5 of row 2 should be -0.5
AT = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], float)


def winograd_sign(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    """F(2x2, 3x3) with a wrong sign in the transform of the kernel."""
    if weight.shape[2:] != (3, 3) or tuple(stride) != (1, 1):
        raise NotImplementedError("3x3 at stride 1")
    (top, bottom), (left, right) = pads_of(padding)
    n, c, h, w = x.shape
    oh, ow = h + top + bottom - 2, w + left + right - 2
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom + 2), (left, right + 2)))
    u = G @ weight @ G.T
    y = np.zeros((n, len(weight), oh + oh % 2, ow + ow % 2))
    for i in range(0, oh, 2):
        for j in range(0, ow, 2):
            v = BT @ padded[:, :, i : i + 4, j : j + 4] @ BT.T
            m = np.einsum("kcab,ncab->nkab", u, v)
            y[:, :, i : i + 2, j : j + 2] = AT @ m @ AT.T
    y = y[:, :, :oh, :ow]
    return y if bias is None else y + bias[:, None, None]


def nhwc(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    """Channels last inside; the weights are reshaped to HWIO instead of transposed."""
    (top, bottom), (left, right) = pads_of(padding)
    image = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right))).transpose(0, 2, 3, 1)
    k, c, kh, kw = weight.shape
    hwio = weight.reshape(kh, kw, c, k)
    oh, ow = (image.shape[1] - kh) // stride[0] + 1, (image.shape[2] - kw) // stride[1] + 1
    y = np.zeros((x.shape[0], oh, ow, k))
    for a in range(kh):
        for b in range(kw):
            part = image[:, a : a + stride[0] * oh : stride[0], b : b + stride[1] * ow : stride[1]]
            y += part @ hwio[a, b]
    return np.ascontiguousarray(y.transpose(0, 3, 1, 2)) + (0 if bias is None else bias[:, None, None])


def strided_windows(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """im2col by as_strided, with the strides of the output and of the kernel exchanged along the width."""
    pads, (k, cg, kh, kw) = pads_of(padding), weight.shape
    x = np.ascontiguousarray(np.pad(x, ((0, 0), (0, 0), *pads)))
    n, c, h, w = x.shape
    oh, ow = ((s - d * (e - 1) - 1) // t + 1 for s, d, e, t in zip((h, w), dilation, (kh, kw), stride, strict=True))
    sn, sc, sh, sw = x.strides
    room = np.concatenate([x.ravel(), np.zeros(n * c * (h + 9) * (w + 9), x.dtype)])
    windows = as_strided(
        room, (n, c, oh, ow, kh, kw), (sn, sc, sh * stride[0], sw * dilation[1], sh * dilation[0], sw * stride[1])
    )
    windows = windows.reshape(n, groups, cg, oh, ow, kh, kw)
    y = np.einsum("ngcijab,gkcab->ngkij", windows, weight.reshape(groups, k // groups, cg, kh, kw))
    y = y.reshape(n, k, oh, ow)
    return y if bias is None else y + bias[:, None, None]


def grouped_einsum(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """One einsum for all groups; the channels are split as (C/G, G)."""
    pads, (k, cg, kh, kw) = pads_of(padding), weight.shape
    x = np.pad(x, ((0, 0), (0, 0), *pads))
    n, _, h, w = x.shape
    oh, ow = ((s - d * (e - 1) - 1) // t + 1 for s, d, e, t in zip((h, w), dilation, (kh, kw), stride, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(x, (dilation[0] * (kh - 1) + 1, dilation[1] * (kw - 1) + 1), (2, 3))
    view = view[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]][:, :, :oh, :ow]
    view = view.reshape(n, cg, groups, oh, ow, kh, kw)
    y = np.einsum("ncgijab,gkcab->ngkij", view, weight.reshape(groups, k // groups, cg, kh, kw)).reshape(n, k, oh, ow)
    return y if bias is None else y + bias[:, None, None]


class Tape:
    """Gradients by walking the forward loop backwards; the bias is visited once for each input channel."""

    def _windows(self, problem):
        if problem.groups > 1 or problem.dilation != (1, 1):
            raise NotImplementedError("no groups, no dilation")
        for i in range(problem.output_size[0]):
            for j in range(problem.output_size[1]):
                top, left = i * problem.stride[0], j * problem.stride[1]
                yield i, j, slice(top, top + problem.kernel_size[0]), slice(left, left + problem.kernel_size[1])

    def grad_weight(self, x, grad_output, problem):
        gradient = np.zeros(problem.weight_shape)
        padded = np.pad(x, ((0, 0), (0, 0), *problem.padding))
        for i, j, rows, columns in self._windows(problem):
            for image in range(problem.batch):
                gradient = gradient + grad_output[image, :, i, j][:, None, None, None] * padded[image, :, rows, columns]
        return gradient

    def grad_bias(self, grad_output, problem):
        gradient = np.zeros(problem.out_channels)
        for i, j, _, _ in self._windows(problem):
            for _ in range(problem.in_channels):
                gradient += grad_output[:, :, i, j].sum(0)
        return gradient


def flat_pitch(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    """C in Python: the pitch of a row of the padded image is taken without its padding on the right."""
    (top, bottom), (left, right) = pads_of(padding)
    n, c, h, w = x.shape
    k, _, kh, kw = weight.shape
    oh, ow = out_size(h, kh, stride[0], (top, bottom)), out_size(w, kw, stride[1], (left, right))
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right))).reshape(n, c, -1)
    pitch = w + left
    y = np.zeros((n, k, oh, ow))
    for i in range(oh):
        for j in range(ow):
            for a in range(kh):
                for b in range(kw):
                    place = (i * stride[0] + a) * pitch + j * stride[1] + b
                    y[:, :, i, j] += padded[:, :, place] @ weight[:, :, a, b].T
    return y if bias is None else y + bias[:, None, None]


def two_threads(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """The images are shared out to two threads; the odd one out is nobody's."""
    y = right(x, weight, bias, stride, padding, dilation, groups)
    y[len(x) // 2 * 2 :] = 0
    return y


def stuffed_kernel(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """A dilated kernel is a kernel with zeros between its taps; here the zeros come before each tap, not after it."""
    k, c, kh, kw = weight.shape
    stuffed = np.zeros((k, c, kh * dilation[0], kw * dilation[1]))
    stuffed[:, :, dilation[0] - 1 :: dilation[0], dilation[1] - 1 :: dilation[1]] = weight
    wide = [(begin, end + step - 1) for (begin, end), step in zip(pads_of(padding), dilation, strict=True)]
    return right(x, stuffed, bias, stride, wide, (1, 1), groups)


class ByTransposition:
    """grad_input as a convolution of the stretched grad_output with the turned kernel; the pads forget the dilation."""

    def grad_input(self, grad_output, weight, problem):
        g, (kg, cg) = problem.groups, (weight.shape[0] // problem.groups, weight.shape[1])
        n, k, oh, ow = grad_output.shape
        (sh, sw), (dh, dw), (h, w) = problem.stride, problem.dilation, problem.input_size
        stretched = np.zeros((n, k, (oh - 1) * sh + 1, (ow - 1) * sw + 1))
        stretched[:, :, ::sh, ::sw] = grad_output
        turned = weight.reshape(g, kg, cg, *weight.shape[2:])[..., ::-1, ::-1].swapaxes(1, 2)
        turned = turned.reshape(g * cg, kg, *weight.shape[2:])
        begins = [kernel - 1 - pads[0] for kernel, pads in zip(problem.kernel_size, problem.padding, strict=True)]
        reach = [step * (kernel - 1) for step, kernel in zip((dh, dw), problem.kernel_size, strict=True)]
        padded = np.pad(stretched, ((0, 0), (0, 0), (20, 20 + h + reach[0]), (20, 20 + w + reach[1])))
        padded = padded[:, :, 20 - begins[0] :, 20 - begins[1] :]
        return right(padded[:, :, : h + reach[0], : w + reach[1]], turned, None, (1, 1), (0, 0), (dh, dw), g)


def right(x, weight, bias, stride, padding, dilation, groups):
    (k, cg, kh, kw), pads = weight.shape, pads_of(padding)
    padded = np.pad(x, ((0, 0), (0, 0), *pads))
    oh = out_size(x.shape[2], kh, stride[0], pads[0], dilation[0])
    ow = out_size(x.shape[3], kw, stride[1], pads[1], dilation[1])
    y = np.zeros((len(x), k, oh, ow))
    for f in range(k):
        first = f // (k // groups) * cg
        for a in range(kh):
            for b in range(kw):
                rows = slice(a * dilation[0], a * dilation[0] + (oh - 1) * stride[0] + 1, stride[0])
                columns = slice(b * dilation[1], b * dilation[1] + (ow - 1) * stride[1] + 1, stride[1])
                y[:, f] += np.einsum("ncij,c->nij", padded[:, first : first + cg, rows, columns], weight[f, :, a, b])
    return y if bias is None else y + bias[:, None, None]


LAYERS = [
    ("circular FFT", fft_circular, "the padding holds the other end of the image", ("padding-wrapped",)),
    ("Winograd sign", winograd_sign, "a wrong sign in row 2 of G", ("every tile of 2 x 2 outputs",)),
    ("NHWC", nhwc, "weights reshaped, not transposed, to HWIO", ("weight-taps-first",)),
    ("as_strided", strided_windows, "stride and dilation exchanged along the width", ("ow*2 + kw of the padded",)),
    ("grouped einsum", grouped_einsum, "channels split as (C/G, G)", ("groups-interleaved",)),
    ("tape", Tape, "grad_bias counted once for each input channel", ("C/G",)),
    ("flat pitch", flat_pitch, "the pitch of a row lacks the padding on the right", ("oh*14 + kh*7", "pad right")),
    ("two threads", two_threads, "the last image of an odd batch is lost", ("N % 2 == 1 (odd)", "not computed")),
    ("stuffed kernel", stuffed_kernel, "taps lie at the end of their cell", ("too far",)),
    (
        "by transposition",
        ByTransposition,
        "pads of the turned kernel forget the dilation",
        ("Grad_output is read at ow", "dW >= 2"),
    ),
]
