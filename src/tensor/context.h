/* The context every call carries, and tensors: a pointer with a shape.
 *
 * Planning: a step can be run on paper. With cx->planning set, ops check shapes and allocate from counting arenas,
 * but no kernel runs and no element may be read or written; what the arenas counted is what a real step needs. */
#ifndef PROTEA_TENSOR_CONTEXT_H
#define PROTEA_TENSOR_CONTEXT_H

#include "backend/kernels.h"
#include "base/alloc.h"
#include "base/rng.h"

typedef struct protea_comm protea_comm;

typedef struct protea_ctx {
    protea_backend *be;     /* borrowed */
    protea_comm *comm;      /* borrowed; never NULL: one process is a comm of size 1 */
    protea_arena *kept;     /* this step's activations: from forward until the step ends */
    protea_arena *scratch;  /* a stack: whoever marks it releases it before returning */
    bool planning;
    protea_dtype compute;   /* of activations in the backbone: PROTEA_F32 or PROTEA_BF16 */
    int threads;
    uint64_t seed;
    protea_log_fn log;      /* may be NULL */
    void *log_cookie;
} protea_ctx;

void protea_log(const protea_ctx *cx, protea_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

enum { PROTEA_MAX_DIMS = 4 };

/* By value; owns nothing. Plain tensors are row-major f32 (or i32, i64, u8) with dim[0..n_dims).
 * Activations (native = true) have four dims (N,C,H,W), dtype f32 or bf16, and the back-end's layout. */
typedef struct protea_tensor {
    void *data;
    protea_dtype dtype;
    bool native;
    int n_dims;
    int64_t dim[PROTEA_MAX_DIMS];
    int64_t block; /* native: see backend/kernels.h */
} protea_tensor;

int64_t protea_count(const protea_tensor *t);
size_t protea_bytes(const protea_tensor *t);
static inline float *protea_f32(const protea_tensor *t) { return (float *)t->data; }
static inline int32_t *protea_i32(const protea_tensor *t) { return (int32_t *)t->data; }
protea_map protea_map_of(const protea_tensor *t); /* native, or plain rows (N,C) */

/* Where a temporary lives: KEPT until the step ends, or SCRATCH until the caller releases its mark. */
typedef enum protea_where { PROTEA_KEPT, PROTEA_SCRATCH } protea_where;

/* Allocates from the step's arenas; elements are not set. n_dims dims follow as an array. Checked products. */
protea_status protea_tensor_plain(protea_ctx *cx, protea_tensor *out, protea_where where, protea_dtype dtype, int n_dims,
                                  const int64_t *dim);
/* f32 rows (n,c): the commonest plain tensor. */
protea_status protea_tensor_rows(protea_ctx *cx, protea_tensor *out, protea_where where, int64_t n, int64_t c);
protea_status protea_tensor_native(protea_ctx *cx, protea_tensor *out, protea_where where, protea_dtype dtype, int64_t n,
                                   int64_t c, int64_t h, int64_t w);
/* Only the shape of a native tensor, with data NULL: for memory the caller has already. */
protea_status protea_native_shape(protea_ctx *cx, protea_tensor *out, protea_dtype dtype, int64_t n, int64_t c, int64_t h,
                                  int64_t w);
/* Same shape, dtype and layout as `like`. */
protea_status protea_tensor_like(protea_ctx *cx, protea_tensor *out, protea_where where, const protea_tensor *like);

/* Heap tensors, for parameters and buffers that outlive a step; zeroed f32. Free with protea_tensor_release. */
protea_status protea_tensor_new(protea_tensor *out, int n_dims, const int64_t *dim, const char *purpose);
protea_status protea_tensor_new_i32(protea_tensor *out, int n_dims, const int64_t *dim, const char *purpose);
void protea_tensor_release(protea_tensor *t);

/* Runs body(self) once on paper with counting arenas, then makes arenas of just that size for the steps to come; earlier
 * ones (cx->kept, cx->scratch: NULL or owned by the context) are freed. When body fails, cx is left as it was. Logs
 * nothing; *kept, *scratch (may be NULL) receive the sizes in bytes. */
protea_status protea_plan_arenas(protea_ctx *cx, protea_status (*body)(protea_ctx *cx, void *self), void *self, size_t *kept,
                                 size_t *scratch);

/* The same for steps of many shapes in turn: an arena that is large enough stays (so does what lies in it). */
protea_status protea_reserve_arenas(protea_ctx *cx, protea_status (*body)(protea_ctx *cx, void *self), void *self, size_t *kept,
                                    size_t *scratch);

/* Rows [first, first + n) of a plain tensor, as a view. */
protea_tensor protea_row_range(const protea_tensor *t, int64_t first, int64_t n);

#endif
