/* The hot paths on this machine: what `protea bench` measures. */
#ifndef PROTEA_API_BENCH_H
#define PROTEA_API_BENCH_H

#include "api/verb.h"

typedef struct protea_bench {
    protea_session *session;    /* borrowed */
    const protea_hooks *hooks;  /* borrowed */
    int64_t steps;              /* that are timed; a first one is not */
} protea_bench;

/* What a step was like. */
typedef struct protea_bench_result {
    double seconds;             /* median of the steps */
    int64_t views;              /* crops in a step */
    size_t kept, scratch;       /* bytes of the step's arenas */
} protea_bench_result;

/* A SwAV step as cli.md defines it: resnet18, 256 images in 2 crops of 32 and 4 of 20 pixels, head 512-2048-128, 3000
 * prototypes; forward, loss with Sinkhorn, backward, LARC. Crops lie ready in memory. */
protea_status protea_bench_swav(protea_bench_result *out, const protea_bench *b);

/* Forward, backward from a given gradient of the features, SGD with momentum. */
typedef struct protea_bench_net {
    const char *arch;
    bool small_stem;
    int64_t views, size;
} protea_bench_net;
protea_status protea_bench_resnet(protea_bench_result *out, const protea_bench *b, const protea_bench_net *net);

/* The convolutions of ResNet-18 at 512 views of 32 pixels, pass by pass. Fills layers (a list) and gflops, share_of_peak over
 * all of them; logs a table. The peak is protea_cpu_peak's, of the same run. */
protea_status protea_bench_conv(json_t *result, const protea_bench *b);

/* Runs step once and then b->steps times; *seconds: the median of these. Stops with PROTEA_STOPPED on request. */
protea_status protea_bench_time(double *seconds, const protea_bench *b, protea_status (*step)(void *self), void *self);

#endif
