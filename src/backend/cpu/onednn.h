/* The door to oneDNN. Its types stay behind it, so that another major version is another implementation of this header
 * (onednn_v2.c is for 2.x, with operation descriptors and Winograd). */
#ifndef PROTEA_BACKEND_CPU_ONEDNN_H
#define PROTEA_BACKEND_CPU_ONEDNN_H

#include "backend/kernels.h"

/* What oneDNN dispatches to in this process. */
typedef struct protea_onednn_isa {
    const char *name;       /* "avx512_core_amx" */
    bool avx2, avx512, bf16 /* multiplies bf16 */, amx;
} protea_onednn_isa;

typedef enum protea_conv_algorithm { PROTEA_CONV_DIRECT, PROTEA_CONV_WINOGRAD } protea_conv_algorithm;

typedef struct protea_onednn protea_onednn;

/* most holds only when no primitive was made in this process before: oneDNN settles its instruction set once.
 * Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INTERNAL. */
protea_status protea_onednn_open(protea_onednn **out, protea_isa most);
void protea_onednn_close(protea_onednn *o); /* accepts NULL */
const protea_onednn_isa *protea_onednn_isa_of(const protea_onednn *o);
/* "2.6.3"; out has at least 16 bytes. */
void protea_onednn_version(char *out, size_t size);

/* c (M,N) = alpha op(a) op(b) + beta c, row-major; see kernels.h. */
protea_status protea_onednn_gemm(float *c, const float *a, const float *b, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                                 float alpha, float beta, int64_t lda, int64_t ldb, int64_t ldc);

/* One pass of one convolution, ready to run on the number of threads that was set when it was made. */
typedef struct protea_conv_plan protea_conv_plan;

/* Makes a plan. An algorithm that oneDNN has not for these dims becomes DIRECT. ending: of a forward pass for inference, which
 * has a bias; NULL: none. */
protea_status protea_conv_plan_new(protea_conv_plan **out, protea_onednn *o, const protea_conv_dims *d, protea_conv_pass pass,
                                   const protea_conv_ending *ending, protea_conv_algorithm algorithm);
void protea_conv_plan_free(protea_conv_plan *plan); /* accepts NULL */
/* Bytes of scratch that a run needs. */
size_t protea_conv_plan_scratch(const protea_conv_plan *plan);
/* oneDNN's name of the implementation, e.g. "jit:avx512_core"; one that contains "ref" is a thousand times slower. */
const char *protea_conv_plan_name(const protea_conv_plan *plan);
/* x, y: the activations or their gradients; w: the masters (O,C,KH,KW), or their gradient, which is added to.
 * The pass says which of the three is written. */
protea_status protea_conv_plan_run(protea_conv_plan *plan, void *x, float *w, void *y, void *scratch);

/* The same in two parts, of a plan with an ending: weights laid out (packed: protea_conv_plan_packed bytes), then as many runs as
 * wanted. */
size_t protea_conv_plan_packed(const protea_conv_plan *plan);
protea_status protea_conv_plan_pack(protea_conv_plan *plan, void *packed, float *w, void *scratch);
protea_status protea_conv_plan_run_packed(protea_conv_plan *plan, void *x, void *packed, float *bias, void *y, void *scratch);

#endif
