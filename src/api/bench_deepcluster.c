/* `protea bench deepcluster-step`: three heads of 3,000 prototypes, as DeepCluster-v2's defaults are. */
#include "api/bench.h"
#include "base/rng.h"

/* Every image has a cluster of each head, and the prototypes are as they were drawn. */
static protea_status fill(void *self, const char *name, protea_tensor *t)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_METHOD, 0, 0, 0);
    (void)self;
    (void)name;
    for (int64_t i = 0; t->dtype == PROTEA_I32 && i < protea_count(t); i++)
        protea_i32(t)[i] = (int32_t)protea_rng_below(&rng, 3000);
    return PROTEA_OK;
}

static protea_status step(protea_bench_result *out, const protea_bench *b)
{
    static const protea_bench_method setup = { .method = "deepcluster-v2", .arch = "resnet18", .images = 256, .n_groups = 2,
                                               .crops = { { 2, 32 }, { 4, 20 } }, .optimizer = PROTEA_OPTIM_LARC, .fill = fill };
    return protea_bench_method_step(out, b, &setup);
}

const protea_bench_ops protea_bench_deepcluster_step = {
    .name = "deepcluster-step",
    .summary = "DeepCluster-v2 with ResNet-18, 256 images in 2 crops of 32 and 4 of 20 pixels: the whole step",
    .has_peer = true,
    .step = step,
};
