"""A complete harness for refconv's JSON-lines protocol, with nothing but Python's own library.

refconv check -- python3 docs/examples/harness.py
"""

import base64
import itertools
import json
import math
import struct
import sys

CODES = {"float32": "f", "float64": "d"}


def unpack(tensor):
    count = math.prod(tensor["shape"])
    return struct.unpack(f"<{count}{CODES[tensor['dtype']]}", base64.b64decode(tensor["base64"]))


def pack(values, output):
    data = struct.pack(f"<{len(values)}{CODES[output['dtype']]}", *values)
    return {"dtype": output["dtype"], "shape": output["shape"], "base64": base64.b64encode(data).decode()}


def meetings(p):
    """Yield the flat places in x, weight and y wherever a kernel meets the image."""
    (H, W), (kH, kW), (oH, oW) = p["input_size"], p["kernel_size"], p["output_size"]
    C, K = p["in_channels"] // p["groups"], p["out_channels"]
    extents = (p["batch"], K, oH, oW, C, kH, kW)
    for n, k, oh, ow, c, kh, kw in itertools.product(*map(range, extents)):
        ih = oh * p["stride"][0] - p["padding"][0][0] + kh * p["dilation"][0]
        iw = ow * p["stride"][1] - p["padding"][1][0] + kw * p["dilation"][1]
        if 0 <= ih < H and 0 <= iw < W:
            channel = k // (K // p["groups"]) * C + c
            yield (
                ((n * p["in_channels"] + channel) * H + ih) * W + iw,
                ((k * C + c) * kH + kh) * kW + kw,
                ((n * K + k) * oH + oh) * oW + ow,
            )


def compute(message):
    """Return the result of a run message as a list, or None for what this harness does not offer."""
    tensors = [*message["inputs"].values(), message["output"]]
    if message["operation"] not in ("forward", "grad_input", "grad_weight"):
        return None
    if "quantization" in message or any(tensor["dtype"] not in CODES for tensor in tensors):
        return None
    inputs = {name: unpack(tensor) for name, tensor in message["inputs"].items()}
    x, weight, grad = inputs.get("x"), inputs.get("weight"), inputs.get("grad_output")
    result = [0.0] * math.prod(message["output"]["shape"])
    if "bias" in inputs:
        area = math.prod(message["problem"]["output_size"])
        result = [inputs["bias"][place // area % len(inputs["bias"])] for place in range(len(result))]
    for at_x, at_weight, at_y in meetings(message["problem"]):
        if message["operation"] == "forward":
            result[at_y] += x[at_x] * weight[at_weight]
        elif message["operation"] == "grad_input":
            result[at_x] += grad[at_y] * weight[at_weight]
        else:
            result[at_weight] += x[at_x] * grad[at_y]
    return result


def answer(message):
    if message["type"] == "start":
        return {"status": "ok", "protocol": 1, "name": "harness.py"}
    if message["type"] == "run":
        result = compute(message)
        if result is None:
            return {"status": "unsupported", "message": "float32 and float64, and no grad_bias"}
        return {"status": "ok", "output": pack(result, message["output"])}
    return {"status": "ok" if message["type"] == "stop" else "unsupported"}


def main():
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps({"seq": question["seq"], **answer(question)}), flush=True)
        if question["type"] == "stop":
            break


if __name__ == "__main__":
    main()
