/* A pass of the gradient of the weights: what it works on, and where each thread keeps what. */
#ifndef PROTEA_BACKEND_CPU_WINOGRAD_WEIGHTS_JOB_H
#define PROTEA_BACKEND_CPU_WINOGRAD_WEIGHTS_JOB_H

#include "backend/cpu/winograd_parts.h"

#include "base/parallel.h"

enum {
    ROWS = LANES / 2,               /* outputs that the innermost loop computes, of WIDE inputs */
    BLOCK = 64,                     /* outputs and inputs of a task */
    OWN_TILES = 56,                 /* of a chunk when threads have their own, about */
    SHARED_BYTES = 8 << 20,         /* of a chunk that all share, about */
    MANY = 128 * 128                /* inputs times outputs from where on chunks are shared */
};

typedef struct job {
    const protea_conv_dims *d;
    const void *x, *dy;
    float *dw;
    tiling t;
    bool shared;
    int64_t parts;                  /* of the batch, each with sums of its own: as many as threads, or one */
    int64_t tall;                   /* strips of a chunk */
    int64_t tiles;                  /* of a chunk at most, rounded up to whole pairs */
    int64_t x_step, y_step;         /* words from position to position */
    int64_t tasks;
    char *scratch;
} job;

/* A task's channels. */
typedef struct block {
    int64_t in, ins, out, outs;
} block;

static inline block block_of(const job *k, int64_t task)
{
    int64_t across = over(k->d->x.c, BLOCK), in = task % across * BLOCK, out = task / across * BLOCK;
    return (block){ in, smaller(BLOCK, k->d->x.c - in), out, smaller(BLOCK, k->d->y.c - out) };
}

static inline int64_t task_sums(const tiling *t)
{
    return t->positions * BLOCK * BLOCK;
}

static inline job make_job(const protea_conv_dims *d, int tile)
{
    job k = { .d = d, .t = tiling_of(&d->x, tile), .shared = d->x.c * d->y.c >= MANY };
    int64_t shared_tiles = SHARED_BYTES / (k.t.positions * (d->x.c + d->y.c) * (int64_t)sizeof(word));
    k.parts = k.shared ? 1 : protea_threads();
    int64_t most = larger(1, (k.shared ? shared_tiles : OWN_TILES) / k.t.across);
    int64_t strips = over(k.t.strips, k.parts);
    k.tall = over(strips, over(strips, most));
    k.tiles = over(k.tall * k.t.across, PAIR) * PAIR;
    k.x_step = position_step(k.tiles * d->x.c, sizeof(word));
    k.y_step = position_step(k.tiles * d->y.c, sizeof(word));
    k.tasks = over(d->x.c, BLOCK) * over(d->y.c, BLOCK);
    return k;
}

/* A thread's own: columns, the even tile of a pair, sums. */
static inline size_t room_bytes(const job *k)
{
    return columns_bytes(&k->t) + (size_t)k->t.positions * sizeof(vf) +
           (size_t)((k->shared ? 1 : k->tasks) * task_sums(&k->t)) * sizeof(float);
}

/* A chunk: x, y. */
static inline size_t x_bytes(const job *k)
{
    return lines((size_t)(k->t.positions * k->x_step) * sizeof(word));
}

static inline size_t chunk_bytes(const job *k)
{
    return x_bytes(k) + lines((size_t)(k->t.positions * k->y_step) * sizeof(word));
}

/* Where a thread works. */
typedef struct place {
    vf *columns, *even;
    float *sums;
    word *x, *y;
} place;

static inline place place_of(const job *k, int64_t thread)
{
    char *room = k->scratch + room_bytes(k) * (size_t)thread, *even = room + columns_bytes(&k->t);
    char *chunk = k->scratch + room_bytes(k) * (size_t)protea_threads() + (k->shared ? 0 : chunk_bytes(k) * (size_t)thread);
    return (place){ (vf *)(void *)room, (vf *)(void *)even, (float *)(void *)(even + (size_t)k->t.positions * sizeof(vf)),
                    (word *)(void *)chunk, (word *)(void *)(chunk + x_bytes(k)) };
}

#endif
