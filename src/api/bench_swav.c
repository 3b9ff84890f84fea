/* `protea bench swav-step`: head 512-2048-128 and 3,000 prototypes are SwAV's defaults. */
#include "api/bench.h"

static protea_status step(protea_bench_result *out, const protea_bench *b)
{
    static const protea_bench_method setup = { .method = "swav", .arch = "resnet18", .images = 256, .n_groups = 2,
                                               .crops = { { 2, 32 }, { 4, 20 } }, .optimizer = PROTEA_OPTIM_LARC };
    return protea_bench_method_step(out, b, &setup);
}

const protea_bench_ops protea_bench_swav_step = {
    .name = "swav-step",
    .summary = "SwAV with ResNet-18, 256 images in 2 crops of 32 and 4 of 20 pixels: the whole step",
    .has_peer = true,
    .step = step,
};
