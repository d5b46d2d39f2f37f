// Reads the vectors as they are, JSON and safetensors, with nothing installed:  node read_vectors.mjs vectors/core
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const ARRAYS = { float64: Float64Array, float32: Float32Array, int32: Int32Array, int8: Int8Array, uint8: Uint8Array };
const RESULTS = { y: ["x", "weight"], grad_input: ["grad_output", "weight"], grad_weight: ["x", "grad_output"] };

// The elements of a tensor, or undefined if JavaScript has no array for its format.
function tensor(payload, reference) {
  const start = payload.byteOffset + reference.offset;
  const bytes = payload.buffer.slice(start, start + reference.nbytes); // a copy, aligned
  return ARRAYS[reference.dtype] && new ARRAYS[reference.dtype](bytes);
}

// One result by the definition, added up in double precision.
function convolve(p, name, a, b, bias, size) {
  const [H, W] = p.input_size, [kH, kW] = p.kernel_size, [oH, oW] = p.output_size;
  const K = p.out_channels, C = p.in_channels / p.groups, sums = new Float64Array(size);
  for (let n = 0; n < p.batch; n++) for (let k = 0; k < K; k++) for (let oh = 0; oh < oH; oh++) for (let ow = 0; ow < oW; ow++) {
    const iy = ((n * K + k) * oH + oh) * oW + ow;
    if (bias) sums[iy] += bias[k];
    for (let c = 0; c < C; c++) for (let kh = 0; kh < kH; kh++) for (let kw = 0; kw < kW; kw++) {
      const ih = oh * p.stride[0] - p.padding[0][0] + kh * p.dilation[0];
      const iw = ow * p.stride[1] - p.padding[1][0] + kw * p.dilation[1];
      if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
      const ix = ((n * p.in_channels + Math.floor(k / (K / p.groups)) * C + c) * H + ih) * W + iw;
      const iweight = ((k * C + c) * kH + kh) * kW + kw;
      if (name === "y") sums[iy] += a[ix] * b[iweight];
      else if (name === "grad_input") sums[ix] += a[iy] * b[iweight];
      else sums[iweight] += a[ix] * b[iy];
    }
  }
  return sums;
}

// Equal (-0 is 0, NaN is NaN), or inside of the interval where there is one.
const isRight = (got, exact, lo, hi) => got === exact || (got !== got && exact !== exact) || (lo <= got && got <= hi);

const folder = process.argv[2], count = { passed: 0, failed: 0, unsupported: 0 };
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const index = JSON.parse(readFileSync(join(folder, file), "utf8"));
  if (index.schema !== "refconv.group.v1") continue;
  const payload = readFileSync(join(folder, index.payload.file));
  for (const entry of index.cases.filter((found) => found.result === "valid"))
    for (const [name, expected] of Object.entries(entry.expected)) {
      const [a, b] = (RESULTS[name] ?? []).map((input) => tensor(payload, entry.inputs[input]));
      const exact = tensor(payload, expected.tensor), bias = name === "y" && entry.inputs.bias && tensor(payload, entry.inputs.bias);
      if (!a || !b || !exact || entry.quantization) { count.unsupported++; continue; }
      const [lo, hi] = ["lo", "hi"].map((part) => (expected[part] ? tensor(payload, expected[part]) : exact));
      const got = ARRAYS[expected.tensor.dtype].from(convolve(entry.problem, name, a, b, bias, exact.length));
      const wrong = got.findIndex((value, i) => !isRight(value, exact[i], lo[i], hi[i]));
      count[wrong < 0 ? "passed" : "failed"]++;
      if (wrong >= 0) console.log(`FAIL ${entry.id} ${name}[${wrong}]: expected ${exact[wrong]}, got ${got[wrong]}`);
    }
}
console.log(`${count.passed} passed, ${count.failed} failed, ${count.unsupported} unsupported`);
process.exit(count.failed || !count.passed ? 1 : 0);
