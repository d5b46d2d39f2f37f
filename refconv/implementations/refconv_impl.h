/* refconv_impl.h - the C ABI of a convolution under test, version 1.  C99 and C++17.
 *
 * Build a shared library that exports refconv_abi_version and as many of the other functions as you offer,
 * then run:  refconv check ./libmine.so
 * A function that you do not export is counted as unsupported.  Rust, Zig, Go and others can export the same.
 *
 * "Convolution" means cross-correlation, the kernel is not flipped; docs/format.md holds the definition.
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef REFCONV_IMPL_H
#define REFCONV_IMPL_H

#include <stddef.h>
#include <stdint.h>

#define REFCONV_ABI_VERSION 1
#define REFCONV_MAX_AXES 3 /* spatial axes: signals, images, volumes */

#if defined(_WIN32)
#define REFCONV_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define REFCONV_EXPORT __attribute__((visibility("default")))
#else
#define REFCONV_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum refconv_status {
  REFCONV_OK = 0,
  REFCONV_UNSUPPORTED = 1, /* not offered: this dtype, dilation, overflow mode ...; never a failure */
  REFCONV_REJECTED = 2,    /* refused as illegal */
  REFCONV_ERROR = 3        /* something went wrong; say what in message */
};

enum refconv_dtype {
  REFCONV_FLOAT64 = 1,
  REFCONV_FLOAT32 = 2,
  REFCONV_FLOAT16 = 3,
  REFCONV_BFLOAT16 = 4,
  REFCONV_FLOAT8_E4M3FN = 5,
  REFCONV_FLOAT8_E5M2 = 6,
  REFCONV_INT8 = 7,
  REFCONV_UINT8 = 8,
  REFCONV_INT32 = 9
};

/* What becomes of results beyond the largest finite number.  Where it is not REFCONV_OVERFLOW_ANY, the case
 * depends on it: return REFCONV_UNSUPPORTED unless you do exactly this. */
enum refconv_overflow {
  REFCONV_OVERFLOW_ANY = 0,
  REFCONV_OVERFLOW_INFINITY = 1,
  REFCONV_OVERFLOW_SATURATE = 2,
  REFCONV_OVERFLOW_NAN = 3
};

/* Every struct begins with its size in bytes, as the caller knows it.  A later version may append fields. */

typedef struct refconv_tensor {
  uint32_t size;
  int32_t dtype; /* enum refconv_dtype */
  int32_t ndim;
  int32_t reserved;
  int64_t shape[REFCONV_MAX_AXES + 2]; /* as many as ndim, then ones */
  void *data; /* packed, C order, aligned to 64 bytes, never NULL; inputs may be read-only memory */
} refconv_tensor;

/* One layer.  Axis 0 is the height, axis 1 the width.  Behind the last axis stand ones, and zeros for padding. */
typedef struct refconv_problem {
  uint32_t size;
  int32_t axes;     /* spatial axes */
  int32_t overflow; /* enum refconv_overflow */
  int32_t reserved;
  int64_t batch, in_channels, out_channels, groups;
  int64_t input_size[REFCONV_MAX_AXES];
  int64_t kernel_size[REFCONV_MAX_AXES];
  int64_t output_size[REFCONV_MAX_AXES];
  int64_t stride[REFCONV_MAX_AXES];
  int64_t dilation[REFCONV_MAX_AXES]; /* 1 is dense */
  int64_t padding_begin[REFCONV_MAX_AXES];
  int64_t padding_end[REFCONV_MAX_AXES];
} refconv_problem;

/* A quantised layer: each integer q stands for scale * (q - zero_point); docs/formats.md holds the definition. */
typedef struct refconv_quantization {
  uint32_t size;
  int32_t weight_count; /* 1, or one scale and zero point for each output channel */
  const float *weight_scale;
  const int32_t *weight_zero_point;
  float x_scale, y_scale;
  int32_t x_zero_point, y_zero_point;
} refconv_quantization;

/* Must return REFCONV_ABI_VERSION. */
REFCONV_EXPORT int32_t refconv_abi_version(void);

/* Optional: the name for reports, a string that stays valid. */
REFCONV_EXPORT const char *refconv_name(void);

/* Optional: if it is exported, the library is also asked about problems that must be rejected (a stride of zero,
 * groups that do not divide the channels, shapes that contradict each other); its result does not matter. */
REFCONV_EXPORT int32_t refconv_checks_arguments(void);

/* Each returns an enum refconv_status.  The caller allocates everything.  y, grad_... arrive with the dtype and
 * the shape that are asked for: look at the dtype of ALL tensors, and write every element and nothing else.
 * bias is NULL where there is none.  message takes a sentence of up to message_size bytes, its 0 included. */
REFCONV_EXPORT int refconv_forward(const refconv_problem *problem, const refconv_tensor *x,
                                   const refconv_tensor *weight, const refconv_tensor *bias, refconv_tensor *y,
                                   char *message, size_t message_size);

REFCONV_EXPORT int refconv_grad_input(const refconv_problem *problem, const refconv_tensor *grad_output,
                                      const refconv_tensor *weight, refconv_tensor *grad_input, char *message,
                                      size_t message_size);

REFCONV_EXPORT int refconv_grad_weight(const refconv_problem *problem, const refconv_tensor *x,
                                       const refconv_tensor *grad_output, refconv_tensor *grad_weight,
                                       char *message, size_t message_size);

REFCONV_EXPORT int refconv_grad_bias(const refconv_problem *problem, const refconv_tensor *grad_output,
                                     refconv_tensor *grad_bias, char *message, size_t message_size);

REFCONV_EXPORT int refconv_quantized_forward(const refconv_problem *problem,
                                             const refconv_quantization *quantization, const refconv_tensor *x,
                                             const refconv_tensor *weight, const refconv_tensor *bias,
                                             refconv_tensor *y, char *message, size_t message_size);

#ifdef __cplusplus
}
#endif
#endif /* REFCONV_IMPL_H */
