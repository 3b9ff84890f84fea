/* The hot paths on this machine: what `protea bench` measures. */
#ifndef PROTEA_API_BENCH_H
#define PROTEA_API_BENCH_H

#include "api/verb.h"
#include "data/batch.h"
#include "optim/optim.h"

typedef struct protea_bench {
    protea_session *session;    /* borrowed */
    const protea_hooks *hooks;  /* borrowed */
    int64_t steps;              /* that are timed; a first one is not */
} protea_bench;

/* One unit of work (a step), timed. */
typedef struct protea_bench_result {
    double seconds;             /* median of the steps */
    int64_t count;              /* of what a step handles */
    const char *unit;           /* "views", "images": the rate's key is UNIT_per_second */
    size_t kept, scratch;       /* bytes of the step's arenas */
} protea_bench_result;

/* The seam: one bench_NAME.c, one line in bench_list.h and, where there is a peer to time beside it, bench/peer_NAME.py, which
 * takes --dtype --layout --threads --steps and prints `seconds_per_step X rss_mib Y`. One of step and report is set. */
typedef struct protea_bench_ops {
    const char *name, *summary;
    bool has_peer;
    protea_status (*step)(protea_bench_result *out, const protea_bench *b);
    /* Logs a table of its own and fills result. */
    protea_status (*report)(json_t *result, const protea_bench *b);
} protea_bench_ops;

/* A step of a method through its seam: loss, backward, optimiser, with crops ready in memory. */
typedef struct protea_bench_method {
    const char *method, *arch;
    const char *const *options; /* key, value ... NULL: where they differ from the method's defaults; may be NULL */
    int64_t images;
    int n_groups;
    struct { int views; int64_t size; } crops[PROTEA_MAX_GROUPS];
    int32_t optimizer;          /* PROTEA_OPTIM_... */
    /* Sets the method's buffers to what epochs of training would have left (clusters); called by name. May be NULL. */
    protea_status (*fill)(void *self, const char *name, protea_tensor *t);
} protea_bench_method;
protea_status protea_bench_method_step(protea_bench_result *out, const protea_bench *b, const protea_bench_method *setup);

/* Runs step once and then b->steps times; *seconds: the median of these. Stops with PROTEA_STOPPED on request. */
protea_status protea_bench_time(double *seconds, const protea_bench *b, protea_status (*step)(void *self), void *self);
/* Of x (n), which is sorted by it; n >= 1. */
double protea_bench_median(double *x, int64_t n);

#endif
