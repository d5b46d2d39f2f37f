"""The tier ``accumulated`` from its recipe alone: no refconv, no NumPy, nothing but loops over Python integers.

python3 docs/examples/accumulated.py plain 100
"""

import itertools
import math
import struct
import sys
from hashlib import sha256, shake_256

FAMILIES = {  # groups, C/G, K/G, kernel, stride, dilation, padding: the least and the largest
    "plain": ((1, 1), (1, 4), (1, 5), (1, 3), (1, 1), (1, 1), (0, 2)),
    "asymmetric": ((1, 3), (1, 3), (1, 3), (1, 4), (1, 3), (1, 3), (0, 2)),
    "grouped": ((2, 4), (1, 3), (1, 3), (1, 3), (1, 2), (1, 2), (0, 2)),
    "depthwise": ((2, 8), (1, 1), (1, 2), (1, 4), (1, 2), (1, 2), (0, 2)),
}


def geometry(family, block):
    stream = shake_256(f"refconv/1/accumulated/{family}/geometry/{block}".encode()).digest(8 * 17)
    words = iter(struct.unpack("<17Q", stream))

    def draw(least, largest):
        return least + (next(words) >> 16) % (largest - least + 1)

    groups, inputs, outputs, kernel, stride, dilation, padding = FAMILIES[family]
    p = {"N": draw(1, 2), "G": draw(*groups), "Cg": draw(*inputs), "Kg": draw(*outputs)}
    p["kernel"], p["stride"], p["dilation"] = ([draw(*ends), draw(*ends)] for ends in (kernel, stride, dilation))
    p["pads"] = [[draw(*padding), draw(*padding)] for _ in range(2)]
    reach = [d * (k - 1) + 1 for k, d in zip(p["kernel"], p["dilation"], strict=True)]
    p["size"] = [max(1, r - sum(pads)) + draw(0, 5) for r, pads in zip(reach, p["pads"], strict=True)]
    axes = zip(p["size"], p["pads"], reach, p["stride"], strict=True)
    p["out"] = [(n + sum(pads) - r) // s + 1 for n, pads, r, s in axes]
    return p


def results(family, case, p):
    N, G, Cg, Kg = (p[name] for name in ("N", "G", "Cg", "Kg"))
    (H, W), (kH, kW), (oH, oW) = p["size"], p["kernel"], p["out"]
    C, K = G * Cg, G * Kg
    counts = (N * C * H * W, K * Cg * kH * kW, K, N * K * oH * oW)
    stream = shake_256(f"refconv/1/accumulated/{family}/{case}".encode()).digest(2 * sum(counts))
    values = iter([(1 + (word >> 1) % 127) * (1 - 2 * (word & 1)) for (word,) in struct.iter_unpack("<H", stream)])
    x, weight, bias, grad_output = ([next(values) for _ in range(count)] for count in counts)
    y = [bias[place // (oH * oW) % K] for place in range(counts[3])]
    grad_input, grad_weight, grad_bias = [0] * counts[0], [0] * counts[1], [0] * K
    for n, k, oh, ow in itertools.product(range(N), range(K), range(oH), range(oW)):
        at_y = ((n * K + k) * oH + oh) * oW + ow
        grad_bias[k] += grad_output[at_y]
        for c, kh, kw in itertools.product(range(Cg), range(kH), range(kW)):
            ih = oh * p["stride"][0] - p["pads"][0][0] + kh * p["dilation"][0]
            iw = ow * p["stride"][1] - p["pads"][1][0] + kw * p["dilation"][1]
            if 0 <= ih < H and 0 <= iw < W:
                at_x = ((n * C + k // Kg * Cg + c) * H + ih) * W + iw
                at_weight = ((k * Cg + c) * kH + kh) * kW + kw
                y[at_y] += x[at_x] * weight[at_weight]
                grad_input[at_x] += grad_output[at_y] * weight[at_weight]
                grad_weight[at_weight] += grad_output[at_y] * x[at_x]
    return [*y, *grad_input, *grad_weight, *grad_bias]


def accumulate(family, count):
    state = bytes(32)
    for block in range(math.ceil(count / 64)):
        p, digest = geometry(family, block), sha256()
        for case in range(64 * block, min(count, 64 * block + 64)):
            numbers = results(family, case, p)
            digest.update(struct.pack(f"<{len(numbers)}f", *numbers))
        state = sha256(state + digest.digest()).digest()
    return state.hex()


if __name__ == "__main__":
    print(accumulate(sys.argv[1], int(sys.argv[2])))
