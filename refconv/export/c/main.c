/* Runs the functions of refconv_impl.h that you define over all vectors of this folder, and says which are right.
 *
 *   cc -std=c99 -O2 main.c mine.c -o run && ./run          or  c++ -std=c++17 -x c++ main.c mine.c -o run
 *
 * A function that you do not define counts as unsupported; where the linker has no weak symbols, say
 * -DREFCONV_WITHOUT_GRADIENTS, -DREFCONV_WITHOUT_QUANTIZED.  The verdict is found with integers alone, so that no
 * option of the compiler and no mode of the processor can change it.  With -DREFCONV_ANSWERS, and always after
 * --prompt-only, the results are printed for 'refconv judge SUITE --stream'.
 * Exit status: 0 all good, 1 something failed or nothing was computed.
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "all.h"

#if defined(__GNUC__) && defined(__ELF__)
#pragma weak refconv_forward
#pragma weak refconv_grad_input
#pragma weak refconv_grad_weight
#pragma weak refconv_grad_bias
#pragma weak refconv_quantized_forward
#endif

enum { FENCE = 64, POISON = 0xA5, GUARD = 0x5A, OUTCOMES = 4 };

REFCONV_ALIGNED static unsigned char memory[FENCE + REFCONV_MAX_RESULT_BYTES + FENCE];
static char message[200];
static const char *const operations[] = {"forward", "grad_input", "grad_weight", "grad_bias"};
static const char *const results[] = {"y", "grad_input", "grad_weight", "grad_bias"};

/* By enum refconv_dtype: bytes, and for floats the bits of the largest magnitude that is no NaN. */
typedef struct format {
  unsigned bytes;
  int is_signed;
  uint64_t largest;
} format;

static const format formats[] = {
    {0, 0, 0},          {8, 1, UINT64_C(0x7ff0000000000000)}, {4, 1, 0x7f800000}, {2, 1, 0x7c00}, {2, 1, 0x7f80},
    {1, 1, 0x7e},       {1, 1, 0x7c}, {1, 1, 0}, {1, 0, 0}, {4, 1, 0},
};

static size_t elements_of(const refconv_tensor *tensor) {
  size_t count = 1;
  int axis;
  for (axis = 0; axis < tensor->ndim; axis++) count *= (size_t)tensor->shape[axis];
  return count;
}

static uint64_t bits_of(int32_t dtype, const void *data, size_t i) {
  uint64_t word64;
  uint32_t word32;
  uint16_t word16;
  const unsigned char *at = (const unsigned char *)data + i * formats[dtype].bytes;
  switch (formats[dtype].bytes) {
    case 8: memcpy(&word64, at, 8); return word64;
    case 4: memcpy(&word32, at, 4); return word32;
    case 2: memcpy(&word16, at, 2); return word16;
    default: return *at;
  }
}

static int is_nan(int32_t dtype, uint64_t bits) {
  uint64_t sign = UINT64_C(1) << (8 * formats[dtype].bytes - 1);
  return formats[dtype].largest && (bits & (sign - 1)) > formats[dtype].largest;
}

/* A number that orders the values of a format as they are, -0 and +0 alike. */
static int64_t rank_of(int32_t dtype, uint64_t bits) {
  uint64_t sign = UINT64_C(1) << (8 * formats[dtype].bytes - 1);
  if (!formats[dtype].is_signed) return (int64_t)bits;
  if (!formats[dtype].largest) return (int64_t)(bits ^ sign) - (int64_t)sign;
  return bits & sign ? -(int64_t)(bits & (sign - 1)) : (int64_t)bits;
}

static int is_right(int32_t dtype, const refconv_expected *expected, const void *got, size_t i) {
  uint64_t result = bits_of(dtype, got, i), exact = bits_of(dtype, expected->exact, i), lo, hi;
  int64_t rank = rank_of(dtype, result);
  if (is_nan(dtype, result) || is_nan(dtype, exact)) return is_nan(dtype, result) && is_nan(dtype, exact);
  if (rank == rank_of(dtype, exact)) return 1;
  if (!expected->lo) return 0;
  lo = bits_of(dtype, expected->lo, i), hi = bits_of(dtype, expected->hi, i);
  return !is_nan(dtype, lo) && !is_nan(dtype, hi) && rank_of(dtype, lo) <= rank && rank <= rank_of(dtype, hi);
}

/* Count the wrong elements; first becomes the index of the first one. */
static size_t count_wrong(const refconv_vector *vector, const refconv_expected *expected, const void *got, size_t *first) {
  size_t i, wrong = 0, count = elements_of(&vector->result);
  for (i = 0; i < count; i++)
    if (!is_right(vector->result.dtype, expected, got, i) && !wrong++) *first = i;
  return wrong;
}

static void print_bits(const char *before, int32_t dtype, const void *data, size_t i) {
  printf("%s%0*" PRIx64, before, (int)(2 * formats[dtype].bytes), bits_of(dtype, data, i));
}

static void print_failure(const refconv_vector *vector, const refconv_expected *expected, const void *got, size_t wrong, size_t first) {
  const refconv_tensor *result = &vector->result;
  size_t block = elements_of(result), rest = first;
  int axis;
  printf("%lu of %lu elements are wrong, first %s[", (unsigned long)wrong, (unsigned long)block, results[vector->operation]);
  for (axis = 0; axis < result->ndim; axis++) {
    block /= (size_t)result->shape[axis];
    printf("%s%lu", axis ? ", " : "", (unsigned long)(rest / block));
    rest %= block;
  }
  print_bits("]: expected the bits ", result->dtype, expected->exact, first);
  if (expected->lo) print_bits(" (from ", result->dtype, expected->lo, first);
  if (expected->lo) print_bits(" to ", result->dtype, expected->hi, first);
  print_bits(expected->lo ? "), got " : ", got ", result->dtype, got, first);
  printf("%s%s\n", *expected->policy ? ", by the policy " : "", expected->policy);
}

static int is_intact(const unsigned char *fence) {
  int i;
  for (i = 0; i < FENCE; i++)
    if (fence[i] != GUARD) return 0;
  return 1;
}

static int call(const refconv_vector *v, refconv_tensor *out) {
  const refconv_tensor *first = &v->inputs[0], *second = &v->inputs[1], *bias = v->inputs[2].data ? &v->inputs[2] : NULL;
  (void)first, (void)second, (void)bias, (void)out;
  if (v->quantization) {
#ifndef REFCONV_WITHOUT_QUANTIZED
    if (refconv_quantized_forward)
      return refconv_quantized_forward(&v->problem, v->quantization, first, second, bias, out, message, sizeof message);
#endif
    return REFCONV_UNSUPPORTED;
  }
  if (v->operation == REFCONV_FORWARD && refconv_forward)
    return refconv_forward(&v->problem, first, second, bias, out, message, sizeof message);
#ifndef REFCONV_WITHOUT_GRADIENTS
  if (v->operation == REFCONV_GRAD_INPUT && refconv_grad_input)
    return refconv_grad_input(&v->problem, first, second, out, message, sizeof message);
  if (v->operation == REFCONV_GRAD_WEIGHT && refconv_grad_weight)
    return refconv_grad_weight(&v->problem, first, second, out, message, sizeof message);
  if (v->operation == REFCONV_GRAD_BIAS && refconv_grad_bias)
    return refconv_grad_bias(&v->problem, first, out, message, sizeof message);
#endif
  return REFCONV_UNSUPPORTED;
}

/* One line for 'refconv judge SUITE --stream'. */
static void print_answer(const refconv_vector *vector, int status, const void *got) {
  static const char *const words[] = {"ok", "unsupported", "rejected", "error"};
  size_t i, count = elements_of(&vector->result);
  printf("%s %s %s", vector->id, operations[vector->operation], words[status < 0 || status > 3 ? 3 : status]);
  if (status == REFCONV_OK) {
    printf(" %lu", (unsigned long)count);
    for (i = 0; i < count; i++) print_bits(" ", vector->result.dtype, got, i);
  } else if (*message) {
    printf(" %.190s", message);
  }
  printf("\n");
}

/* Say whether a result is right, and print why it is not. */
static int passes(const refconv_vector *vector, const void *got, size_t bytes) {
  size_t first = 0, wrong = 0;
  int32_t i;
  if (is_intact(memory) && is_intact(memory + FENCE + bytes))
    for (i = 0; i < vector->expected_count; i++)
      if (!count_wrong(vector, &vector->expected[i], got, &first)) return 1;
  printf("FAIL %s %s: ", vector->id, operations[vector->operation]);
  if (!is_intact(memory) || !is_intact(memory + FENCE + bytes)) {
    printf("wrote before or behind the result\n");
  } else {
    wrong = count_wrong(vector, &vector->expected[0], got, &first);
    print_failure(vector, &vector->expected[0], got, wrong, first);
  }
  return 0;
}

/* Return 0 passed, 1 failed, 2 unsupported, 3 answered only. */
static int run(const refconv_vector *vector) {
  refconv_tensor out = vector->result;
  size_t bytes = elements_of(&out) * formats[out.dtype].bytes;
  int status;
  memset(memory, GUARD, sizeof memory);
  memset(memory + FENCE, POISON, bytes);
  out.data = memory + FENCE;
  message[0] = 0;
  status = call(vector, &out);
  message[sizeof message - 1] = 0;
#ifndef REFCONV_ANSWERS
  if (!vector->expected_count)
#endif
  {
    print_answer(vector, status, out.data);
    return 3;
  }
#ifndef REFCONV_ANSWERS
  if (status == REFCONV_UNSUPPORTED) return 2;
  if (status == REFCONV_OK) return !passes(vector, out.data, bytes);
  if (status == REFCONV_REJECTED && vector->may_refuse) return 0;
  printf("FAIL %s %s: %s (status %d) %s\n", vector->id, operations[vector->operation],
         status == REFCONV_REJECTED ? "refused a legal problem" : "broke down", status, message);
  return 1;
#endif
}

int main(void) {
  unsigned long counts[OUTCOMES] = {0, 0, 0, 0}, total;
  size_t group, i;
  for (group = 0; group < REFCONV_COUNT(refconv_groups); group++)
    for (i = 0; i < refconv_groups[group].count; i++) counts[run(&refconv_groups[group].vectors[i])]++;
  total = counts[0] + counts[1] + counts[2] + counts[3];
  if (counts[3]) return 0;
  printf("%lu operations: %lu passed, %lu failed, %lu unsupported\n", total, counts[0], counts[1], counts[2]);
  return counts[1] || !counts[0];
}
