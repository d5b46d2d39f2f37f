#!/bin/sh
# Every convolution of a prompt, and its gradients, with od, awk and printf alone.  sh judge_by_shell.sh PROMPT RESULTS
#   refconv export DIR --format raw --prompt-only --out PROMPT && refconv judge DIR RESULTS
# All formats but those of quantised layers: awk computes in double precision, and what it gets is rounded once.
set -eu
export LC_ALL=C
prompt=$1 results=$2
mkdir -p "$results"

tensor() {  # NAME FILE DTYPE: one line of text, then the bits of each element as a number, of eight bytes as two
  echo "$1 $3"
  case $3 in
    *8*) od -An -v -w1 -tu1 "$prompt/$2" ;;
    *16) od -An -v -w2 -tu2 "$prompt/$2" ;;
    *64) od -An -v -w8 -tu4 "$prompt/$2" ;;
    ?*[0-9]) od -An -v -w4 -tu4 "$prompt/$2" ;;
  esac
}

compute='
  function format(dtype) {  # the bits of exponent and fraction; no exponent is an integer
    E = M = 0
    if (dtype == "float16") { E = 5; M = 10 } else if (dtype == "bfloat16") { E = 8; M = 7 }
    else if (dtype == "float32") { E = 8; M = 23 } else if (dtype == "float64") { E = 11; M = 52 }
    else if (dtype == "float8_e5m2") { E = 5; M = 2 } else if (dtype == "float8_e4m3fn") { E = 4; M = 3 }
    B = 2 ^ (E - 1) - 1; finite = dtype == "float8_e4m3fn"; wide = M == 52; size = 2 ^ (wide ? 20 : M)
    half = dtype == "int8" ? 2 ^ 7 : dtype == "int32" ? 2 ^ 31 : 2 ^ 32
  }
  function decoded(low, high,    sign, e, f, value) {
    if (E == 0) return low < half ? low : low - 2 * half
    if (!wide) { high = low; low = 0 }
    sign = high >= 2 ^ E * size ? -1 : 1
    e = int(high / size) % 2 ^ E; f = high % size; f = wide ? f * 2 ^ 32 + low : f
    if (e == 2 ^ E - 1 && !finite) return f ? nan : sign * inf
    if (e == 2 ^ E - 1 && f == size - 1) return nan
    value = e ? (2 ^ M + f) * 2 ^ (e - B - M) : f * 2 ^ (1 - B - M)
    return sign * value
  }
  function encode(value,    text, negative, e, q, n, high, top) {  # writes the bytes, the lowest first
    if (E == 0) { bytes(value < 0 ? value + 4294967296 : value, 4); return }
    text = sprintf("%g", value); negative = text ~ /^-/; top = (2 ^ E - 1) * size
    if (text ~ /nan/) { high = finite ? top + size - 1 : top + size / 2; n = 0 }
    else if (text ~ /inf/) { high = top; n = 0 }
    else {
      if (negative) value = -value
      e = value > 0 ? int(log(value) / log(2)) : 1 - B
      if (value > 0 && e > -1022 && 2 ^ e > value) e--
      while (e < 1023 && 2 ^ (e + 1) <= value) e++
      if (e < 1 - B) e = 1 - B
      value = value / 2 ^ (e - M); n = int(value); value -= n
      if (value > 0.5 || value == 0.5 && n % 2) n++
      high = (e + B - 1) * size + (wide ? int(n / 2 ^ 32) : n); n = wide ? n % 2 ^ 32 : 0
    }
    if (finite && high > top + size - 2) high = text !~ /nan/ && overflow == "saturate" ? top + size - 2 : top + size - 1
    else if (!finite && high >= top && text !~ /nan/) { high = top; n = 0
      if (overflow == "saturate" && text !~ /inf/) { high = top - 1; n = wide ? 4294967295 : 0 } }
    if (negative) high += 2 ^ E * size
    if (wide) { bytes(n, 4); bytes(high, 4) } else bytes(high, (1 + E + M) / 8)
  }
  function bytes(n, count) { while (count-- > 0) { printf "\\0%03o", n % 256; n = int(n / 256) } }

  BEGIN { inf = -log(0); nan = inf - inf }
  NF && $1 ~ /[a-z]/ { at[$1] = count; format($2); next }
  NF { v[count++] = decoded($1, $2) }
  END {
    X = at["x"]; Wt = at["weight"]; Gr = at["grad_output"]; Cg = C / G; Kg = K / G; total = 0
    if (op == "forward") total = N * K * oH * oW
    if (op == "grad_input") total = N * C * H * W
    if (op == "grad_weight") total = K * Cg * kH * kW
    if (op == "grad_bias") total = K
    for (i = 0; i < total; i++) r[i] = op == "forward" && biased ? v[at["bias"] + int(i / (oH * oW)) % K] : 0
    for (n = 0; n < N; n++) for (k = 0; k < K; k++) for (oh = 0; oh < oH; oh++) for (ow = 0; ow < oW; ow++) {
      y = ((n * K + k) * oH + oh) * oW + ow
      if (op == "grad_bias") { r[k] += v[Gr + y]; continue }
      for (c = 0; c < Cg; c++) for (kh = 0; kh < kH; kh++) {
        h = oh * sH - top + kh * dH
        if (h < 0 || h >= H) continue
        x = ((n * C + int(k / Kg) * Cg + c) * H + h) * W
        w = ((k * Cg + c) * kH + kh) * kW
        for (kw = 0; kw < kW; kw++) {
          u = ow * sW - left + kw * dW
          if (u < 0 || u >= W) continue
          if (op == "forward") r[y] += v[X + x + u] * v[Wt + w + kw]
          else if (op == "grad_input") r[x + u] += v[Gr + y] * v[Wt + w + kw]
          else r[w + kw] += v[X + x + u] * v[Gr + y]
        }
      }
    }
    format(result)
    for (i = 0; i < total; i++) encode(r[i])
  }'

comma=
printf '{"name": "shell", "results": {' > "$results/results.json"
tail -n +2 "$prompt/index.tsv" | while IFS='	' read -r case op N C K G H W kH kW oH oW sH sW dH dW top bottom left right \
    overflow quantized x xtype weight wtype bias btype grad gtype result rtype more; do
  if [ "$quantized" = yes ]; then
    printf '%s\n "%s": {"%s": {"status": "unsupported"}}' "$comma" "$case" "$op" >> "$results/results.json"
    comma=,
    continue
  fi
  mkdir -p "$results/${result%/*}"
  printf '%b' "$({ tensor x "$x" "$xtype"; tensor weight "$weight" "$wtype"; tensor bias "$bias" "$btype"
      tensor grad_output "$grad" "$gtype"; } | awk -v op="$op" -v N="$N" -v C="$C" -v K="$K" -v G="$G" -v H="$H" \
      -v W="$W" -v kH="$kH" -v kW="$kW" -v oH="$oH" -v oW="$oW" -v sH="$sH" -v sW="$sW" -v dH="$dH" -v dW="$dW" \
      -v top="$top" -v left="$left" -v overflow="$overflow" -v biased="${bias#-}" -v result="$rtype" "$compute")" \
    > "$results/$result"
done
printf '\n}}\n' >> "$results/results.json"
