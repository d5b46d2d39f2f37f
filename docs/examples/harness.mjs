// A harness for refconv's JSON-lines protocol in JavaScript: refconv check -- node docs/examples/harness.mjs
import { createInterface } from "node:readline";

const ARRAYS = { float32: Float32Array, float64: Float64Array }; // little-endian, as every machine that runs Node

function unpack(tensor) {
  const bytes = Uint8Array.from(Buffer.from(tensor.base64, "base64")); // a copy, aligned
  return new ARRAYS[tensor.dtype](bytes.buffer);
}

// Calls visit(place in x, in weight, in y) wherever a kernel meets the image.
function meet(p, visit) {
  const [H, W] = p.input_size, [kH, kW] = p.kernel_size, [oH, oW] = p.output_size;
  const K = p.out_channels, C = p.in_channels / p.groups;
  for (let n = 0; n < p.batch; n++) for (let k = 0; k < K; k++)
    for (let oh = 0; oh < oH; oh++) for (let ow = 0; ow < oW; ow++)
      for (let c = 0; c < C; c++) for (let kh = 0; kh < kH; kh++) for (let kw = 0; kw < kW; kw++) {
        const ih = oh * p.stride[0] - p.padding[0][0] + kh * p.dilation[0];
        const iw = ow * p.stride[1] - p.padding[1][0] + kw * p.dilation[1];
        if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
        const channel = Math.floor(k / (K / p.groups)) * C + c;
        visit(((n * p.in_channels + channel) * H + ih) * W + iw, ((k * C + c) * kH + kh) * kW + kw,
              ((n * K + k) * oH + oh) * oW + ow);
      }
}

function compute(message) {
  const { x, weight, bias, grad_output } = Object.fromEntries(
    Object.entries(message.inputs).map(([name, tensor]) => [name, unpack(tensor)]));
  const { problem, operation, output } = message;
  const sums = new Float64Array(output.shape.reduce((a, b) => a * b, 1)); // rounded once, at the end
  const area = problem.output_size[0] * problem.output_size[1], K = problem.out_channels;
  if (bias) sums.forEach((_, place) => { sums[place] = bias[Math.floor(place / area) % K]; });
  if (operation === "grad_bias") grad_output.forEach((value, place) => { sums[Math.floor(place / area) % K] += value; });
  else if (operation === "forward") meet(problem, (i, j, o) => { sums[o] += x[i] * weight[j]; });
  else if (operation === "grad_input") meet(problem, (i, j, o) => { sums[i] += grad_output[o] * weight[j]; });
  else meet(problem, (i, j, o) => { sums[j] += x[i] * grad_output[o]; });
  const result = new ARRAYS[output.dtype](sums);
  return { dtype: output.dtype, shape: output.shape, base64: Buffer.from(result.buffer).toString("base64") };
}

function answer(message) {
  if (message.type === "start") return { status: "ok", protocol: 1, name: "harness.mjs" };
  if (message.type === "stop") return { status: "ok" };
  const known = ["forward", "grad_input", "grad_weight", "grad_bias"].includes(message.operation)
    && [...Object.values(message.inputs), message.output].every(({ dtype }) => dtype in ARRAYS);
  return known ? { status: "ok", output: compute(message) } : { status: "unsupported" };
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  process.stdout.write(JSON.stringify({ seq: message.seq, ...answer(message) }) + "\n");
  if (message.type === "stop") break;
}
process.stdin.destroy(); // nothing is left to wait for
