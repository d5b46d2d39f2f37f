/* cc -O2 -shared -fPIC -I"$(refconv include-dir)" conv2d.c -o libconv2d.so && refconv check ./libconv2d.so */
#include <stdlib.h>
#include "refconv_impl.h"

static double get(const refconv_tensor *t, int64_t i) {
  switch (t->dtype) {
    case REFCONV_FLOAT64: return ((const double *)t->data)[i];
    case REFCONV_FLOAT32: return ((const float *)t->data)[i];
    case REFCONV_INT32: return ((const int32_t *)t->data)[i];
    case REFCONV_INT8: return ((const int8_t *)t->data)[i];
    default: return ((const uint8_t *)t->data)[i];
  }
}
static int known(const refconv_tensor *t) { return t->dtype <= REFCONV_FLOAT32 || t->dtype >= REFCONV_INT8; }

/* sums += product of the two others, at every place where kernel and image meet; sums is one of x, w, y. */
static int run(const refconv_problem *p, const refconv_tensor *x, const refconv_tensor *w, const refconv_tensor *y,
               const refconv_tensor *bias, refconv_tensor *out) {
  int64_t C = p->in_channels / p->groups, K = p->out_channels, H = p->input_size[0], W = p->input_size[1];
  int64_t n, k, oh, ow, c, kh, kw, i;
  int64_t kH = p->kernel_size[0], kW = p->kernel_size[1], oH = p->output_size[0], oW = p->output_size[1], size = 1;
  if (!known(x) || !known(w) || !known(y) || out->dtype == REFCONV_INT8 || out->dtype == REFCONV_UINT8) return REFCONV_UNSUPPORTED;
  for (i = 0; i < out->ndim; i++) size *= out->shape[i];
  double *sums = calloc(size + 1, sizeof *sums);
  for (n = 0; n < p->batch; n++) for (k = 0; k < K; k++) for (oh = 0; oh < oH; oh++) for (ow = 0; ow < oW; ow++) {
    int64_t g = k / (K / p->groups), yi = ((n * K + k) * oH + oh) * oW + ow;
    if (bias) sums[yi] = get(bias, k);
    for (c = 0; c < C; c++) for (kh = 0; kh < kH; kh++) for (kw = 0; kw < kW; kw++) {
      int64_t ih = oh * p->stride[0] - p->padding_begin[0] + kh * p->dilation[0];
      int64_t iw = ow * p->stride[1] - p->padding_begin[1] + kw * p->dilation[1];
      int64_t xi = ((n * p->in_channels + g * C + c) * H + ih) * W + iw, wi = ((k * C + c) * kH + kh) * kW + kw;
      if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
      if (out == y) sums[yi] += get(x, xi) * get(w, wi);
      else if (out == x) sums[xi] += get(y, yi) * get(w, wi);
      else sums[wi] += get(x, xi) * get(y, yi);
    }
  }
  for (i = 0; i < size; i++)
    if (out->dtype == REFCONV_FLOAT64) ((double *)out->data)[i] = sums[i];
    else if (out->dtype == REFCONV_FLOAT32) ((float *)out->data)[i] = (float)sums[i];
    else ((int32_t *)out->data)[i] = (int32_t)sums[i];
  free(sums);
  return REFCONV_OK;
}

int32_t refconv_abi_version(void) { return REFCONV_ABI_VERSION; }
#define IN(name) const refconv_tensor *name
#define REST refconv_tensor *out, char *message, size_t message_size
#define UNUSED (void)message, (void)message_size
int refconv_forward(const refconv_problem *p, IN(x), IN(w), IN(b), REST) { return UNUSED, run(p, x, w, out, b, out); }
int refconv_grad_input(const refconv_problem *p, IN(g), IN(w), REST) { return UNUSED, run(p, out, w, g, NULL, out); }
int refconv_grad_weight(const refconv_problem *p, IN(x), IN(g), REST) { return UNUSED, run(p, x, out, g, NULL, out); }
int refconv_grad_bias(const refconv_problem *p, IN(g), REST) {
  int64_t area = p->output_size[0] * p->output_size[1];
  if (g->dtype > REFCONV_FLOAT32 || g->dtype != out->dtype) return UNUSED, REFCONV_UNSUPPORTED;
  for (int64_t k = 0; k < p->out_channels; k++) {
    double sum = 0;
    for (int64_t n = 0; n < p->batch; n++)
      for (int64_t i = 0; i < area; i++) sum += get(g, (n * p->out_channels + k) * area + i);
    if (out->dtype == REFCONV_FLOAT64) ((double *)out->data)[k] = sum; else ((float *)out->data)[k] = (float)sum;
  }
  return REFCONV_OK;
}
