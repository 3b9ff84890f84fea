/* Neighbours come sorted, so that each k's voters are the first of them. */
#include "eval/knn.h"

#include <math.h>
#include <string.h>

#include "base/parallel.h"

static const double NO_DISTANCE = 1e-5; /* solo-learn's: what keeps a copy's vote finite */

typedef struct election {
    const protea_knn_opts *opts;
    const protea_labelled *train, *test;
    protea_some_rows gallery, query;    /* with labels */
    int64_t *train_row, *test_row;      /* owned: of these */
    int n_classes, n_scores;
    double *votes;                      /* (threads,n_classes) owned */
    int64_t *hits;                      /* (n_scores,2) owned: top-1, top-5 */
} election;

int protea_knn_count(const protea_knn_opts *opts)
{
    return opts->metric == PROTEA_COSINE ? opts->n_k * opts->n_temperatures : opts->n_k;
}

static double temperature_of(const protea_knn_opts *opts, int score)
{
    return opts->metric == PROTEA_COSINE ? opts->temperature[score % opts->n_temperatures] : 0;
}

static int64_t k_of(const protea_knn_opts *opts, int score)
{
    return opts->k[opts->metric == PROTEA_COSINE ? score / opts->n_temperatures : score];
}

/* The largest similarity is subtracted: all votes scale alike, none overflows. */
static double vote_of(const protea_knn_opts *opts, const protea_neighbour *at, const protea_neighbour *best, double temperature)
{
    if (opts->metric == PROTEA_EUCLIDEAN)
        return 1 / ((double)at->value + NO_DISTANCE);
    return exp(((double)at->value - (double)best->value) / temperature);
}

/* Position of the true class among the classes by votes, from 0; n_classes when nobody voted for it. */
static int rank_of_truth(const election *e, const protea_neighbour *best, int64_t n, double temperature, int32_t truth)
{
    double *votes = e->votes + protea_thread_index() * e->n_classes;
    memset(votes, 0, (size_t)e->n_classes * sizeof *votes);
    for (int64_t i = 0; i < n; i++)
        votes[e->train->label[protea_row_number(&e->gallery, best[i].i)]] += vote_of(e->opts, &best[i], best, temperature);
    double own = votes[truth];
    if (!(own > 0))
        return e->n_classes;
    int rank = 0;
    for (int c = 0; c < e->n_classes; c++)
        rank += votes[c] > own || (votes[c] == own && c < truth);
    return rank;
}

static void count_score(election *e, const protea_neighbour_block *b, int score)
{
    int64_t k = k_of(e->opts, score), first_hits = 0, five_hits = 0;
#pragma omp parallel for schedule(static) reduction(+ : first_hits, five_hits)
    for (int64_t q = 0; q < b->count; q++) {
        int64_t n = b->n[q] < k ? b->n[q] : k;
        int32_t truth = e->test->label[protea_row_number(&e->query, b->first + q)];
        int rank = rank_of_truth(e, b->best + q * b->k, n, temperature_of(e->opts, score), truth);
        first_hits += rank == 0;
        five_hits += rank < 5 && rank < e->n_classes;
    }
    e->hits[2 * score] += first_hits;
    e->hits[2 * score + 1] += five_hits;
}

/* Numbers of the rows that have a label. *out: owned. */
static protea_status labelled_rows(int64_t **out, protea_some_rows *rows, const protea_labelled *of, int n_classes)
{
    PROTEA_TRY(protea_new(out, (size_t)of->n, sizeof **out, "kNN rows"));
    rows->x = of->z;
    rows->row = *out;
    for (int64_t i = 0; i < of->n; i++) {
        if (of->label[i] >= n_classes)
            return protea_fail(PROTEA_ERR_INTERNAL, "kNN: label %d of %d classes", (int)of->label[i], n_classes);
        if (of->label[i] >= 0)
            (*out)[rows->n++] = i;
    }
    if (rows->n == 0)
        return protea_fail(PROTEA_ERR_INPUT, "kNN: none of the %lld %s images has a label", (long long)of->n, rows->name);
    return PROTEA_OK;
}

static protea_status check(const protea_knn_opts *opts)
{
    for (int i = 0; i < opts->n_k; i++)
        if (opts->k[i] < 1)
            return protea_fail(PROTEA_ERR_USAGE, "kNN: k %lld found, at least 1 wanted", (long long)opts->k[i]);
    for (int i = 0; i < opts->n_temperatures; i++)
        if (!(opts->temperature[i] > 0))
            return protea_fail(PROTEA_ERR_USAGE, "kNN: temperature %g found, above 0 wanted", opts->temperature[i]);
    if (protea_knn_count(opts) < 1)
        return protea_fail(PROTEA_ERR_USAGE, "kNN: no k or no temperature found, at least one of each wanted");
    return PROTEA_OK;
}

static protea_status run(protea_ctx *cx, election *e, int64_t d)
{
    protea_row_search *search;
    protea_neighbour_block b;
    protea_row_search_opts opts = { .metric = e->opts->metric, .query_bytes = e->opts->query_bytes };
    for (int i = 0; i < e->opts->n_k; i++)
        opts.k = e->opts->k[i] > opts.k ? e->opts->k[i] : opts.k;
    PROTEA_TRY(labelled_rows(&e->train_row, &e->gallery, e->train, e->n_classes));
    PROTEA_TRY(labelled_rows(&e->test_row, &e->query, e->test, e->n_classes));
    PROTEA_TRY(protea_new(&e->votes, (size_t)protea_threads() * (size_t)e->n_classes, sizeof *e->votes, "kNN votes"));
    PROTEA_TRY(protea_new(&e->hits, 2 * (size_t)e->n_scores, sizeof *e->hits, "kNN votes"));
    PROTEA_TRY(protea_row_search_new(&search, cx, &e->gallery, &e->query, d, &opts));
    for (protea_row_search_next(search, &b); b.count > 0; protea_row_search_next(search, &b))
        for (int score = 0; score < e->n_scores; score++)
            count_score(e, &b, score);
    protea_row_search_free(search);
    return PROTEA_OK;
}

protea_status protea_knn(protea_ctx *cx, protea_knn_score *score, const protea_labelled *train, const protea_labelled *test,
                         int64_t d, int n_classes, const protea_knn_opts *opts)
{
    PROTEA_TRY(check(opts));
    election e = { .opts = opts, .train = train, .test = test, .gallery.name = "training", .query.name = "test",
                   .n_classes = n_classes, .n_scores = protea_knn_count(opts) };
    protea_status status = run(cx, &e, d);
    for (int i = 0; i < e.n_scores && status == PROTEA_OK; i++)
        score[i] = (protea_knn_score){ (double)e.hits[2 * i] / (double)e.query.n, (double)e.hits[2 * i + 1] / (double)e.query.n,
                                       e.gallery.n, e.query.n, k_of(opts, i) < e.gallery.n ? k_of(opts, i) : e.gallery.n,
                                       temperature_of(opts, i) };
    protea_free(e.votes);
    protea_free(e.hits);
    protea_free(e.train_row);
    protea_free(e.test_row);
    return status;
}
