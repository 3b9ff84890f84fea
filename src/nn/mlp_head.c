/* SwAV's projection head (Caron et al. 2020, arXiv:2006.09882; methods.md 1.1): Linear, batch-norm and ReLU, Linear. */
#include "nn/layers.h"

protea_status protea_mlp_head_new(protea_module **out, int64_t in, int64_t hidden, int64_t out_features, protea_rng *rng)
{
    static const char *const names[] = { "0", "1", "3" }; /* 2 is the ReLU, here part of 1 */
    protea_module *part[3] = { NULL };
    if (hidden == 0)
        return protea_linear_new(out, in, out_features, true, rng);
    *out = NULL;
    protea_status status = protea_linear_new(&part[0], in, hidden, true, rng);
    if (status == PROTEA_OK)
        status = protea_batchnorm_new(&part[1], hidden, true, true);
    if (status == PROTEA_OK)
        status = protea_linear_new(&part[2], hidden, out_features, true, rng);
    if (status == PROTEA_OK)
        return protea_sequential_new(out, 3, part, names);
    for (int i = 0; i < 3; i++)
        protea_module_free(part[i]);
    return status;
}
