/* refconv_vector.h - a golden vector: one operation of one layer, its inputs, and what is expected.  C99 and C++17.
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef REFCONV_VECTOR_H
#define REFCONV_VECTOR_H

#include <math.h> /* INFINITY and NAN stand among the numbers */
#include <stddef.h>
#include <stdint.h>

#include "refconv_impl.h" /* refconv_problem, refconv_tensor, refconv_quantization, the dtypes */

#if defined(__cplusplus)
#define REFCONV_ALIGNED alignas(64)
#elif defined(__GNUC__)
#define REFCONV_ALIGNED __attribute__((aligned(64)))
#else
#define REFCONV_ALIGNED
#endif

#define REFCONV_COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum refconv_operation {
  REFCONV_FORWARD = 0,     /* inputs: x, weight, bias; the data of a bias that is absent are NULL */
  REFCONV_GRAD_INPUT = 1,  /* grad_output, weight */
  REFCONV_GRAD_WEIGHT = 2, /* x, grad_output */
  REFCONV_GRAD_BIAS = 3    /* grad_output */
};

/* What is right under one policy.  Where lo is NULL every element must equal exact (-0 equals +0, any NaN is
 * NaN); otherwise lo <= element <= hi is right, too.  All three have the dtype and the shape of the result. */
typedef struct refconv_expected {
  const char *policy; /* "" where there is no choice */
  const void *exact, *lo, *hi;
} refconv_expected;

typedef struct refconv_vector {
  const char *id;
  int32_t operation;  /* enum refconv_operation */
  int32_t may_refuse; /* 1: to refuse it is right, too */
  refconv_problem problem;
  const refconv_quantization *quantization; /* NULL unless the layer is quantised */
  refconv_tensor inputs[3];
  refconv_tensor result;            /* dtype and shape that are due; its data are NULL */
  int32_t expected_count;           /* one for each policy, any of which is right; 0 if exported with --prompt-only */
  const refconv_expected *expected;
} refconv_vector;

typedef struct refconv_group {
  const refconv_vector *vectors;
  size_t count;
} refconv_group;

#endif /* REFCONV_VECTOR_H */
