/* Misbehaves as ZOO says wherever the kernel is 2 x 2, and is right elsewhere; refconv_forward comes from conv2d.c. */
#define refconv_forward honest_forward
#include CONV2D
#undef refconv_forward

int refconv_forward(const refconv_problem *p, const refconv_tensor *x, const refconv_tensor *w, const refconv_tensor *b,
                    refconv_tensor *y, char *message, size_t message_size) {
  static unsigned char cache[1 << 16];
  static int64_t cached;
  int status = honest_forward(p, x, w, b, y, message, message_size);
  unsigned char *bytes = y->data;
  int64_t i, nbytes = 4;
  for (i = 0; i < y->ndim; i++) nbytes *= y->shape[i];
  if (status || y->dtype != REFCONV_FLOAT32 || p->kernel_size[0] != 2 || p->kernel_size[1] != 2) return status;
  switch (ZOO) {
    case 1: for (i = 0; i < 8; i++) bytes[nbytes + i] = 0; break;
    case 2: for (i = 1; i <= 12; i++) bytes[-i] = 0; break;
    case 3: ((float *)w->data)[0] += 1; break;
    case 4: for (i = nbytes / 2; i < nbytes; i++) bytes[i] = 0; break;
    case 5: *(volatile int *)0 = 1; break;
    case 6: abort();
    case 7: _Exit(0);
    case 8: for (;;) message[0] = 'x';
    case 9: return 17;
    case 10: for (i = 0; i < (1 << 20); i++) bytes[nbytes + i] = 0; break;
    case 11: message[0] = 'n', message[1] = 'o', message[2] = 0; return REFCONV_ERROR;
    case 12: message[0] = 'n', message[1] = 'o', message[2] = 0; return REFCONV_REJECTED;
    case 13: for (i = 0; i < nbytes; i++) bytes[i] = 255; break;
    case 14:
      if (cached == nbytes) for (i = 0; i < nbytes; i++) bytes[i] = cache[i];
      else if (nbytes <= (int64_t)sizeof cache) for (cached = nbytes, i = 0; i < nbytes; i++) cache[i] = bytes[i];
      break;
    case 15: for (i = 0; i < (int64_t)message_size + 3; i++) message[i] = 'x'; break;
  }
  return status;
}
