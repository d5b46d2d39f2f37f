/* Every operation in every format of core, by decoding to double, adding up, and rounding once.  A client of the C ABI.
 * -DNHWC: images lie as NHWC and weights as HWIO.  -DPLANTED: the stride of the height is used for the width. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "refconv_impl.h"

typedef struct layout { int64_t n, c, h, w; } layout; /* steps, in elements */
typedef struct small { int exponent, mantissa, infinite; } small;

static small format_of(int32_t dtype) {
  static const small known[] = {{0, 0, 0}, {11, 52, 1}, {8, 23, 1}, {5, 10, 1}, {8, 7, 1}, {4, 3, 0}, {5, 2, 1}};
  return known[dtype];
}

static double decode(int32_t dtype, uint64_t bits) {
  small f = format_of(dtype);
  int low = 2 - (1 << (f.exponent - 1)), top = (1 << f.exponent) - 1;
  int exponent = (int)(bits >> f.mantissa) & top;
  uint64_t mantissa = bits & ((UINT64_C(1) << f.mantissa) - 1), one = UINT64_C(1) << f.mantissa;
  double sign = bits >> (f.exponent + f.mantissa) ? -1 : 1;
  if (exponent == top && (f.infinite || mantissa + 1 == one)) return mantissa ? NAN : sign * INFINITY;
  if (!exponent) return sign * ldexp((double)mantissa, low - f.mantissa);
  return sign * ldexp((double)(mantissa + one), exponent - 1 + low - f.mantissa);
}

static uint64_t encode(int32_t dtype, int32_t overflow, double value) {
  small f = format_of(dtype);
  int low = 2 - (1 << (f.exponent - 1)), exponent;
  uint64_t sign = signbit(value) ? UINT64_C(1) << (f.exponent + f.mantissa) : 0, one = UINT64_C(1) << f.mantissa;
  uint64_t infinity = (UINT64_C(1) << (f.exponent + f.mantissa)) - (f.infinite ? one : 1);
  double largest = decode(dtype, infinity - 1), rounded;
  if (isnan(value)) return f.infinite ? infinity | one >> 1 : infinity;
  if (value == 0) return sign;
  exponent = isinf(value) ? 0 : ilogb(value);
  if (exponent < low) exponent = low;
  rounded = isinf(value) ? INFINITY : ldexp(nearbyint(ldexp(fabs(value), f.mantissa - exponent)), exponent - f.mantissa);
  if (rounded > largest) return overflow == REFCONV_OVERFLOW_SATURATE ? sign | (infinity - 1) : sign | infinity;
  exponent = ilogb(rounded);
  if (rounded < ldexp(1, low)) return sign | (uint64_t)ldexp(rounded, f.mantissa - low);
  return sign | (uint64_t)(exponent - low + 1) << f.mantissa | ((uint64_t)ldexp(rounded, f.mantissa - exponent) - one);
}

static double get(const refconv_tensor *t, int64_t i) {
  const void *data = t->data;
  switch (t->dtype) {
    case REFCONV_FLOAT64: return ((const double *)data)[i];
    case REFCONV_FLOAT32: return ((const float *)data)[i];
    case REFCONV_INT32: return ((const int32_t *)data)[i];
    case REFCONV_INT8: return ((const int8_t *)data)[i];
    case REFCONV_UINT8: return ((const uint8_t *)data)[i];
    case REFCONV_FLOAT16: case REFCONV_BFLOAT16: return decode(t->dtype, ((const uint16_t *)data)[i]);
    default: return decode(t->dtype, ((const uint8_t *)data)[i]);
  }
}

static void set(const refconv_tensor *t, int64_t i, int32_t overflow, double value) {
  void *data = t->data;
  switch (t->dtype) {
    case REFCONV_FLOAT64: ((double *)data)[i] = value; break;
    case REFCONV_FLOAT32: ((float *)data)[i] = (float)value; break;
    case REFCONV_INT32: ((int32_t *)data)[i] = (int32_t)value; break;
    case REFCONV_INT8: ((int8_t *)data)[i] = (int8_t)value; break;
    case REFCONV_UINT8: ((uint8_t *)data)[i] = (uint8_t)value; break;
    case REFCONV_FLOAT16: case REFCONV_BFLOAT16:
      ((uint16_t *)data)[i] = (uint16_t)encode(t->dtype, overflow, value); break;
    default: ((uint8_t *)data)[i] = (uint8_t)encode(t->dtype, overflow, value);
  }
}

static layout steps(int64_t n, int64_t c, int64_t h, int64_t w, int is_weight) {
  layout own = {c * h * w, h * w, w, 1};
#ifdef NHWC
  layout image = {h * w * c, 1, w * c, c}, kernel = {1, n, w * c * n, c * n};
  own = is_weight ? kernel : image;
#endif
  (void)n, (void)is_weight;
  return own;
}

static int64_t place(layout l, int64_t n, int64_t c, int64_t h, int64_t w) { return n * l.n + c * l.c + h * l.h + w * l.w; }

enum { FORWARD, GRAD_INPUT, GRAD_WEIGHT };

/* a and b are the factors, zero_a and zero_b are taken from them; sums are where the result lies. */
static void products(const refconv_problem *p, int op, const refconv_tensor *a, const refconv_tensor *b, double zero_a,
                     const double *zero_b, double *sums) {
  int64_t cg = p->in_channels / p->groups, kg = p->out_channels / p->groups, n, k, oh, ow, c, kh, kw;
  layout x = steps(p->batch, p->in_channels, p->input_size[0], p->input_size[1], 0);
  layout w = steps(p->out_channels, cg, p->kernel_size[0], p->kernel_size[1], 1);
  layout y = steps(p->batch, p->out_channels, p->output_size[0], p->output_size[1], 0);
  for (n = 0; n < p->batch; n++) for (k = 0; k < p->out_channels; k++)
    for (oh = 0; oh < p->output_size[0]; oh++) for (ow = 0; ow < p->output_size[1]; ow++)
      for (c = 0; c < cg; c++) for (kh = 0; kh < p->kernel_size[0]; kh++) for (kw = 0; kw < p->kernel_size[1]; kw++) {
        int64_t ih = oh * p->stride[0] - p->padding_begin[0] + kh * p->dilation[0];
#ifdef PLANTED
        int64_t iw = ow * p->stride[0] - p->padding_begin[1] + kw * p->dilation[1];
#else
        int64_t iw = ow * p->stride[1] - p->padding_begin[1] + kw * p->dilation[1];
#endif
        int64_t ix = place(x, n, k / kg * cg + c, ih, iw), iweight = place(w, k, c, kh, kw), iy = place(y, n, k, oh, ow);
        if (ih < 0 || ih >= p->input_size[0] || iw < 0 || iw >= p->input_size[1]) continue;
        if (op == FORWARD) sums[iy] += (get(a, ix) - zero_a) * (get(b, iweight) - zero_b[k]);
        if (op == GRAD_INPUT) sums[ix] += get(a, iy) * get(b, iweight);
        if (op == GRAD_WEIGHT) sums[iweight] += get(a, ix) * get(b, iy);
      }
}

static int64_t count(const refconv_tensor *t) {
  int64_t size = 1;
  int axis;
  for (axis = 0; axis < t->ndim; axis++) size *= t->shape[axis];
  return size;
}

static int64_t channel_of(const refconv_problem *p, int64_t i) {
#ifdef NHWC
  return i % p->out_channels;
#else
  return i / (p->output_size[0] * p->output_size[1]) % p->out_channels;
#endif
}

static void compute(const refconv_problem *p, int op, const refconv_tensor *a, const refconv_tensor *b,
                    const refconv_tensor *bias, const refconv_tensor *out) {
  int64_t i, size = count(out);
  double *sums = (double *)calloc((size_t)size + 1, sizeof(double));
  double *zeros = (double *)calloc((size_t)p->out_channels + 1, sizeof(double));
  products(p, op, a, b, 0, zeros, sums);
  for (i = 0; i < size; i++) set(out, i, p->overflow, bias ? sums[i] + get(bias, channel_of(p, i)) : sums[i]);
  free(sums), free(zeros);
}

int32_t refconv_abi_version(void) { return REFCONV_ABI_VERSION; }

int refconv_forward(const refconv_problem *p, const refconv_tensor *x, const refconv_tensor *weight,
                    const refconv_tensor *bias, refconv_tensor *y, char *message, size_t size) {
  (void)message, (void)size;
  return compute(p, FORWARD, x, weight, bias, y), REFCONV_OK;
}

int refconv_grad_input(const refconv_problem *p, const refconv_tensor *grad_output, const refconv_tensor *weight,
                       refconv_tensor *grad_input, char *message, size_t size) {
  (void)message, (void)size;
  return compute(p, GRAD_INPUT, grad_output, weight, NULL, grad_input), REFCONV_OK;
}

int refconv_grad_weight(const refconv_problem *p, const refconv_tensor *x, const refconv_tensor *grad_output,
                        refconv_tensor *grad_weight, char *message, size_t size) {
  (void)message, (void)size;
  return compute(p, GRAD_WEIGHT, x, grad_output, NULL, grad_weight), REFCONV_OK;
}

int refconv_grad_bias(const refconv_problem *p, const refconv_tensor *grad_output, refconv_tensor *grad_bias,
                      char *message, size_t size) {
  int64_t i, k;
  (void)message, (void)size;
  for (k = 0; k < p->out_channels; k++) {
    double sum = 0;
    for (i = 0; i < count(grad_output); i++) if (channel_of(p, i) == k) sum += get(grad_output, i);
    set(grad_bias, k, p->overflow, sum);
  }
  return REFCONV_OK;
}

int refconv_quantized_forward(const refconv_problem *p, const refconv_quantization *q, const refconv_tensor *x,
                              const refconv_tensor *weight, const refconv_tensor *bias, refconv_tensor *y,
                              char *message, size_t message_size) {
  int64_t i, k, size = count(y);
  double *sums = (double *)calloc((size_t)size + 1, sizeof(double));
  double *zeros = (double *)calloc((size_t)p->out_channels + 1, sizeof(double));
  double low = y->dtype == REFCONV_INT8 ? -128 : 0;
  (void)message, (void)message_size;
  for (k = 0; k < p->out_channels; k++) zeros[k] = q->weight_zero_point[q->weight_count == 1 ? 0 : k];
  products(p, FORWARD, x, weight, q->x_zero_point, zeros, sums);
  for (i = 0; i < size; i++) {
    double scale = q->weight_scale[q->weight_count == 1 ? 0 : channel_of(p, i)];
    double sum = bias ? sums[i] + get(bias, channel_of(p, i)) : sums[i];
    double value = nearbyint(sum * (q->x_scale * scale / q->y_scale)) + q->y_zero_point;
    set(y, i, 0, value < low ? low : value > low + 255 ? low + 255 : value);
  }
  free(sums), free(zeros);
  return REFCONV_OK;
}
