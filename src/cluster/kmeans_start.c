/* Where k-means starts: rows drawn at random, or far from one another. */
#include "cluster/kmeans_points.h"

#include <float.h>
#include <string.h>

/* Knuth, TAOCP 2, algorithm 3.4.2 S. */
void protea_draw_distinct(protea_rng *rng, int64_t *which, int64_t wanted, int64_t n)
{
    int64_t taken = 0;
    for (int64_t i = 0; i < n && taken < wanted; i++)
        if (protea_rng_below(rng, (uint64_t)(n - i)) < (uint64_t)(wanted - taken))
            which[taken++] = i;
}

static protea_status start_random(const protea_points *p, float *centroids, int64_t k, protea_rng *rng)
{
    int64_t *which;
    size_t row_bytes = (size_t)p->d * sizeof *centroids;
    PROTEA_TRY(protea_new(&which, (size_t)k, sizeof *which, "rows to start from"));
    protea_draw_distinct(rng, which, k, p->n);
    for (int64_t j = 0; j < k; j++)
        memcpy(centroids + j * p->d, p->x + protea_point_row(p, which[j]) * p->d, row_bytes);
    protea_free(which);
    return PROTEA_OK;
}

/* ---- k-means++: each next row with probability proportional to weight * squared distance from the nearest before it.
 * Between a row and its nearest lies D; a new centroid that is at least 2 D away from that nearest cannot be nearer (triangle
 * inequality), so most rows are not looked at again. */
enum { BLOCK = 1024 };

typedef struct spread {
    const protea_ctx *cx;
    const protea_points *p;
    float *centroids;       /* (k,d) */
    double *distance;       /* (n) squared, to the nearest centroid so far */
    int32_t *owner;         /* (n) which that is */
    double *between;        /* (k) squared, from the newest centroid to each before it */
    double *block_mass;     /* (blocks) sum of weight * distance */
    int64_t n_blocks;
} spread;

static double squared_distance(const spread *s, const float *a, const float *b)
{
    return s->cx->be->k.squared_distance(s->cx->be, a, b, s->p->d);
}

static double weight_of(const spread *s, int64_t i)
{
    return s->p->weights != NULL ? (double)s->p->weights[protea_point_row(s->p, i)] : 1;
}

static int64_t block_end(const spread *s, int64_t block)
{
    int64_t end = (block + 1) * BLOCK;
    return end < s->p->n ? end : s->p->n;
}

/* Brings distances and masses up to date with centroid j. */
static void look_again(spread *s, int64_t j)
{
    const float *newest = s->centroids + j * s->p->d;
#pragma omp parallel for schedule(static)
    for (int64_t l = 0; l < j; l++)
        s->between[l] = squared_distance(s, s->centroids + l * s->p->d, newest);
#pragma omp parallel for schedule(dynamic, 8)
    for (int64_t block = 0; block < s->n_blocks; block++) {
        double mass = 0;
        for (int64_t i = block * BLOCK; i < block_end(s, block); i++) {
            double now = s->distance[i];
            if (j == 0 || s->between[s->owner[i]] < 4 * now)
                now = squared_distance(s, s->p->x + protea_point_row(s->p, i) * s->p->d, newest);
            if (now < s->distance[i]) {
                s->distance[i] = now;
                s->owner[i] = (int32_t)j;
            }
            mass += weight_of(s, i) * s->distance[i];
        }
        s->block_mass[block] = mass;
    }
}

/* A row with probability ~ its mass; any row where there is none. */
static int64_t draw_by_mass(const spread *s, protea_rng *rng)
{
    double total = 0;
    for (int64_t block = 0; block < s->n_blocks; block++)
        total += s->block_mass[block];
    if (!(total > 0))
        return (int64_t)protea_rng_below(rng, (uint64_t)s->p->n);
    double left = protea_rng_uniform_double(rng) * total;
    int64_t block = 0, chosen = -1;
    while (block + 1 < s->n_blocks && left >= s->block_mass[block])
        left -= s->block_mass[block++];
    for (int64_t i = block * BLOCK; i < block_end(s, block); i++) {
        double mass = weight_of(s, i) * s->distance[i];
        if (mass <= 0)
            continue;
        chosen = i;
        if (left < mass)
            break;
        left -= mass;
    }
    return chosen >= 0 ? chosen : block * BLOCK;
}

static void start_spread(spread *s, int64_t k, protea_rng *rng)
{
    int64_t d = s->p->d;
    for (int64_t i = 0; i < s->p->n; i++)
        s->distance[i] = 1;
    for (int64_t block = 0; block < s->n_blocks; block++)
        for (int64_t i = block * BLOCK; i < block_end(s, block); i++)
            s->block_mass[block] += weight_of(s, i);
    for (int64_t j = 0; j < k; j++) {
        int64_t row = protea_point_row(s->p, draw_by_mass(s, rng));
        memcpy(s->centroids + j * d, s->p->x + row * d, (size_t)d * sizeof(float));
        for (int64_t i = 0; j == 0 && i < s->p->n; i++)
            s->distance[i] = DBL_MAX;
        look_again(s, j);
    }
}

static protea_status start_plus_plus(const protea_ctx *cx, const protea_points *p, float *centroids, int64_t k, protea_rng *rng)
{
    spread s = { .cx = cx, .p = p, .centroids = centroids, .n_blocks = (p->n + BLOCK - 1) / BLOCK };
    protea_status status = protea_new(&s.distance, (size_t)p->n, sizeof *s.distance, "distances");
    if (status == PROTEA_OK)
        status = protea_new(&s.owner, (size_t)p->n, sizeof *s.owner, "nearest centroids");
    if (status == PROTEA_OK)
        status = protea_new(&s.between, (size_t)k, sizeof *s.between, "distances");
    if (status == PROTEA_OK)
        status = protea_new(&s.block_mass, (size_t)s.n_blocks, sizeof *s.block_mass, "sums of distances");
    if (status == PROTEA_OK)
        start_spread(&s, k, rng);
    protea_free(s.distance);
    protea_free(s.owner);
    protea_free(s.between);
    protea_free(s.block_mass);
    return status;
}

protea_status protea_points_start(const protea_ctx *cx, const protea_points *p, float *centroids,
                                  const protea_kmeans_opts *opts, int64_t redo)
{
    protea_rng rng = protea_rng_make(opts->seed, PROTEA_RNG_KMEANS, (uint32_t)redo, 0, 0);
    if (opts->centroids != NULL) {
        if (opts->centroids != centroids)
            memcpy(centroids, opts->centroids, (size_t)(opts->k * p->d) * sizeof *centroids);
        return PROTEA_OK;
    }
    if (opts->init == PROTEA_KMEANS_PLUS_PLUS)
        return start_plus_plus(cx, p, centroids, opts->k, &rng);
    return start_random(p, centroids, opts->k, &rng);
}
