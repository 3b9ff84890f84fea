/* A pass of Winograd's convolution: what it works on, and how its scratch is laid out. */
#ifndef PROTEA_BACKEND_CPU_WINOGRAD_CONV_JOB_H
#define PROTEA_BACKEND_CPU_WINOGRAD_CONV_JOB_H

#include "backend/cpu/winograd_parts.h"

#include "base/parallel.h"

enum {
    OUTPUTS = 64,                   /* of one round over a thread's tiles */
    ROWS = LANES == 16 ? 14 : 6,    /* tiles that the innermost loop computes, WIDE outputs of each: sums, two rows of weights
                                     * and one of v fill the registers */
    TILES = 56,                     /* of a thread's block, about; */
    FEW_TILES = 28,                 /* where the weights stay in the second cache, and sums nearer: 2 to 5 % faster */
    FEW_WEIGHTS = 512 << 10         /* bytes */
};

typedef struct job {
    const protea_map *in, *out;     /* maps that are read and written */
    const void *x;
    void *y;
    const float *w;
    word *u;                        /* transformed weights */
    bool turned;                    /* backward-data */
    const float *bias;              /* (outputs) of inference, which has an ending; else NULL */
    protea_conv_ending ending;
    tiling t;
    int64_t tall;                   /* strips of a block */
    int64_t v_step, s_step;         /* words, sums from position to position */
} job;

static inline int64_t outputs_at(const job *k, int64_t first)
{
    return smaller(OUTPUTS, k->out->c - first);
}

static inline size_t weight_bytes(const job *k)
{
    return lines((size_t)(k->t.positions * k->in->c * k->out->c) * sizeof(word));
}

/* So many strips a block that the last round of blocks keeps all threads busy. */
static inline int64_t strips_of_block(const job *k)
{
    const tiling *t = &k->t;
    int64_t tiles = weight_bytes(k) <= FEW_WEIGHTS ? FEW_TILES : TILES;
    int64_t threads = protea_threads(), most = larger(1, tiles / t->across);
    int64_t blocks = over(over(t->strips, most), threads) * threads;
    return over(t->strips, blocks);
}

static inline job make_job(const protea_conv_dims *d, protea_conv_pass pass, int tile)
{
    bool turned = pass == PROTEA_CONV_BACKWARD_DATA;
    job k = { .in = turned ? &d->y : &d->x, .out = turned ? &d->x : &d->y, .turned = turned, .t = tiling_of(&d->x, tile) };
    k.tall = strips_of_block(&k);
    k.v_step = position_step(k.tall * k.t.across * k.in->c, sizeof(word));
    k.s_step = position_step(k.tall * k.t.across * over(smaller(OUTPUTS, k.out->c), WIDE) * WIDE, sizeof(float));
    return k;
}

/* A thread's room: columns, v, s. */
static inline size_t v_bytes(const job *k)
{
    return lines((size_t)(k->t.positions * k->v_step) * sizeof(word));
}

static inline size_t room_bytes(const job *k)
{
    return columns_bytes(&k->t) + v_bytes(k) + lines((size_t)(k->t.positions * k->s_step) * sizeof(float));
}

#endif
