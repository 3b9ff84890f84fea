/* Which layout an activation has and what computes a convolution pass: fixed rules on shape and instruction set, so that equal
 * runs give equal bits. */
#ifndef PROTEA_BACKEND_CPU_CONV_RULE_H
#define PROTEA_BACKEND_CPU_CONV_RULE_H

#include "backend/cpu/conv_own.h"

/* Channel block of an activation (kernels.h) that convolutions are fastest with. */
int64_t protea_block_rule(protea_dtype dtype, int64_t c, const protea_onednn_isa *isa);

/* What computes a pass. */
protea_conv_own protea_conv_rule(const protea_conv_dims *d, protea_conv_pass pass, const protea_cpu *cpu, protea_winograd_use use);

/* Which of oneDNN's where that is NONE of ours. */
protea_conv_algorithm protea_onednn_rule(const protea_conv_dims *d, const protea_onednn_isa *isa);

#endif
