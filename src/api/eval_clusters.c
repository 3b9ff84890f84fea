/* protea eval clusters: do clusters of the features agree with the classes? k-means of the training images' features, found
 * without labels; the test images go to the nearest centroid, and their clusters are compared with their classes. */
#include <math.h>
#include <string.h>

#include "api/eval_protocol.h"
#include "base/alloc.h"
#include "cluster/kmeans.h"
#include "cluster/scores.h"
#include "eval/feature_match.h"

typedef struct clusters {
    int64_t k, seeds, niter, nredo;
    int32_t normalize;
} clusters;

static const protea_opt table[] = {
    { .key = "k", .type = PROTEA_OPT_INT, .offset = offsetof(clusters, k), .def = "0", .min = 0, .max = 1e6, .unit = "clusters",
      .help = "of k-means; 0: as many as classes, which accuracy is meant for" },
    { .key = "seeds", .type = PROTEA_OPT_INT, .offset = offsetof(clusters, seeds), .def = "5", .min = 1, .max = 1000,
      .unit = "runs", .help = "runs from other starts: mean and spread are told" },
    { .key = "niter", .type = PROTEA_OPT_INT, .offset = offsetof(clusters, niter), .def = "100", .min = 1, .max = 1e6,
      .unit = "iterations", .help = "at most so many; a run ends when nothing moves" },
    { .key = "nredo", .type = PROTEA_OPT_INT, .offset = offsetof(clusters, nredo), .def = "3", .min = 1, .max = 1000,
      .help = "starts of each run, of which the least objective is kept" },
    { .key = "normalize_features", .type = PROTEA_OPT_BOOL, .offset = offsetof(clusters, normalize), .def = "true",
      .help = "features to length 1 first", .source = "methods of deep clustering, SCAN (arXiv:2005.12320)" },
    { 0 },
};

enum { NMI, AMI, ARI, ACC, N_SCORES };
static const char *const keys[N_SCORES] = { "nmi", "ami", "ari", "acc" };

/* What the runs share. */
typedef struct task {
    const protea_evaluation *e;
    const clusters *o;
    int64_t k;
    protea_feature_match match;
    float *train, *test;     /* features as they are clustered: owned */
    float *centroids;        /* (k,D): owned */
    int32_t *assign;         /* (test n): owned */
    double (*score)[N_SCORES]; /* (seeds): owned */
} task;

/* A copy, its rows of length 1 if so wanted; a row of zeros stays one. */
static protea_status copy_features(float **out, const protea_feature_set *set, bool normalize)
{
    PROTEA_TRY(protea_new(out, (size_t)(set->n * set->dim), sizeof **out, "features"));
    memcpy(*out, set->z, (size_t)(set->n * set->dim) * sizeof **out);
    for (int64_t i = 0; i < set->n && normalize; i++) {
        float *z = *out + i * set->dim;
        double sum = 0;
        for (int64_t j = 0; j < set->dim; j++)
            sum += (double)z[j] * z[j];
        for (int64_t j = 0; j < set->dim && sum > 0; j++)
            z[j] = (float)(z[j] / sqrt(sum));
    }
    return PROTEA_OK;
}

static protea_status prepare(task *t)
{
    const protea_feature_set *train = t->e->train, *test = t->e->test;
    PROTEA_TRY(protea_feature_match_sets(&t->match, train, test));
    t->k = t->o->k > 0 ? t->o->k : t->match.n_classes;
    PROTEA_TRY(copy_features(&t->train, train, t->o->normalize));
    PROTEA_TRY(copy_features(&t->test, test, t->o->normalize));
    PROTEA_TRY(protea_new(&t->centroids, (size_t)(t->k * train->dim), sizeof *t->centroids, "centroids"));
    PROTEA_TRY(protea_new(&t->assign, (size_t)test->n, sizeof *t->assign, "clusters"));
    return protea_new(&t->score, (size_t)t->o->seeds, sizeof *t->score, "scores");
}

static void release(task *t)
{
    protea_feature_match_release(&t->match);
    protea_free(t->train);
    protea_free(t->test);
    protea_free(t->centroids);
    protea_free(t->assign);
    protea_free(t->score);
}

static protea_status run_seed(task *t, int64_t seed)
{
    const protea_feature_set *train = t->e->train, *test = t->e->test;
    protea_kmeans_opts opts = protea_kmeans_defaults();
    protea_kmeans_out out = { .centroids = t->centroids };
    protea_cluster_scores s;
    opts.k = t->k;
    opts.niter = t->o->niter;
    opts.nredo = t->o->nredo;
    opts.seed = t->e->cx->seed + (uint64_t)seed;
    opts.max_points_per_centroid = 0; /* all */
    opts.min_points_per_centroid = 1;
    opts.name = train->name;
    PROTEA_TRY(protea_kmeans_fit(t->e->cx, &out, t->train, train->n, train->dim, &opts));
    PROTEA_TRY(protea_kmeans_assign(t->e->cx, t->assign, NULL, NULL, t->test, test->n, test->dim, t->centroids, t->k,
                                    PROTEA_F32));
    PROTEA_TRY(protea_cluster_scores_of(&s, t->assign, t->match.test, test->n, t->k, t->match.n_classes));
    const double found[N_SCORES] = { [NMI] = s.nmi, [AMI] = s.ami, [ARI] = s.ari, [ACC] = s.accuracy };
    memcpy(t->score[seed], found, sizeof found);
    return PROTEA_OK;
}

static protea_status run_seeds(task *t)
{
    protea_ticker ticker;
    protea_ticker_start(&ticker, t->e->hooks);
    for (int64_t seed = 0; seed < t->o->seeds; seed++) {
        if (t->e->hooks->stop != NULL && *t->e->hooks->stop)
            return protea_fail(PROTEA_STOPPED, "stopped on request after %lld runs", (long long)seed);
        PROTEA_TRY(run_seed(t, seed));
        protea_ticker_tick(&ticker, "clusters", (double)(seed + 1), (double)t->o->seeds, "runs", NULL);
    }
    return PROTEA_OK;
}

/* Mean over the seeds, and the deviation of one seed from it. */
static void report(const task *t)
{
    json_t *result = t->e->result, *spread = json_object();
    int64_t n = t->o->seeds;
    for (int i = 0; i < N_SCORES; i++) {
        double sum = 0, squares = 0;
        for (int64_t s = 0; s < n; s++)
            sum += t->score[s][i];
        for (int64_t s = 0; s < n; s++)
            squares += (t->score[s][i] - sum / (double)n) * (t->score[s][i] - sum / (double)n);
        json_object_set_new(result, keys[i], json_real(sum / (double)n));
        json_object_set_new(spread, keys[i], json_real(n > 1 ? sqrt(squares / (double)(n - 1)) : 0));
    }
    json_object_set_new(result, "spread", spread);
    json_object_set_new(result, "k", json_integer(t->k));
    json_object_set_new(result, "classes", json_integer(t->match.n_classes));
    json_object_set_new(result, "seeds", json_integer(n));
    json_object_set_new(result, "niter", json_integer(t->o->niter));
    json_object_set_new(result, "nredo", json_integer(t->o->nredo));
    json_object_set_new(result, "normalize_features", json_boolean(t->o->normalize));
    json_object_set_new(result, "n_train", json_integer(t->e->train->n));
    json_object_set_new(result, "n_test", json_integer(t->e->test->n));
}

static protea_status run(void *self, const protea_evaluation *e)
{
    task t = { .e = e, .o = self };
    protea_status status = prepare(&t);
    if (status == PROTEA_OK)
        status = run_seeds(&t);
    if (status == PROTEA_OK)
        report(&t);
    release(&t);
    return status;
}

const protea_protocol protea_protocol_clusters = {
    .name = "clusters",
    .summary = "k-means of frozen features against the classes: accuracy by matching, NMI, AMI, ARI",
    .size = sizeof(clusters),
    .opts = table,
    .run = run,
};
