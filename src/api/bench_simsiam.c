/* `protea bench simsiam-step`: the widths of the paper's CIFAR-10 network. */
#include "api/bench.h"

static protea_status step(protea_bench_result *out, const protea_bench *b)
{
    static const char *const options[] = { "proj_layers", "2", "proj_hidden", "2048", NULL };
    static const protea_bench_method setup = { .method = "simsiam", .arch = "resnet18", .options = options, .images = 256,
                                               .n_groups = 1, .crops = { { 2, 32 } }, .optimizer = PROTEA_OPTIM_SGD };
    return protea_bench_method_step(out, b, &setup);
}

const protea_bench_ops protea_bench_simsiam_step = {
    .name = "simsiam-step",
    .summary = "SimSiam with ResNet-18, 256 images in 2 views of 32 pixels, heads 2048 and 512 wide: the whole step",
    .has_peer = true,
    .step = step,
};
