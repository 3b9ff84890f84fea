/* Scores of clusters, from the table of how many rows each pair of cluster and class has. */
#include "cluster/scores.h"

#include <float.h>
#include <math.h>

#include "base/alloc.h"

typedef struct contingency {
    int64_t n, k, c;        /* rows that count, clusters, classes */
    int64_t *table;         /* (k,c) owned */
    int64_t *in_cluster;    /* (k) owned */
    int64_t *in_class;      /* (c) owned */
    double *log_factorial;  /* (n+1) owned */
    double *expected;       /* (k) owned: of the mutual information, from each cluster */
} contingency;

static protea_status count(contingency *t, const int32_t *cluster, const int32_t *label, int64_t n)
{
    PROTEA_TRY(protea_new(&t->table, (size_t)t->k, (size_t)t->c * sizeof *t->table, "a table of clusters and classes"));
    PROTEA_TRY(protea_new(&t->in_cluster, (size_t)t->k, sizeof *t->in_cluster, "cluster sizes"));
    PROTEA_TRY(protea_new(&t->in_class, (size_t)t->c, sizeof *t->in_class, "class sizes"));
    for (int64_t i = 0; i < n; i++) {
        if (cluster[i] < 0 || label[i] < 0)
            continue;
        t->table[cluster[i] * t->c + label[i]]++;
        t->in_cluster[cluster[i]]++;
        t->in_class[label[i]]++;
        t->n++;
    }
    PROTEA_TRY(protea_new(&t->expected, (size_t)t->k, sizeof *t->expected, "expected information"));
    PROTEA_TRY(protea_new(&t->log_factorial, (size_t)t->n + 1, sizeof *t->log_factorial, "logarithms of factorials"));
    for (int64_t i = 1; i <= t->n; i++)
        t->log_factorial[i] = t->log_factorial[i - 1] + log((double)i);
    return PROTEA_OK;
}

static void contingency_release(contingency *t)
{
    protea_free(t->table);
    protea_free(t->in_cluster);
    protea_free(t->in_class);
    protea_free(t->log_factorial);
    protea_free(t->expected);
}

static double entropy(const int64_t *size, int64_t n_sizes, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n_sizes; i++)
        if (size[i] > 0)
            sum -= (double)size[i] / (double)n * log((double)size[i] / (double)n);
    return sum;
}

static int64_t used(const int64_t *size, int64_t n_sizes)
{
    int64_t found = 0;
    for (int64_t i = 0; i < n_sizes; i++)
        found += size[i] > 0;
    return found;
}

/* A pair's share of the mutual information: m rows in a cluster of a and a class of b. */
static double information(double m, double a, double b, double n)
{
    return m / n * log(n * m / (a * b));
}

static double mutual_information(const contingency *t)
{
    double sum = 0;
    for (int64_t i = 0; i < t->k; i++)
        for (int64_t j = 0; j < t->c; j++)
            if (t->table[i * t->c + j] > 0)
                sum += information((double)t->table[i * t->c + j], (double)t->in_cluster[i], (double)t->in_class[j],
                                   (double)t->n);
    return sum < DBL_EPSILON ? 0 : sum; /* rounding, as scikit-learn has it */
}

/* What random rows of these sizes give a pair: m is hypergeometric. */
static double expected_of_pair(const contingency *t, int64_t a, int64_t b)
{
    const double *lf = t->log_factorial;
    int64_t n = t->n, least = a + b - n > 1 ? a + b - n : 1, most = a < b ? a : b;
    double fixed = lf[a] + lf[b] + lf[n - a] + lf[n - b] - lf[n], sum = 0;
    for (int64_t m = least; m <= most; m++)
        sum += information((double)m, (double)a, (double)b, (double)n) *
               exp(fixed - lf[m] - lf[a - m] - lf[b - m] - lf[n - a - b + m]);
    return sum;
}

static double expected_information(const contingency *t)
{
    double sum = 0;
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < t->k; i++)
        for (int64_t j = 0; j < t->c; j++)
            if (t->in_cluster[i] > 0 && t->in_class[j] > 0)
                t->expected[i] += expected_of_pair(t, t->in_cluster[i], t->in_class[j]);
    for (int64_t i = 0; i < t->k; i++)
        sum += t->expected[i];
    return sum;
}

static void score_information(protea_cluster_scores *out, const contingency *t)
{
    if (used(t->in_cluster, t->k) == 1 && used(t->in_class, t->c) == 1) {
        out->nmi = out->ami = 1;
        return;
    }
    double mi = mutual_information(t), expected = expected_information(t);
    double mean = (entropy(t->in_cluster, t->k, t->n) + entropy(t->in_class, t->c, t->n)) / 2, room = mean - expected;
    out->nmi = mi / mean;
    out->ami = (mi - expected) / (room < 0 ? fmin(room, -DBL_EPSILON) : fmax(room, DBL_EPSILON));
}

static double pairs_within(const int64_t *size, int64_t n_sizes)
{
    double sum = 0;
    for (int64_t i = 0; i < n_sizes; i++)
        sum += (double)size[i] * (double)(size[i] - 1) / 2;
    return sum;
}

static double adjusted_rand(const contingency *t)
{
    double together = pairs_within(t->table, t->k * t->c), a = pairs_within(t->in_cluster, t->k);
    double b = pairs_within(t->in_class, t->c), all = pairs_within(&t->n, 1);
    if (together == a && together == b) /* the same partition, or too few rows for any other */
        return 1;
    double expected = a / all * b;
    return (together - expected) / ((a + b) / 2 - expected);
}

static protea_status score(protea_cluster_scores *out, contingency *t, const int32_t *cluster, const int32_t *label, int64_t n)
{
    double right;
    PROTEA_TRY(count(t, cluster, label, n));
    if (t->n == 0)
        return PROTEA_OK;
    PROTEA_TRY(protea_best_matching(&right, t->table, t->k, t->c));
    score_information(out, t);
    out->ari = adjusted_rand(t);
    out->accuracy = right / (double)t->n;
    return PROTEA_OK;
}

protea_status protea_cluster_scores_of(protea_cluster_scores *out, const int32_t *cluster, const int32_t *label, int64_t n,
                                       int64_t k, int64_t c)
{
    contingency t = { .k = k, .c = c };
    *out = (protea_cluster_scores){ 0 };
    protea_status status = score(out, &t, cluster, label, n);
    contingency_release(&t);
    return status;
}
