/* The layers, each with forward and backward, and the networks made of them. *out: owned (protea_module_free).
 * rng (NULL: they are left 0, to be read) draws the initial weights in the order of construction (torchvision's and PyTorch's):
 * convolutions Kaiming normal, fan_out; linear layers U(-1/sqrt(fan_in), +1/sqrt(fan_in)), weight and bias;
 * batch-norm gamma 1, beta 0. */
#ifndef PROTEA_NN_LAYERS_H
#define PROTEA_NN_LAYERS_H

#include "nn/module.h"
#include "tensor/ops.h"

/* x (N,C,H,W) native -> y (N,O,OH,OW) native; no bias. Parameter "weight" (O,C,K,K). */
protea_status protea_conv_new(protea_module **out, int64_t in, int64_t out_channels, protea_conv_geometry g, protea_rng *rng);
/* Native activations or rows (then 1-D batch-norm over N). eps 1e-5, momentum 0.1 (running variance unbiased).
 * relu: fused activation. affine = false: no weight, no bias. Parameters "weight", "bias" (C); buffers "running_mean",
 * "running_var" (C), "num_batches_tracked" (1). */
protea_status protea_batchnorm_new(protea_module **out, int64_t channels, bool affine, bool relu);
protea_status protea_relu_new(protea_module **out, int64_t channels);
protea_status protea_max_pool_new(protea_module **out, int64_t channels, protea_conv_geometry g);
/* Native (N,C,H,W) -> rows (N,C). */
protea_status protea_mean_pool_new(protea_module **out, int64_t channels);
/* Rows (N,C) -> (N,O). Parameters "weight" (O,C), "bias" (O) if any. */
protea_status protea_linear_new(protea_module **out, int64_t in, int64_t out_features, bool bias, protea_rng *rng);
/* y = x / max(|x|, 1e-12) by rows. */
protea_status protea_l2norm_new(protea_module **out, int64_t features);
/* Runs parts (taken, also on failure) one after the other; part i is named names[i], or has no name of its own when it
 * holds no parameters. */
protea_status protea_sequential_new(protea_module **out, int n, protea_module **parts, const char *const *names);

/* ---- networks */
typedef struct protea_resnet_opts {
    char arch[32];        /* "resnet18" "resnet34" "resnet50" "resnet101", "resnet50w2|w4|w5", "resnet18-w16|-w32" */
    bool small_stem;      /* 3x3 stride 1, no max-pooling (CIFAR) instead of 7x7 stride 2 with it (ImageNet) */
    bool zero_init_residual; /* last gamma of each block starts at 0 (SimSiam) */
} protea_resnet_opts;

/* Plain f32 images (N,3,H,W) -> pooled features, rows (N,D). Torchvision's parameter names without fc:
 * conv1.weight, bn1.*, layer1.0.conv1.weight ... layer4.1.bn2.*, layerL.B.downsample.{0.weight,1.*}.
 * Activations are cx->compute, in the native layout from the first convolution to the pooling.
 * A forward without a tape keeps nothing in the kept arena but its output.
 * Errors: PROTEA_ERR_USAGE for an arch that is not one of the above, with the nearest. */
protea_status protea_resnet_new(protea_module **out, const protea_resnet_opts *opts, protea_rng *rng);
/* NULL-terminated list of arch names. */
const char *const *protea_resnet_archs(void);

/* A head: n_layers linear layers, a ReLU after each but the last. Names number the layers as PyTorch's Sequential of the
 * same head does, batch-norms and ReLUs counted; a single linear layer has no number. */
typedef struct protea_mlp_opts {
    int n_layers;              /* 1 to 4 */
    int64_t in, hidden, out;
    bool hidden_norm;          /* batch-norm between each hidden layer and its ReLU */
    bool hidden_bias, out_bias;
    bool out_norm;             /* batch-norm without weight and bias after the last layer (SimSiam's projector) */
} protea_mlp_opts;
protea_status protea_mlp_new(protea_module **out, const protea_mlp_opts *opts, protea_rng *rng);

/* SwAV's head (Caron et al. 2020, arXiv:2006.09882): Linear(in,hidden,bias) BN ReLU Linear(hidden,out,bias), or one Linear
 * when hidden is 0. Names 0, 1, 3 as in the reference (projection_head.0.weight ...). */
protea_status protea_mlp_head_new(protea_module **out, int64_t in, int64_t hidden, int64_t out_features, protea_rng *rng);

#endif
