"""A harness that knows the transposed convolution alone, by its definition; an argument makes it wrong or silent."""

import array
import base64
import itertools
import json
import math
import sys

MISDEED = sys.argv[1] if len(sys.argv) > 1 else ""


def read(tensor):
    return array.array("f", base64.b64decode(tensor["base64"])), tensor["shape"]


def place(index, shape):
    flat = 0
    for entry, extent in zip(index, shape, strict=True):
        flat = flat * extent + entry
    return flat


def forward(question):
    p, inputs, shape = question["problem"], question["inputs"], question["output"]["shape"]
    (x, x_shape), (weight, weight_shape) = read(inputs["x"]), read(inputs["weight"])
    bias = read(inputs["bias"])[0] if "bias" in inputs else [0.0] * p["out_channels"]
    plane = math.prod(shape[2:])
    y = array.array("f", [bias[at // plane % shape[1]] for at in range(math.prod(shape))])
    axes = list(zip(p["stride"], p["dilation"], p["padding"], shape[2:], strict=True))
    for n, c, *here in itertools.product(*map(range, x_shape)):
        group = c // (p["in_channels"] // p["groups"])
        for k, *tap in itertools.product(*map(range, weight_shape[1:])):
            turned = tap
            if MISDEED == "flip":
                turned = [extent - 1 - entry for entry, extent in zip(tap, weight_shape[2:], strict=True)]
            there = [h * s - pads[0] + t * d for h, t, (s, d, pads, _) in zip(here, turned, axes, strict=True)]
            if all(0 <= entry < length for entry, (_, _, _, length) in zip(there, axes, strict=True)):
                at = place((n, group * weight_shape[1] + k, *there), shape)
                y[at] += x[place((n, c, *here), x_shape)] * weight[place((c, k, *tap), weight_shape)]
    return {"dtype": "float32", "shape": shape, "base64": base64.b64encode(y.tobytes()).decode()}


def main():
    for line in sys.stdin:
        question = json.loads(line)
        answer = {"seq": question["seq"], "status": "ok", "protocol": 1, "transposed": MISDEED != "silent"}
        if question["type"] == "run":
            known = question["problem"].get("operator") == "conv_transpose" and question["operation"] == "forward"
            known = known and question["output"]["dtype"] == "float32"
            answer = {"seq": question["seq"], "status": "ok" if known else "unsupported"}
            if known:
                answer["output"] = forward(question)
        print(json.dumps(answer), flush=True)
        if question["type"] == "stop":
            break


if __name__ == "__main__":
    main()
