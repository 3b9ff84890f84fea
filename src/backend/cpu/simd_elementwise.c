/* Element by element. Bound by memory: long streams, split evenly between the threads. */
#include "backend/cpu/simd.h"
#include "backend/cpu/fill.h"

enum { PIECE = 4096 }; /* elements that one turn of the loop handles: a multiple of every vector */

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What one piece computes: y from a and b. */
typedef enum op { RELU, RELU_BACKWARD, ADD, COPY } op;

SIMD_INLINE void piece(op what, void *y, protea_dtype ytype, const void *a, const void *b, protea_dtype xtype, int64_t from,
                       int64_t to)
{
    for (int64_t i = from; i < to; i += LANES) {
        int64_t count = least(LANES, to - i);
        vf v = load(a, i, count, xtype);
        if (what == RELU)
            v = relu_of(v);
        if (what == RELU_BACKWARD) /* a: the activation, b: its gradient */
            v = choose(v > 0, load(b, i, count, xtype), (vf){ 0 });
        if (what == ADD)
            v += load(b, i, count, xtype);
        store(y, i, count, ytype, v);
    }
}

SIMD_INLINE void stream(op what, void *y, protea_dtype ytype, const void *a, const void *b, protea_dtype xtype, int64_t n)
{
#pragma omp parallel for schedule(static)
    for (int64_t from = 0; from < n; from += PIECE)
        piece(what, y, ytype, a, b, xtype, from, least(from + PIECE, n));
}

static void relu(protea_backend *be, void *y, const void *x, int64_t n, protea_dtype dtype)
{
    (void)be;
    if (dtype == PROTEA_BF16)
        stream(RELU, y, PROTEA_BF16, x, NULL, PROTEA_BF16, n);
    else
        stream(RELU, y, PROTEA_F32, x, NULL, PROTEA_F32, n);
}

static void relu_backward(protea_backend *be, void *dx, const void *y, const void *dy, int64_t n, protea_dtype dtype)
{
    (void)be;
    if (dtype == PROTEA_BF16)
        stream(RELU_BACKWARD, dx, PROTEA_BF16, y, dy, PROTEA_BF16, n);
    else
        stream(RELU_BACKWARD, dx, PROTEA_F32, y, dy, PROTEA_F32, n);
}

static void add(protea_backend *be, void *y, const void *a, const void *b, int64_t n, protea_dtype dtype)
{
    (void)be;
    if (dtype == PROTEA_BF16)
        stream(ADD, y, PROTEA_BF16, a, b, PROTEA_BF16, n);
    else
        stream(ADD, y, PROTEA_F32, a, b, PROTEA_F32, n);
}

static void convert(protea_backend *be, void *y, protea_dtype ydtype, const void *x, protea_dtype xdtype, int64_t n)
{
    (void)be;
    if (ydtype == PROTEA_BF16 && xdtype == PROTEA_F32)
        stream(COPY, y, PROTEA_BF16, x, NULL, PROTEA_F32, n);
    else if (ydtype == PROTEA_F32 && xdtype == PROTEA_BF16)
        stream(COPY, y, PROTEA_F32, x, NULL, PROTEA_BF16, n);
    else
        memcpy(y, x, (size_t)n * protea_dtype_bytes(xdtype));
}

void SIMD_NAME(protea_simd_fill_elementwise)(protea_kernels *k)
{
    k->relu = relu;
    k->relu_backward = relu_backward;
    k->add = add;
    k->convert = convert;
}
