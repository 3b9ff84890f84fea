/* The back-end: kernels over raw pointers. Shapes are checked once above it (tensor/ops.c); kernels assume
 * they are valid. `cpu` fills the table with ref_* kernels, then SIMD and oneDNN overwrite what they support.
 *
 * Activations. Element (n,c,y,x) of an activation lies at
 *     (((n * (C/block) + c/block) * H + y) * W + x) * block + c % block
 * so block = 1 is NCHW, block = C is NHWC, and 8 or 16 are oneDNN's nChw8c and nChw16c. Which block an activation
 * has is the back-end's choice by dtype, channel count and instruction set (`block`); nothing above it looks.
 * Rows (N,C) are activations with H = W = 1 and block = C.
 *
 * Letters: N samples, C channels, HW = H*W, O output channels, G groups of samples with their own statistics.
 * Arguments: outputs, inputs, sizes. d* are derivatives of the loss. Pointers to activations are `void *`
 * of the map's dtype (f32 or bf16); parameters, statistics and their gradients are always f32.
 * Gradients of parameters are added to (dw +=), gradients of activations are assigned (dx =). */
#ifndef PROTEA_BACKEND_KERNELS_H
#define PROTEA_BACKEND_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/status.h"

typedef enum protea_dtype { PROTEA_F32, PROTEA_BF16, PROTEA_U8, PROTEA_I32, PROTEA_I64 } protea_dtype;

static inline size_t protea_dtype_bytes(protea_dtype dtype)
{
    static const unsigned char bytes[] = { 4, 2, 1, 4, 8 };
    return bytes[dtype];
}

/* Geometry of an activation. */
typedef struct protea_map {
    int64_t n, c, h, w;
    int64_t block;
    protea_dtype dtype;
} protea_map;

/* y (N,O,OH,OW) = x (N,C,H,W) * w (O,C,KH,KW), zero padding `pad` on all four sides, one stride for both directions.
 * x and y have the same dtype, which is also the arithmetic's (bf16: products of bf16, sums in f32; what is multiplied may be
 * transforms of x and w, rounded to bf16 once). */
typedef struct protea_conv_dims {
    protea_map x, y;
    int64_t kh, kw, stride, pad;
} protea_conv_dims;

typedef enum protea_conv_pass { PROTEA_CONV_FORWARD, PROTEA_CONV_BACKWARD_DATA, PROTEA_CONV_BACKWARD_WEIGHTS } protea_conv_pass;

/* Which sample belongs to which group of batch-norm statistics: group of sample n = (n / run) % groups.
 * run = N/groups: contiguous parts; run = 1: interleaved (SplitBN). */
typedef struct protea_groups {
    int64_t groups, run;
} protea_groups;

/* K centroids of D numbers; dtype is the products' (bf16: of values rounded to bf16, sums in f32). */
typedef struct protea_nearest_dims {
    int64_t k, d;
    protea_dtype dtype;
} protea_nearest_dims;

/* Row `row` and centroid `centroid`, and their score (see nearest). */
typedef struct protea_near {
    int32_t row, centroid;
    float score;
} protea_near;

/* Who takes what is near. */
typedef struct protea_near_sink {
    void *self;
    const float *limit;     /* by row: what scores below it is handed over; take may lower it */
    /* n of them at once. Called from many threads, but for one row always from the same. */
    void (*take)(void *self, const protea_near *near, int64_t n);
} protea_near_sink;

/* Points of the plane that push or pull others. */
enum { PROTEA_MAP_GROUP = 16 };
typedef struct protea_map_points {
    const float *x, *y;
    const float *mass;      /* how many points each stands for */
} protea_map_points;

/* Sums over what pushes or pulls a group: of the forces, and of mass * q. */
typedef struct protea_map_sums {
    double x[PROTEA_MAP_GROUP], y[PROTEA_MAP_GROUP], q[PROTEA_MAP_GROUP];
} protea_map_sums;

typedef enum protea_act { PROTEA_LINEAR, PROTEA_RELU } protea_act;

/* How a convolution for inference ends: y = act(sums + bias), or act(sums + bias + y) when it adds. */
typedef struct protea_conv_ending {
    bool add;
    protea_act act;
} protea_conv_ending;

typedef struct protea_backend protea_backend;
enum { PROTEA_ROWS_AT_ONCE = 4 };

typedef struct protea_kernels {
    /* Channel block of an activation with c channels. */
    int64_t (*block)(const protea_backend *be, protea_dtype dtype, int64_t c);

    /* ---- edges: between plain f32 NCHW and the native layout */
    void (*to_native)(protea_backend *be, void *y, const protea_map *ymap, const float *x);
    void (*from_native)(protea_backend *be, float *y, const void *x, const protea_map *xmap);

    /* ---- convolution; w, dw: f32 (O,C,KH,KW) in plain order (the masters). scratch: conv_scratch bytes, 64-aligned.
     * Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INTERNAL (with oneDNN's status). */
    protea_status (*conv_scratch)(protea_backend *be, size_t *bytes, const protea_conv_dims *d, protea_conv_pass pass);
    protea_status (*conv_forward)(protea_backend *be, void *y, const void *x, const float *w, const protea_conv_dims *d,
                                  void *scratch);
    protea_status (*conv_backward_data)(protea_backend *be, void *dx, const void *dy, const float *w,
                                        const protea_conv_dims *d, void *scratch);
    protea_status (*conv_backward_weights)(protea_backend *be, float *dw, const void *dy, const void *x,
                                           const protea_conv_dims *d, void *scratch);

    /* ---- convolution for inference: of weights and bias (O) that were laid out once for these dims and this ending (bf16: of
     * weights rounded to bf16; y is rounded once). packed, scratch: so many bytes, 64-aligned. Errors: as above. */
    protea_status (*conv_fused_bytes)(protea_backend *be, size_t *packed, size_t *scratch, const protea_conv_dims *d,
                                      protea_conv_ending ending);
    protea_status (*conv_fused_pack)(protea_backend *be, void *packed, const float *w, const float *bias, const protea_conv_dims *d,
                                     protea_conv_ending ending, void *scratch);
    protea_status (*conv_fused)(protea_backend *be, void *y, const void *x, void *packed, const protea_conv_dims *d,
                                protea_conv_ending ending, void *scratch);

    /* ---- batch-norm, in parts so that ranks can merge statistics between them.
     * mean, var (G,C): biased variance of each group. */
    void (*bn_stats)(protea_backend *be, float *mean, float *var, const void *x, const protea_map *m,
                     const protea_groups *g);
    /* y = act(x * scale[g][c] + shift[g][c] + residual); residual may be NULL; y may be x or residual. */
    void (*bn_apply)(protea_backend *be, void *y, const void *x, const void *residual, const float *scale,
                     const float *shift, const protea_map *m, const protea_groups *g, protea_act act);
    /* dz = dy where the activation let through, else 0. PROTEA_RELU: by y > 0 when y is given (needed with a
     * residual), else by x * scale + shift > 0, recomputed. sum_dz, sum_dz_x (G,C) f64: sums over the group of dz and
     * of dz * (x - mean). */
    void (*bn_backward_reduce)(protea_backend *be, double *sum_dz, double *sum_dz_x, const void *x, const void *y,
                               const void *dy, const float *mean, const float *scale, const float *shift,
                               const protea_map *m, const protea_groups *g, protea_act act);
    /* dx = a[g][c] * dz + b[g][c] * x + k[g][c]; d_residual = dz where given (may be dy itself).
     * dx may be dy (then d_residual must not be) or a buffer of its own. */
    void (*bn_backward_apply)(protea_backend *be, void *dx, void *d_residual, const void *x, const void *y, const void *dy,
                              const float *a, const float *b, const float *k, const float *scale, const float *shift,
                              const protea_map *m, const protea_groups *g, protea_act act);

    /* ---- element by element, n elements of dtype */
    void (*relu)(protea_backend *be, void *y, const void *x, int64_t n, protea_dtype dtype);
    void (*relu_backward)(protea_backend *be, void *dx, const void *y, const void *dy, int64_t n, protea_dtype dtype);
    void (*add)(protea_backend *be, void *y, const void *a, const void *b, int64_t n, protea_dtype dtype); /* y may be a */
    void (*convert)(protea_backend *be, void *y, protea_dtype ydtype, const void *x, protea_dtype xdtype, int64_t n);

    /* ---- pooling. max: window k, stride, padding as a convolution's; where (as y) u8: position in the window. */
    void (*max_pool)(protea_backend *be, void *y, uint8_t *where, const void *x, const protea_conv_dims *d);
    void (*max_pool_backward)(protea_backend *be, void *dx, const void *dy, const uint8_t *where, const protea_conv_dims *d);
    /* y (N,C) f32 rows: mean over H and W. */
    void (*mean_pool)(protea_backend *be, float *y, const void *x, const protea_map *m);
    void (*mean_pool_backward)(protea_backend *be, void *dx, const float *dy, const protea_map *m);

    /* ---- dense, f32 rows. c (M,N) = alpha * op(a) op(b) + beta * c, row-major, leading dimensions as given;
     * op(a) is (M,K): a is (K,M) when ta, op(b) is (K,N): b is (N,K) when tb. */
    protea_status (*gemm)(protea_backend *be, float *c, const float *a, const float *b, bool ta, bool tb, int64_t m,
                          int64_t n, int64_t k, float alpha, float beta, int64_t lda, int64_t ldb, int64_t ldc);
    /* y[i] += bias for each of n rows of c; and its backward: dbias += column sums of dy. */
    void (*add_bias)(protea_backend *be, float *y, const float *bias, int64_t n, int64_t c);
    void (*bias_backward)(protea_backend *be, float *dbias, const float *dy, int64_t n, int64_t c);
    /* y = x / max(|x|, 1e-12) by rows; norm (N) is what was divided by. dx = (dy - y (y.dy)) / norm. */
    void (*l2norm)(protea_backend *be, float *y, float *norm, const float *x, int64_t n, int64_t c);
    void (*l2norm_backward)(protea_backend *be, float *dx, const float *y, const float *norm, const float *dy, int64_t n,
                            int64_t c);
    /* p = softmax(x * scale) by rows, log_sum (N) = log sum exp(x * scale) (maximum subtracted inside);
     * p may be x or NULL. */
    void (*softmax)(protea_backend *be, float *p, float *log_sum, const float *x, float scale, int64_t n, int64_t c);

    /* ---- vectors of n numbers, f32 unless said, on one thread: who calls shares the work. */
    /* max = the larger of max and x, one by one; whether all of x is finite. */
    bool (*max_of)(protea_backend *be, float *max, const float *x, int64_t n);
    /* y = exp((x - less) * scale), and sum += y; y may be x. The difference is rounded to f32; what follows has a relative
     * error below 2e-7 in the normal range. */
    void (*exp_less)(protea_backend *be, float *y, float *sum, const float *x, const float *less, float scale, int64_t n);
    /* The same with one number to subtract, and with results that count in the sum by a weight: sum += weight * y. y is not x.
     * away: y is much more than caches hold, and is written past them. What follows x in memory is fetched meanwhile. */
    void (*exp_below)(protea_backend *be, float *y, float *sum, const float *x, float top, float scale, float weight, int64_t n,
                      bool away);
    /* The largest of x, n > 0; NaN or an infinity where not all of x is finite. */
    float (*largest)(protea_backend *be, const float *x, int64_t n);
    /* Of 1 to PROTEA_ROWS_AT_ONCE rows; what lies as many rows further is fetched meanwhile.
     * out[r] = row r . u;  sum += the rows, each times its v;  row r = v[r] row r u, one by one. */
    void (*dot_rows)(protea_backend *be, double *out, float *const *rows, int count, const float *u, int64_t n);
    void (*add_rows)(protea_backend *be, float *sum, const float *v, float *const *rows, int count, int64_t n);
    void (*scale_rows)(protea_backend *be, float *const *rows, const float *v, int count, const float *u, int64_t n);
    double (*dot)(protea_backend *be, const float *a, const float *b, int64_t n);
    /* w . x and w += a x; products and sums in f64, as if x were. */
    double (*dot_wide)(protea_backend *be, const double *w, const float *x, int64_t n);
    void (*axpy_wide)(protea_backend *be, double *w, double a, const float *x, int64_t n);

    /* ---- nearest centroid without writing the distances. A pack holds K centroids (K,D) less `centre` (D), which makes the
     * products small where all rows are far from 0: the nearest centroid of x is that with the least
     * |c - m|^2 - 2 (x - m).(c - m). pack: nearest_bytes, 64-aligned; it also has the threads' scratch, for as many as are
     * set when its size is asked. */
    size_t (*nearest_bytes)(const protea_backend *be, const protea_nearest_dims *dims);
    void (*nearest_pack)(protea_backend *be, void *pack, const float *centroids, const float *centre,
                         const protea_nearest_dims *dims);
    /* index (n): for row i of x, or row rows[i] where rows is given, the nearest centroid; the first of equals. score (n, or
     * NULL): the least value of the above. A value depends on row and centroid only, to the bit, not on which others there are. */
    void (*nearest)(protea_backend *be, int32_t *index, float *score, const float *x, const int64_t *rows, int64_t n, void *pack,
                    const protea_nearest_dims *dims);
    /* Every one of the n rows of x and every centroid whose score is below the row's limit, in no stated order; values finite.
     * A score differs from the exact one of the (rounded) values by at most (D + 8) 2^-24 (|x - m| + |c - m|)^2. */
    void (*nearest_below)(protea_backend *be, const protea_near_sink *sink, const float *x, int64_t n, void *pack,
                          const protea_nearest_dims *dims);
    /* sum (D) += weights[r] * x[r] over the n rows r in `rows` (weights NULL: 1); returns the sum of
     * weights[r] * |x[r] - c|^2, c (D). Called from many threads at once. */
    double (*cluster_sum)(const protea_backend *be, double *sum, const float *x, const int64_t *rows, const float *weights,
                          const float *c, int64_t n, int64_t d);
    /* |a - b|^2, from the differences. Called from many threads at once. */
    double (*squared_distance)(const protea_backend *be, const float *a, const float *b, int64_t d);

    /* ---- forces in a map, between points a and b with q = 1 / (1 + |a - b|^2). Called from many threads at once.
     * repel: onto each of the PROTEA_MAP_GROUP points (x,y) from n others: sums += mass q^2 (a - b), and mass q. */
    void (*repel)(const protea_backend *be, protea_map_sums *sums, const float *x, const float *y, const protea_map_points *from,
                  int64_t n);
    /* attract: force (2) = sum of p[j] q (a - b) onto the point a from n points, b[j] being number to[j] of (x,y); n is a
     * multiple of PROTEA_MAP_GROUP. */
    void (*attract)(const protea_backend *be, float *force, const float *a, const int32_t *to, const float *p, int64_t n,
                    const float *x, const float *y);
} protea_kernels;

/* Which convolutions may go by our own Winograd. */
typedef enum protea_winograd_use {
    PROTEA_WINOGRAD_CLOSE,  /* whose rounding is about that of a sum over taps */
    PROTEA_WINOGRAD_FAST,   /* in bf16 also those that round with three bits less (--precision fast) */
    PROTEA_WINOGRAD_NONE    /* for comparisons to many digits */
} protea_winograd_use;

struct protea_backend {
    protea_kernels k;
    char isa[96];           /* what the kernels were chosen for, for logs and checkpoints: "avx512_bf16+amx, oneDNN 2.6.3" */
    bool bf16_multiplies;   /* the CPU multiplies bf16 */
    bool bf16_pays;         /* and faster than f32 */
    bool has_fast;          /* and PROTEA_WINOGRAD_FAST is another choice than PROTEA_WINOGRAD_CLOSE, and a faster one */
    protea_winograd_use winograd; /* set before the first convolution */
    void *self;             /* the back-end's own */
    void (*close)(protea_backend *be);
};

/* Instruction sets of the CPU back-end's own kernels, slowest first. */
typedef enum protea_isa {
    PROTEA_ISA_BEST = -1, PROTEA_ISA_REF, PROTEA_ISA_SSE2, PROTEA_ISA_AVX2, PROTEA_ISA_AVX512 /* no AMX */
} protea_isa;

/* Opens the CPU back-end with kernels up to `most` (PROTEA_ISA_REF: the plain reference kernels only, no oneDNN;
 * blocks are then chosen as for AVX2). *out: owned. Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INTERNAL. */
protea_status protea_backend_cpu_open(protea_backend **out, protea_isa most);
void protea_backend_close(protea_backend *be); /* accepts NULL */

#endif
