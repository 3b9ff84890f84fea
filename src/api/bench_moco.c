/* `protea bench moco-step`: MoCo v2's head and MoCo's queue for CIFAR-10. Batch-norm is over the whole batch, as PyTorch has it. */
#include "api/bench.h"

static protea_status step(protea_bench_result *out, const protea_bench *b)
{
    static const char *const options[] = { "mlp", "true", "moco_k", "4096", "bn_splits", "1", NULL };
    static const protea_bench_method setup = { .method = "moco", .arch = "resnet18", .options = options, .images = 256,
                                               .n_groups = 1, .crops = { { 2, 32 } }, .optimizer = PROTEA_OPTIM_SGD };
    return protea_bench_method_step(out, b, &setup);
}

const protea_bench_ops protea_bench_moco_step = {
    .name = "moco-step",
    .summary = "MoCo with ResNet-18, 256 images in 2 views of 32 pixels, 4,096 keys: the whole step",
    .has_peer = true,
    .step = step,
};
