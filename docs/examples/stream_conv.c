/* Forward in float32 over refconv's text stream, with nothing but scanf and printf.  cc stream_conv.c -o stream_conv
 * refconv export DIR --format stream | ./stream_conv | refconv judge DIR --stream */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t *read_words(long *count) {
  if (scanf("%ld", count) != 1) exit(2);
  uint64_t *words = calloc(*count + 1, sizeof *words);
  for (long i = 0; i < *count; i++) if (!words || scanf("%" SCNx64, &words[i]) != 1) exit(2);
  return words;
}
static float value(uint64_t word) { uint32_t bits = (uint32_t)word; float f; memcpy(&f, &bits, 4); return f; }

int main(void) {
  char id[200], op[20], type[4][20], overflow[20];
  while (scanf("%199s %19s %19s %19s %19s %19s %19s", id, op, type[0], type[1], type[2], type[3], overflow) == 7) {
    long N, C, K, G, H, W, kH, kW, oH, oW, sH, sW, dH, dW, top, bottom, left, right, size, count[3];
    if (scanf("%ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld", &N, &C, &K, &G, &H, &W, &kH,
              &kW, &oH, &oW, &sH, &sW, &dH, &dW, &top, &bottom, &left, &right, &size) != 19) return 2;
    uint64_t *x = read_words(&count[0]), *weight = read_words(&count[1]), *bias = read_words(&count[2]);
    if (strcmp(op, "forward") || strcmp(type[0], "float32") || strcmp(type[3], "float32")) printf("%s %s unsupported\n", id, op);
    else {
      printf("%s %s ok %ld", id, op, size);
      for (long n = 0; n < N; n++) for (long k = 0; k < K; k++) for (long oh = 0; oh < oH; oh++) for (long ow = 0; ow < oW; ow++) {
        float sum = count[2] ? value(bias[k]) : 0;
        for (long c = 0; c < C / G; c++) for (long kh = 0; kh < kH; kh++) for (long kw = 0; kw < kW; kw++) {
          long ih = oh * sH - top + kh * dH, iw = ow * sW - left + kw * dW, channel = k / (K / G) * (C / G) + c;
          if (ih >= 0 && ih < H && iw >= 0 && iw < W)
            sum += value(x[((n * C + channel) * H + ih) * W + iw]) * value(weight[((k * (C / G) + c) * kH + kh) * kW + kw]);
        }
        uint32_t bits;
        memcpy(&bits, &sum, 4);
        printf(" %08" PRIx32, bits);
      }
      printf("\n");
    }
    free(x), free(weight), free(bias);
  }
  return 0;
}
