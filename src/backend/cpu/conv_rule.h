/* Which layout an activation has and which algorithm a convolution pass takes: fixed rules on shape and instruction set. */
#ifndef PROTEA_BACKEND_CPU_CONV_RULE_H
#define PROTEA_BACKEND_CPU_CONV_RULE_H

#include "backend/cpu/onednn.h"

/* Channel block of an activation (kernels.h) that oneDNN is fastest with. */
int64_t protea_block_rule(protea_dtype dtype, int64_t c, const protea_onednn_isa *isa);

protea_conv_algorithm protea_conv_rule(const protea_conv_dims *d, protea_conv_pass pass, const protea_onednn_isa *isa);

#endif
