/* Passes of convolutions that are our own: on AMX (amx.h), by Winograd's filtering (winograd.h), and gradients of weights summed
 * up on vectors (direct_weights.h). */
#ifndef PROTEA_BACKEND_CPU_CONV_OWN_H
#define PROTEA_BACKEND_CPU_CONV_OWN_H

#include "backend/cpu/cpu.h"

/* NONE: oneDNN computes the pass. DIRECT: the sum itself, backward-weights only. F2, F4: tiles of 2 x 2 or 4 x 4 outputs. Each with
 * products of bf16 or of f32. */
typedef enum protea_conv_own {
    PROTEA_OWN_NONE, PROTEA_OWN_AMX, PROTEA_OWN_DIRECT_BF16, PROTEA_OWN_DIRECT_F32, PROTEA_OWN_F2_BF16, PROTEA_OWN_F4_BF16,
    PROTEA_OWN_F4_F32
} protea_conv_own;

/* "protea:F2x2 bf16"; borrowed for good. */
const char *protea_own_name(protea_conv_own own);
/* The functions of kernels.h; own is not NONE, and takes d (protea_own_takes). */
size_t protea_own_scratch(const protea_cpu *cpu, protea_conv_own own, const protea_conv_dims *d, protea_conv_pass pass);
void protea_own_forward(const protea_cpu *cpu, protea_conv_own own, void *y, const void *x, const float *w,
                        const protea_conv_dims *d, void *scratch);
void protea_own_backward_data(const protea_cpu *cpu, protea_conv_own own, void *dx, const void *dy, const float *w,
                              const protea_conv_dims *d, void *scratch);
void protea_own_backward_weights(const protea_cpu *cpu, protea_conv_own own, float *dw, const void *dy, const void *x,
                                 const protea_conv_dims *d, void *scratch);

/* For inference, by Winograd only: sizes and functions of kernels.h, the bias apart; packed has no room for it. */
size_t protea_own_packed(const protea_cpu *cpu, protea_conv_own own, const protea_conv_dims *d);
void protea_own_pack(const protea_cpu *cpu, protea_conv_own own, void *packed, const float *w, const protea_conv_dims *d);
void protea_own_fused(const protea_cpu *cpu, protea_conv_own own, void *y, const void *x, const void *packed, const float *bias,
                      const protea_conv_dims *d, protea_conv_ending ending, void *scratch);

/* Whether this machine has it (not asked of AMX) and it can compute d. */
bool protea_own_takes(const protea_cpu *cpu, protea_conv_own own, const protea_conv_dims *d);

#endif
