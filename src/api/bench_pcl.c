/* `protea bench pcl-step`: three granularities, 4,096 keys, 4,096 negative prototypes. */
#include <string.h>

#include "api/bench.h"
#include "base/rng.h"

/* Every image has a cluster of each granularity (the fewest clusters are 5,000), prototypes are random directions, all
 * concentrations are the temperature. */
static protea_status fill(void *self, const char *name, protea_tensor *t)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_METHOD, 0, 0, 0);
    (void)self;
    for (int64_t i = 0; t->dtype == PROTEA_I32 && i < protea_count(t); i++)
        protea_i32(t)[i] = (int32_t)protea_rng_below(&rng, 5000);
    for (int64_t i = 0; strncmp(name, "prototypes.", 11) == 0 && i < protea_count(t); i++)
        protea_f32(t)[i] = protea_rng_normal(&rng) * 0.088f; /* about 1 in 128 dimensions */
    for (int64_t i = 0; strncmp(name, "concentration.", 14) == 0 && i < protea_count(t); i++)
        protea_f32(t)[i] = 0.2f;
    if (strcmp(name, "clustering") == 0)
        protea_f32(t)[0] = 1; /* there are clusters */
    return PROTEA_OK;
}

static protea_status step(protea_bench_result *out, const protea_bench *b)
{
    static const char *const options[] = { "pcl_r", "4096", "num_cluster", "5000,10000,20000", "mlp", "true", NULL };
    static const protea_bench_method setup = { .method = "pcl", .arch = "resnet18", .options = options, .images = 256,
                                               .n_groups = 1, .crops = { { 2, 32 } }, .optimizer = PROTEA_OPTIM_SGD,
                                               .fill = fill };
    return protea_bench_method_step(out, b, &setup);
}

const protea_bench_ops protea_bench_pcl_step = {
    .name = "pcl-step",
    .summary = "PCL with ResNet-18, 256 images in 2 views of 32 pixels, 3 granularities: the whole step",
    .has_peer = true,
    .step = step,
};
