/* The hot paths on this machine: what `protea bench` measures. */
#ifndef PROTEA_API_BENCH_H
#define PROTEA_API_BENCH_H

#include "api/verb.h"
#include "base/clock.h"
#include "data/batch.h"
#include "optim/optim.h"

/* How much the steps of what was timed differed: the median absolute deviation as a share of the median. */
typedef struct protea_bench_spread {
    double sum, worst;
    double fastest;             /* step of the last timing, in seconds */
    int n;                      /* timings */
} protea_bench_spread;

typedef struct protea_bench {
    protea_session *session;    /* borrowed */
    const protea_hooks *hooks;  /* borrowed */
    int64_t steps;              /* that are timed; a first one is not */
    int64_t pairs;              /* of a timing and its peer's, in turns */
    bool peer, plain_peer;      /* time the peer at its best, and as it comes */
    double (*clock)(void);      /* protea_seconds or, for what runs on one thread, protea_core_seconds */
    double peak;                /* GFLOP/s of products in this precision on registers, measured in this run */
    protea_bench_spread *spread; /* of all timings so far; borrowed */
} protea_bench;

/* One unit of work (a step), timed. */
typedef struct protea_bench_result {
    double seconds;             /* median of the steps */
    int64_t count;              /* of what a step handles */
    const char *unit;           /* "views", "images": the rate's key is UNIT_per_second */
    size_t kept, scratch;       /* bytes of the step's arenas */
    double flops;               /* multiplications and additions of the step's convolutions or distances; 0: not counted */
} protea_bench_result;

/* The seam: one bench_NAME.c, one line in bench_list.h and, where there is a peer to time beside it, bench/peer_NAME.py, which
 * takes --dtype --layout --threads --steps --files and prints `seconds_per_step X rss_mib Y`, once for each row of a table.
 * One of step and report is set. */
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
/* Median of b->steps times, which are overwritten; their spread is noted. */
double protea_bench_settle(const protea_bench *b, double *times);
/* Of x (n), which is sorted by it; n >= 1. */
double protea_bench_median(double *x, int64_t n);

/* protea_plan_arenas, with sizes and flops noted in out. */
protea_status protea_bench_plan(protea_bench_result *out, const protea_bench *b,
                                protea_status (*body)(protea_ctx *cx, void *self), void *self);

/* Multiplications and additions of one pass. */
double protea_bench_conv_flops(const protea_conv_dims *d);

/* A peer's step beside ours. */
typedef struct protea_bench_beside {
    double seconds;             /* median of the pairs */
    double times, least, most;  /* how many times as fast we are: median of the pairs, and what they range over; 0: not told */
} protea_bench_beside;

/* One line of a table of timings. */
typedef struct protea_bench_row {
    double seconds;             /* of a step, median of the pairs */
    protea_bench_beside best, plain; /* the peer at its best, and as it comes; zeros without one */
} protea_bench_row;

/* Logs the peers' times beside ours and notes them in result; nothing without a peer. */
void protea_bench_report_peer(json_t *result, const protea_bench *b, const protea_bench_row *row);

/* Logs a row of count things a step as a rate, beside the peer's where there is one, and appends it to list. */
protea_status protea_bench_report_rate(json_t *list, const protea_bench *b, const char *name, const char *unit, int64_t count,
                                       const protea_bench_row *row);

/* Times the n rows of a table; when b->peer, b->pairs times in turns with bench/peer_NAME.py, so that a change of the machine's
 * speed meets both alike. files: a folder that the peer reads from, or NULL. */
typedef protea_status (*protea_bench_row_fn)(double *seconds, const protea_bench *b, int row, void *self);
protea_status protea_bench_turns(protea_bench_row *rows, int n, const protea_bench *b, const char *name, const char *files,
                                 protea_bench_row_fn time_row, void *self);

#endif
