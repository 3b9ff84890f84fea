#include "eval/tsne_forces.h"

#include <math.h>

enum { GROUP = PROTEA_MAP_GROUP, CHUNK = 1024 }; /* rows whose sums are made together */

protea_status protea_tsne_forces_new(protea_tsne_forces *f, int64_t n)
{
    f->n = n;
    PROTEA_TRY(protea_box_tree_new(&f->tree, n));
    PROTEA_TRY(protea_new(&f->pull, (size_t)n, 2 * sizeof *f->pull, "forces of a map"));
    PROTEA_TRY(protea_new(&f->push, (size_t)n, 2 * sizeof *f->push, "forces of a map"));
    return protea_new(&f->part, (size_t)f->tree.level[1], sizeof *f->part, "forces of a map");
}

void protea_tsne_forces_release(protea_tsne_forces *f)
{
    protea_box_tree_release(&f->tree);
    protea_free(f->pull);
    protea_free(f->push);
    protea_free(f->part);
}

/* A point is among those that push its leaf: at no distance, so without force, but with a q of 1. */
static void push_leaf(const protea_ctx *cx, protea_tsne_forces *f, int64_t leaf)
{
    protea_map_sums sums = { 0 };
    protea_box_tree_repel(cx, &sums, &f->tree, leaf);
    f->part[leaf] = 0;
    for (int64_t j = 0; j < GROUP && leaf * GROUP + j < f->n; j++) {
        int64_t i = f->tree.order[leaf * GROUP + j];
        f->push[2 * i] = (float)sums.x[j];
        f->push[2 * i + 1] = (float)sums.y[j];
        f->part[leaf] += sums.q[j] - 1;
    }
}

void protea_tsne_forces_at(const protea_ctx *cx, protea_tsne_forces *f, const protea_tsne_pairs *pairs, const float *x,
                           const float *y, double theta)
{
    const protea_kernels *k = &cx->be->k;
    const int64_t leaves = f->tree.level[1];
    protea_box_tree_build(&f->tree, x, y, theta);
#pragma omp parallel
    {
#pragma omp for schedule(dynamic, 8) nowait
        for (int64_t leaf = 0; leaf < leaves; leaf++)
            push_leaf(cx, f, leaf);
#pragma omp for schedule(dynamic, 128)
        for (int64_t i = 0; i < f->n; i++) {
            const float at[2] = { x[i], y[i] };
            k->attract(cx->be, f->pull + 2 * i, at, pairs->to + pairs->first[i], pairs->p + pairs->first[i],
                       pairs->first[i + 1] - pairs->first[i], x, y);
        }
    }
    f->z = 0;
    for (int64_t leaf = 0; leaf < leaves; leaf++)
        f->z += f->part[leaf];
}

/* Sum of p ln(p / q) over the pairs of some rows, and of p. */
typedef struct shares { double kl, p; } shares;

static shares shares_of(const protea_tsne_pairs *pairs, const float *x, const float *y, int64_t from, int64_t end)
{
    shares s = { 0, 0 };
    for (int64_t i = from; i < end; i++)
        for (int64_t e = pairs->first[i]; e < pairs->first[i + 1]; e++) {
            int64_t j = pairs->to[e];
            double dx = (double)x[i] - (double)x[j], dy = (double)y[i] - (double)y[j], p = (double)pairs->p[e];
            s.kl += p > 0 ? p * log(p * (1 + dx * dx + dy * dy)) : 0;
            s.p += p;
        }
    return s;
}

double protea_tsne_divergence(const protea_tsne_pairs *pairs, const float *x, const float *y, double z)
{
    double kl = 0, p = 0;
#pragma omp parallel for ordered schedule(static, 1)
    for (int64_t from = 0; from < pairs->n; from += CHUNK) {
        shares s = shares_of(pairs, x, y, from, from + CHUNK < pairs->n ? from + CHUNK : pairs->n);
#pragma omp ordered
        {
            kl += s.kl;
            p += s.p;
        }
    }
    return kl + p * log(z);
}
