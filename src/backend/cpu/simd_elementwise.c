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

SIMD_INLINE void vector(op what, void *y, protea_dtype ytype, const void *a, const void *b, protea_dtype xtype, int64_t i,
                        int64_t count)
{
    vf v = load(a, i, count, xtype);
    if (what == RELU)
        v = relu_of(v);
    if (what == RELU_BACKWARD) /* a: the activation, b: its gradient */
        v = choose(v > 0, load(b, i, count, xtype), (vf){ 0 });
    if (what == ADD)
        v += load(b, i, count, xtype);
    store(y, i, count, ytype, v);
}

/* Whole vectors have a constant count: a variable one costs a call each. */
SIMD_INLINE void piece(op what, void *y, protea_dtype ytype, const void *a, const void *b, protea_dtype xtype, int64_t from,
                       int64_t to)
{
    int64_t i = from;
    for (; i + LANES <= to; i += LANES)
        vector(what, y, ytype, a, b, xtype, i, LANES);
    if (i < to)
        vector(what, y, ytype, a, b, xtype, i, to - i);
}

/* A piece with operation and types settled: the threads' loop is a function of its own, which no constant reaches. */
typedef void piece_fn(void *y, const void *a, const void *b, int64_t from, int64_t to);

static void stream(piece_fn *body, void *y, const void *a, const void *b, int64_t n)
{
#pragma omp parallel for schedule(static)
    for (int64_t from = 0; from < n; from += PIECE)
        body(y, a, b, from, least(from + PIECE, n));
}

static void relu_f32(void *y, const void *a, const void *b, int64_t from, int64_t to)
{
    piece(RELU, y, PROTEA_F32, a, b, PROTEA_F32, from, to);
}

static void relu_bf16(void *y, const void *a, const void *b, int64_t from, int64_t to)
{
    piece(RELU, y, PROTEA_BF16, a, b, PROTEA_BF16, from, to);
}

static void relu_backward_f32(void *y, const void *a, const void *b, int64_t from, int64_t to)
{
    piece(RELU_BACKWARD, y, PROTEA_F32, a, b, PROTEA_F32, from, to);
}

static void relu_backward_bf16(void *y, const void *a, const void *b, int64_t from, int64_t to)
{
    piece(RELU_BACKWARD, y, PROTEA_BF16, a, b, PROTEA_BF16, from, to);
}

static void add_f32(void *y, const void *a, const void *b, int64_t from, int64_t to)
{
    piece(ADD, y, PROTEA_F32, a, b, PROTEA_F32, from, to);
}

static void add_bf16(void *y, const void *a, const void *b, int64_t from, int64_t to)
{
    piece(ADD, y, PROTEA_BF16, a, b, PROTEA_BF16, from, to);
}

static void f32_to_bf16(void *y, const void *a, const void *b, int64_t from, int64_t to)
{
    piece(COPY, y, PROTEA_BF16, a, b, PROTEA_F32, from, to);
}

static void bf16_to_f32(void *y, const void *a, const void *b, int64_t from, int64_t to)
{
    piece(COPY, y, PROTEA_F32, a, b, PROTEA_BF16, from, to);
}

static void relu(protea_backend *be, void *y, const void *x, int64_t n, protea_dtype dtype)
{
    (void)be;
    stream(dtype == PROTEA_BF16 ? relu_bf16 : relu_f32, y, x, NULL, n);
}

static void relu_backward(protea_backend *be, void *dx, const void *y, const void *dy, int64_t n, protea_dtype dtype)
{
    (void)be;
    stream(dtype == PROTEA_BF16 ? relu_backward_bf16 : relu_backward_f32, dx, y, dy, n);
}

static void add(protea_backend *be, void *y, const void *a, const void *b, int64_t n, protea_dtype dtype)
{
    (void)be;
    stream(dtype == PROTEA_BF16 ? add_bf16 : add_f32, y, a, b, n);
}

static void convert(protea_backend *be, void *y, protea_dtype ydtype, const void *x, protea_dtype xdtype, int64_t n)
{
    (void)be;
    if (ydtype == xdtype)
        memcpy(y, x, (size_t)n * protea_dtype_bytes(xdtype));
    else
        stream(ydtype == PROTEA_BF16 ? f32_to_bf16 : bf16_to_f32, y, x, NULL, n);
}

void SIMD_NAME(protea_simd_fill_elementwise)(protea_kernels *k)
{
    k->relu = relu;
    k->relu_backward = relu_backward;
    k->add = add;
    k->convert = convert;
}
