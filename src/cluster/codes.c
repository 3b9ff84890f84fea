/* Statistics of codes and embeddings, of one step on this rank. */
#include "cluster/codes.h"

#include <math.h>
#include <string.h>

static int64_t argmax(const float *x, int64_t k)
{
    int64_t best = 0;
    for (int64_t i = 1; i < k; i++)
        best = x[i] > x[best] ? i : best;
    return best;
}

static double entropy(const float *p, int64_t k)
{
    const float nothing = 1e-10f; /* most of a code; even 10,000 of them add less than 3e-5, and logarithms are slow */
    double sum = 0;
    for (int64_t i = 0; i < k; i++)
        if (p[i] > nothing)
            sum -= (double)p[i] * logf(p[i]);
    return sum;
}

/* One row's share of the statistics: its entropy and its most probable prototype. */
typedef struct row_stats {
    double entropy;
    int64_t best;
} row_stats;

static void rows_stats(row_stats *rows, const float *q, int64_t n, int64_t k)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        rows[i] = (row_stats){ entropy(q + i * k, k), argmax(q + i * k, k) };
}

/* mean (K): the mean code, columns summed in order of rows. */
static void mean_code(float *restrict mean, const float *restrict q, int64_t n, int64_t k)
{
    memset(mean, 0, (size_t)k * sizeof *mean);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < k; j++)
            mean[j] += q[i * k + j] / (float)n;
}

/* seen (K): all zero. */
static double count_distinct(unsigned char *seen, const row_stats *rows, int64_t n)
{
    int64_t used = 0;
    for (int64_t i = 0; i < n; i++) {
        used += !seen[rows[i].best];
        seen[rows[i].best] = 1;
    }
    return (double)used;
}

protea_status protea_codes_stats(protea_ctx *cx, protea_code_stats *stats, const protea_tensor *codes)
{
    int64_t n = codes->dim[0], k = codes->dim[1];
    const float *q = protea_f32(codes);
    size_t mark = protea_arena_mark(cx->scratch);
    row_stats *rows;
    size_t columns = (size_t)k;
    float *mean;
    unsigned char *seen;
    *stats = (protea_code_stats){ 0 };
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &rows, (size_t)n * sizeof *rows));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &mean, columns * sizeof *mean));
    PROTEA_TRY(protea_arena_alloc(cx->scratch, &seen, columns));
    if (!cx->planning) {
        memset(seen, 0, columns);
        rows_stats(rows, q, n, k);
        mean_code(mean, q, n, k);
        for (int64_t i = 0; i < n; i++) {
            stats->entropy += rows[i].entropy / log((double)k) / (double)n;
            stats->max_prob += (double)q[i * k + rows[i].best] / (double)n;
        }
        stats->usage_entropy = entropy(mean, k) / log((double)k);
        stats->used = count_distinct(seen, rows, n);
    }
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_codes_harden(protea_ctx *cx, protea_tensor *codes)
{
    int64_t n = codes->dim[0], k = codes->dim[1];
    if (cx->planning)
        return PROTEA_OK;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        float *q = protea_f32(codes) + i * k;
        int64_t best = argmax(q, k);
        memset(q, 0, (size_t)k * sizeof *q);
        q[best] = 1;
    }
    return PROTEA_OK;
}

double protea_embedding_std(const protea_ctx *cx, const protea_tensor *z)
{
    int64_t n = z->dim[0], d = z->dim[1];
    double total = 0;
    if (cx->planning)
        return 0;
    for (int64_t j = 0; j < d; j++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < n; i++) {
            double x = protea_f32(z)[i * d + j];
            sum += x;
            squares += x * x;
        }
        double variance = squares / (double)n - sum / (double)n * (sum / (double)n);
        total += sqrt(variance > 0 ? variance : 0);
    }
    return total / (double)d * sqrt((double)d);
}
