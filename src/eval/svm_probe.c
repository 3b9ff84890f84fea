#include "eval/svm_probe.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

/* What the draws of one number of shots leave, for each cost, or for one where folds choose. */
typedef struct tally {
    int n_costs;
    double *map;                    /* (n_costs, draws, kinds) owned */
    double (*ap)[PROTEA_AP_KINDS];  /* (n_costs, n_classes) sums over the draws: owned */
    double *top;                    /* (n_costs, 2) likewise */
} tally;

typedef struct probe {
    const protea_svm_probe_opts *opts;
    const protea_two_sets *sets;
    uint64_t seed;
    protea_one_vs_all machines;
    int64_t *row, *order;           /* what is trained on, (most); (training images) a class's, in the order of a draw: owned */
    double *cost;                   /* (n_classes) owned */
    double (*ap)[PROTEA_AP_KINDS];  /* (n_classes) owned */
} probe;

bool protea_svm_by_folds(const protea_svm_probe_opts *o, int64_t shots)
{
    return o->costs.n > 1 && (shots == 0 ? o->all : o->few) == PROTEA_SVM_BY_FOLDS;
}

static int64_t draws_of(const protea_svm_probe_opts *o, int64_t shots)
{
    return shots == 0 ? 1 : o->draws;
}

int64_t protea_svm_probe_size(const protea_two_sets *sets, const protea_svm_probe_opts *opts)
{
    int64_t machines = 0;
    for (int i = 0; i < opts->shots.n; i++) {
        int64_t shots = (int64_t)opts->shots.v[i];
        machines += draws_of(opts, shots) * (protea_svm_by_folds(opts, shots) ? opts->folds * opts->costs.n + 1 : opts->costs.n);
    }
    return machines * sets->n_classes;
}

/* ---- what is trained on */

static int64_t size_of(const protea_two_sets *sets, int64_t shots)
{
    int64_t n = 0;
    if (shots == 0)
        return sets->train.n;
    for (int c = 0; c < sets->n_classes; c++)
        n += protea_class_size(&sets->train, c) < shots ? protea_class_size(&sets->train, c) : shots;
    return n;
}

static int64_t largest_size(const protea_two_sets *sets, const protea_svm_probe_opts *opts)
{
    int64_t most = 0;
    for (int i = 0; i < opts->shots.n; i++) {
        int64_t n = size_of(sets, (int64_t)opts->shots.v[i]);
        most = n > most ? n : most;
    }
    return most;
}

/* Some of each class, or all; what is drawn for a class depends on nothing but the seed, the draw and its rows. */
static protea_some_training draw_rows(probe *p, int64_t shots, int64_t draw)
{
    const protea_class_rows *train = &p->sets->train;
    if (shots == 0)
        return (protea_some_training){ train->used, train->n };
    int64_t n = 0;
    for (int c = 0; c < p->sets->n_classes; c++) {
        int64_t size = protea_class_size(train, c), take = size < shots ? size : shots;
        protea_rng rng = protea_rng_make(p->seed, PROTEA_RNG_SPLIT, (uint32_t)c, (uint64_t)draw, (uint32_t)shots);
        memcpy(p->order, train->row + train->first[c], (size_t)size * sizeof *p->order);
        protea_rng_shuffle(&rng, p->order, size);
        memcpy(p->row + n, p->order, (size_t)take * sizeof *p->row);
        n += take;
    }
    return (protea_some_training){ p->row, n };
}

/* ---- one draw */

/* Mean over the classes that test images have. */
static double mean_ap(const probe *p, int kind)
{
    double sum = 0;
    int64_t n = 0;
    for (int c = 0; c < p->sets->n_classes; c++)
        if (!isnan(p->ap[c][kind])) {
            sum += p->ap[c][kind];
            n++;
        }
    return sum / (double)n;
}

/* Machines of the costs in p->cost, counted under cost number k. */
static protea_status rank(probe *p, tally *t, protea_svm_result *score, const protea_some_training *on, int k, int64_t draw)
{
    protea_ranking ranking = { .ap = p->ap };
    int64_t n_classes = p->sets->n_classes;
    PROTEA_TRY(protea_one_vs_all_rank(&p->machines, &ranking, on, p->cost));
    for (int kind = 0; kind < PROTEA_AP_KINDS; kind++) {
        t->map[(k * score->draws + draw) * PROTEA_AP_KINDS + kind] = mean_ap(p, kind);
        for (int64_t c = 0; c < n_classes; c++)
            t->ap[k * n_classes + c][kind] += p->ap[c][kind];
    }
    t->top[2 * k] += ranking.top1;
    t->top[2 * k + 1] += ranking.top5;
    score->gap = ranking.gap > score->gap ? ranking.gap : score->gap;
    return PROTEA_OK;
}

static protea_status run_draw(probe *p, tally *t, protea_svm_result *score, int64_t draw)
{
    const protea_svm_probe_opts *o = p->opts;
    const protea_some_training on = draw_rows(p, score->shots, draw);
    score->n = draw == 0 ? on.n : score->n;
    if (protea_svm_by_folds(o, score->shots)) {
        PROTEA_TRY(protea_one_vs_all_choose(&p->machines, p->cost, &on, o->costs.v, o->costs.n, o->folds));
        return rank(p, t, score, &on, 0, draw);
    }
    for (int k = 0; k < o->costs.n; k++) {
        for (int c = 0; c < p->sets->n_classes; c++)
            p->cost[c] = o->costs.v[k];
        PROTEA_TRY(rank(p, t, score, &on, k, draw));
    }
    return PROTEA_OK;
}

/* ---- several draws */

/* Mean of the draws of cost k, and the deviation of one from it. */
static void mean_and_spread(double *mean, double *spread, const tally *t, int64_t draws, int k, int kind)
{
    const double *v = t->map + k * draws * PROTEA_AP_KINDS + kind;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < draws; i++)
        sum += v[i * PROTEA_AP_KINDS];
    *mean = sum / (double)draws;
    for (int64_t i = 0; i < draws; i++)
        squares += (v[i * PROTEA_AP_KINDS] - *mean) * (v[i * PROTEA_AP_KINDS] - *mean);
    *spread = draws > 1 ? sqrt(squares / (double)(draws - 1)) : 0;
}

/* Which cost counts, and what it got. */
static void settle(const probe *p, const tally *t, protea_svm_result *score)
{
    const protea_svm_probe_opts *o = p->opts;
    bool folds = protea_svm_by_folds(o, score->shots);
    int64_t n_classes = p->sets->n_classes, draws = score->draws;
    int best = 0;
    double spread;
    for (int k = 0; k < o->costs.n; k++) {
        score->by_cost[k] = NAN;
        if (!folds)
            mean_and_spread(&score->by_cost[k], &spread, t, draws, k, (int)o->ap);
        best = score->by_cost[k] > score->by_cost[best] ? k : best;
    }
    for (int kind = 0; kind < PROTEA_AP_KINDS; kind++) {
        mean_and_spread(&score->map[kind], &score->spread[kind], t, draws, best, kind);
        for (int64_t c = 0; c < n_classes; c++)
            score->ap[c][kind] = t->ap[best * n_classes + c][kind] / (double)draws;
    }
    for (int64_t c = 0; c < n_classes; c++)
        score->class_cost[c] = folds ? p->cost[c] : o->costs.v[best];
    score->cost = folds ? NAN : o->costs.v[best];
    score->top1 = t->top[2 * best] / (double)draws;
    score->top5 = t->top[2 * best + 1] / (double)draws;
}

static void tally_free(tally *t)
{
    protea_free(t->map);
    protea_free(t->ap);
    protea_free(t->top);
}

static protea_status tally_new(tally *t, const probe *p, const protea_svm_result *score)
{
    size_t n_classes = (size_t)p->sets->n_classes, costs;
    *t = (tally){ .n_costs = protea_svm_by_folds(p->opts, score->shots) ? 1 : p->opts->costs.n };
    costs = (size_t)t->n_costs;
    PROTEA_TRY(protea_new(&t->map, costs * (size_t)score->draws * PROTEA_AP_KINDS, sizeof *t->map, "scores"));
    PROTEA_TRY(protea_new(&t->ap, costs * n_classes, sizeof *t->ap, "scores"));
    return protea_new(&t->top, costs * 2, sizeof *t->top, "scores");
}

static protea_status run_draws(probe *p, tally *t, protea_svm_result *score)
{
    PROTEA_TRY(tally_new(t, p, score));
    for (int64_t draw = 0; draw < score->draws; draw++)
        PROTEA_TRY(run_draw(p, t, score, draw));
    settle(p, t, score);
    return PROTEA_OK;
}

static protea_status run_shots(probe *p, protea_svm_result *score, int64_t shots)
{
    tally t = { 0 };
    size_t n_classes = (size_t)p->sets->n_classes;
    *score = (protea_svm_result){ .shots = shots, .draws = draws_of(p->opts, shots) };
    PROTEA_TRY(protea_new(&score->ap, n_classes, sizeof *score->ap, "scores"));
    PROTEA_TRY(protea_new(&score->class_cost, n_classes, sizeof *score->class_cost, "scores"));
    protea_status status = run_draws(p, &t, score);
    tally_free(&t);
    return status;
}

void protea_svm_result_release(protea_svm_result *score)
{
    protea_free(score->ap);
    protea_free(score->class_cost);
    *score = (protea_svm_result){ 0 };
}

/* ---- the whole */

static protea_status probe_new(probe *p, const protea_ctx *cx, const protea_feature_set *train, const protea_feature_set *test)
{
    size_t most = (size_t)largest_size(p->sets, p->opts), n_classes = (size_t)p->sets->n_classes;
    PROTEA_TRY(protea_new(&p->row, most, sizeof *p->row, "SVMs"));
    PROTEA_TRY(protea_new(&p->order, (size_t)train->n, sizeof *p->order, "SVMs"));
    PROTEA_TRY(protea_new(&p->cost, n_classes, sizeof *p->cost, "SVMs"));
    PROTEA_TRY(protea_new(&p->ap, n_classes, sizeof *p->ap, "SVMs"));
    return protea_one_vs_all_new(&p->machines, cx, p->sets, train, test, (int64_t)most, &p->opts->machine);
}

static void probe_release(probe *p)
{
    protea_one_vs_all_release(&p->machines);
    protea_free(p->row);
    protea_free(p->order);
    protea_free(p->cost);
    protea_free(p->ap);
}

protea_status protea_svm_probe(const protea_ctx *cx, protea_svm_result *score, int64_t *unconverged, const protea_two_sets *sets,
                               const protea_feature_set *train, const protea_feature_set *test, const protea_svm_probe_opts *opts,
                               protea_svm_progress progress, void *self)
{
    probe p = { .opts = opts, .sets = sets, .seed = cx->seed };
    protea_status status = probe_new(&p, cx, train, test);
    p.machines.progress = progress;
    p.machines.self = self;
    for (int i = 0; i < opts->shots.n && status == PROTEA_OK; i++)
        status = run_shots(&p, &score[i], (int64_t)opts->shots.v[i]);
    *unconverged = (int64_t)atomic_load(&p.machines.unconverged);
    probe_release(&p);
    return status;
}
