#!/bin/sh
# Forward int8 layers with awk, od and printf alone.  sh judge_by_shell.sh PROMPT RESULTS
#   refconv export DIR --format raw --prompt-only --ops forward --out PROMPT && refconv judge DIR RESULTS --ops forward
set -eu
prompt=$1 results=$2
mkdir -p "$results"
numbers() { if [ "$1" = - ]; then echo; else od -An -v -w1 -t "$2" "$prompt/$1" | tr -d ' ' | tr '\n' ' '; fi; }
first=yes
printf '{"name": "shell", "results": {' > "$results/results.json"
tail -n +2 "$prompt/index.tsv" | while IFS='	' read -r case op N C K G H W kH kW oH oW sH sW dH dW top bottom left right \
    overflow quantized x xtype weight wtype bias btype grad gtype result rtype bytes; do
  if [ "$op" != forward ] || [ "$quantized" = yes ] || [ "$xtype$wtype$rtype" != int8int8int32 ]; then
    [ $first = yes ] || printf ',' >> "$results/results.json"
    printf '\n "%s": {"%s": {"status": "unsupported"}}' "$case" "$op" >> "$results/results.json"
    first=no
    continue
  fi
  mkdir -p "$results/${result%/*}"
  { numbers "$x" d1; echo; numbers "$weight" d1; echo
    if [ "$bias" = - ]; then echo; else od -An -v -w4 -t d4 "$prompt/$bias" | tr -d ' ' | tr '\n' ' '; echo; fi
  } | awk -v N="$N" -v C="$C" -v K="$K" -v G="$G" -v H="$H" -v W="$W" -v kH="$kH" -v kW="$kW" -v oH="$oH" -v oW="$oW" \
      -v sH="$sH" -v sW="$sW" -v dH="$dH" -v dW="$dW" -v top="$top" -v left="$left" '
    NR == 1 { split($0, x) } NR == 2 { split($0, w) } NR == 3 { biased = split($0, b) }
    END {
      Cg = C / G
      for (n = 0; n < N; n++) for (k = 0; k < K; k++) for (oh = 0; oh < oH; oh++) for (ow = 0; ow < oW; ow++) {
        sum = biased ? b[k + 1] : 0
        for (c = 0; c < Cg; c++) for (kh = 0; kh < kH; kh++) for (kw = 0; kw < kW; kw++) {
          ih = oh * sH - top + kh * dH; iw = ow * sW - left + kw * dW
          if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue
          channel = int(k / (K / G)) * Cg + c
          sum += x[((n * C + channel) * H + ih) * W + iw + 1] * w[((k * Cg + c) * kH + kh) * kW + kw + 1]
        }
        if (sum < 0) sum += 4294967296
        for (i = 0; i < 4; i++) { printf "\\0%03o", sum % 256; sum = int(sum / 256) }
      }
    }' | { read -r octal || true; printf '%b' "$octal"; } > "$results/$result"
done
printf '\n}}\n' >> "$results/results.json"
