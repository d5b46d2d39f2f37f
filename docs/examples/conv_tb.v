// A layer in int8 with sums of 32 bits, and its test bench; put your own module in the place of the loops.
//   iverilog -DVH='"CASE.forward.vh"' -o conv conv_tb.v && vvp conv       in the folder of the export
module conv_tb;
  `include `VH
  reg signed [X_WORD_BITS-1:0] x [0:X_WORDS-1];
  reg signed [WEIGHT_WORD_BITS-1:0] weight [0:WEIGHT_WORDS-1];
  reg signed [BIAS_WORD_BITS-1:0] bias [0:BIAS_WORDS-1];
  reg signed [EXPECTED_WORD_BITS-1:0] expected [0:EXPECTED_WORDS-1];
  reg signed [31:0] sum;
  integer i, j, k, oh, ow, c, kh, kw, ih, iw, at, wrong;

  initial begin
    $readmemh(X_FILE, x);
    $readmemh(WEIGHT_FILE, weight);
    if (HAS_BIAS) $readmemh(BIAS_FILE, bias);
    $readmemh(EXPECTED_FILE, expected);
    wrong = 0;
    for (i = 0; i < N; i = i + 1) for (k = 0; k < K; k = k + 1)
      for (oh = 0; oh < OH; oh = oh + 1) for (ow = 0; ow < OW; ow = ow + 1) begin
        sum = HAS_BIAS ? bias[k] : 0;
        for (c = 0; c < C / G; c = c + 1) for (kh = 0; kh < KH; kh = kh + 1) for (kw = 0; kw < KW; kw = kw + 1) begin
          ih = oh * SH - PAD_TOP + kh * DH;
          iw = ow * SW - PAD_LEFT + kw * DW;
          j = i * C + k / (K / G) * (C / G) + c;
          if (ih >= 0 && ih < H && iw >= 0 && iw < W)
            sum = sum + x[(j * H + ih) * W + iw] * weight[((k * (C / G) + c) * KH + kh) * KW + kw];
        end
        at = ((i * K + k) * OH + oh) * OW + ow;
        if (sum !== expected[at]) begin
          if (wrong == 0) $display("FAIL y[%0d, %0d, %0d, %0d]: expected %0d, got %0d", i, k, oh, ow, expected[at], sum);
          wrong = wrong + 1;
        end
      end
    if (wrong == 0) $display("PASS %0d elements", RESULT_ELEMENTS);
    else $display("%0d of %0d elements are wrong", wrong, RESULT_ELEMENTS);
  end
endmodule
