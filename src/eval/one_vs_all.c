/* Each machine is trained by one thread, and its coordinates come in an order drawn for its class alone, so how many threads there
 * are changes nothing. */
#include "eval/one_vs_all.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"

static const double NO_LENGTH = 1e-5; /* PCL's and VISSL's: what keeps a row of zeros from being divided by 0 */

struct protea_svm_worker {
    protea_svm_work work;
    double *w;               /* (d + 1) */
    int8_t *sign;            /* (most) */
    int64_t *row;            /* (most) the rows outside a fold, and from the end on those in it */
    uint8_t *train_is;       /* (train n) 1: of the class in hand; all 0 between classes */
    uint8_t *test_is;        /* (test n) likewise */
    protea_ranked *item;     /* (most, or test images if more) */
};

/* ---- opening */

static protea_status worker_new(protea_svm_worker *w, const protea_one_vs_all *o, int64_t train_n, int64_t test_n, int64_t most)
{
    static const char what[] = "SVMs";
    int64_t items = most > o->sets->test.n ? most : o->sets->test.n;
    PROTEA_TRY(protea_svm_work_new(&w->work, most));
    PROTEA_TRY(protea_new(&w->w, (size_t)o->train.d + 1, sizeof *w->w, what));
    PROTEA_TRY(protea_new(&w->sign, (size_t)most, sizeof *w->sign, what));
    PROTEA_TRY(protea_new(&w->row, (size_t)most, sizeof *w->row, what));
    PROTEA_TRY(protea_new(&w->train_is, (size_t)train_n, sizeof *w->train_is, what));
    PROTEA_TRY(protea_new(&w->test_is, (size_t)test_n, sizeof *w->test_is, what));
    return protea_new(&w->item, (size_t)items, sizeof *w->item, what);
}

static void worker_release(protea_svm_worker *w)
{
    protea_svm_work_release(&w->work);
    protea_free(w->w);
    protea_free(w->sign);
    protea_free(w->row);
    protea_free(w->train_is);
    protea_free(w->test_is);
    protea_free(w->item);
}

/* Scales and lengths of all rows of a set. */
static protea_status measure_rows(protea_svm_rows *rows, double *scale, double *square, const protea_feature_set *set,
                                  bool normalize)
{
    int64_t d = set->dim, bad = -1;
#pragma omp parallel for schedule(static) reduction(max : bad)
    for (int64_t i = 0; i < set->n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < d; j++)
            sum += (double)set->z[i * d + j] * (double)set->z[i * d + j];
        scale[i] = normalize ? 1 / (sqrt(sum) + NO_LENGTH) : 1;
        square[i] = sum * scale[i] * scale[i] + 1;
        bad = isfinite(square[i]) ? bad : i;
    }
    *rows = (protea_svm_rows){ set->z, scale, square, d };
    if (bad < 0)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: row %lld of its features holds a value that is not finite", set->name,
                       (long long)bad);
}

protea_status protea_one_vs_all_new(protea_one_vs_all *o, const protea_ctx *cx, const protea_two_sets *sets,
                                    const protea_feature_set *train, const protea_feature_set *test, int64_t most,
                                    const protea_one_vs_all_opts *opts)
{
    *o = (protea_one_vs_all){ .be = cx->be, .seed = cx->seed, .sets = sets, .opts = *opts };
    PROTEA_TRY(protea_new(&o->scales, 2 * (size_t)(train->n + test->n), sizeof *o->scales, "SVMs"));
    double *test_scales = o->scales + 2 * train->n;
    PROTEA_TRY(measure_rows(&o->train, o->scales, o->scales + train->n, train, opts->normalize));
    PROTEA_TRY(measure_rows(&o->test, test_scales, test_scales + test->n, test, opts->normalize));
    if (!sets->several)
        PROTEA_TRY(protea_new(&o->score, (size_t)sets->n_classes * (size_t)sets->test.n, sizeof *o->score, "SVMs' scores"));
    PROTEA_TRY(protea_new(&o->worker, (size_t)protea_threads(), sizeof *o->worker, "SVMs"));
    o->n_workers = protea_threads();
    for (int i = 0; i < o->n_workers; i++)
        PROTEA_TRY(worker_new(&o->worker[i], o, train->n, test->n, most));
    return PROTEA_OK;
}

void protea_one_vs_all_release(protea_one_vs_all *o)
{
    for (int i = 0; i < o->n_workers; i++)
        worker_release(&o->worker[i]);
    protea_free(o->worker);
    protea_free(o->scales);
    protea_free(o->score);
    *o = (protea_one_vs_all){ .n_workers = 0 };
}

/* ---- one machine */

static void mark(uint8_t *is, const protea_class_rows *r, int class, uint8_t value)
{
    for (int64_t k = r->first[class]; k < r->first[class + 1]; k++)
        is[r->row[k]] = value;
}

/* C of the rows of each sign. */
static void share_cost(double cost[2], const protea_one_vs_all *o, const int8_t *sign, int64_t n, double c)
{
    int64_t of[2] = { 0 };
    for (int64_t i = 0; i < n; i++)
        of[sign[i] > 0]++;
    cost[0] = c;
    cost[1] = c * o->opts.positive_weight;
    for (int s = 0; s < 2 && o->opts.positive_weight == 0; s++)
        cost[s] = of[s] > 0 ? c * (double)n / (2 * (double)of[s]) : c;
}

/* The class, which the worker has marked, against the others among n rows. Returns the duality gap's share. */
static double train_machine(protea_one_vs_all *o, protea_svm_worker *w, int class, const int64_t *row, int64_t n, double c)
{
    protea_svm_end end;
    protea_svm_problem p = { .rows = &o->train, .row = row, .sign = w->sign, .n = n,
                             .rng = protea_rng_make(o->seed, PROTEA_RNG_SHUFFLE, (uint32_t)class, 0, 0) };
    for (int64_t i = 0; i < n; i++)
        w->sign[i] = w->train_is[row[i]] ? 1 : -1;
    share_cost(p.cost, o, w->sign, n, c);
    protea_svm_solve(o->be, w->w, &end, &p, &o->opts.svm, &w->work);
    atomic_fetch_add(&o->unconverged, !end.converged);
    return (end.primal - end.dual) / end.primal;
}

/* Says how far the work is, where this is the thread that asked; false: it is to end. */
static bool go_on(protea_one_vs_all *o)
{
    int64_t done = (int64_t)atomic_fetch_add(&o->done, 1) + 1;
    if (o->progress != NULL && protea_thread_index() == 0 && atomic_load(&o->status) == PROTEA_OK)
        atomic_store(&o->status, (int)o->progress(o->self, done));
    return atomic_load(&o->status) == PROTEA_OK;
}

/* ---- ranking test images */

static double rank_class(protea_one_vs_all *o, protea_svm_worker *w, double ap[static PROTEA_AP_KINDS], int class,
                         const protea_some_training *on, double cost)
{
    const protea_class_rows *test = &o->sets->test;
    mark(w->train_is, &o->sets->train, class, 1);
    mark(w->test_is, test, class, 1);
    double gap = train_machine(o, w, class, on->row, on->n, cost);
    for (int64_t i = 0; i < test->n; i++) {
        double score = protea_svm_score(o->be, w->w, &o->test, test->used[i]);
        w->item[i] = (protea_ranked){ score, w->test_is[test->used[i]] };
        if (o->score != NULL)
            o->score[class * test->n + i] = score;
    }
    for (int k = 0; k < PROTEA_AP_KINDS; k++)
        ap[k] = NAN;
    if (protea_class_size(test, class) > 0)
        protea_average_precision(ap, w->item, test->n);
    mark(w->train_is, &o->sets->train, class, 0);
    mark(w->test_is, test, class, 0);
    return gap;
}

/* How many classes come before the image's own, which is the only one it has; of equal scores the first class does. */
static int rank_of_own(const protea_one_vs_all *o, int64_t i, int own)
{
    const double *score = o->score + i;
    int64_t m = o->sets->test.n;
    int before = 0;
    for (int c = 0; c < o->sets->n_classes; c++)
        before += score[c * m] > score[own * m] || (score[c * m] == score[own * m] && c < own);
    return before;
}

static void count_right(const protea_one_vs_all *o, protea_ranking *out)
{
    enum { FIVE = 5 };
    const protea_class_rows *test = &o->sets->test;
    int64_t right = 0, among = 0;
    for (int c = 0; c < o->sets->n_classes; c++) {
        int64_t i = 0; /* rows of a class ascend, and so do the used ones */
        for (int64_t k = test->first[c]; k < test->first[c + 1]; k++) {
            while (test->used[i] != test->row[k])
                i++;
            int rank = rank_of_own(o, i, c);
            right += rank == 0;
            among += rank < FIVE;
        }
    }
    out->top1 = (double)right / (double)test->n;
    out->top5 = (double)among / (double)test->n;
}

protea_status protea_one_vs_all_rank(protea_one_vs_all *o, protea_ranking *out, const protea_some_training *on, const double *cost)
{
    double gap = 0;
#pragma omp parallel for schedule(dynamic) reduction(max : gap)
    for (int c = 0; c < o->sets->n_classes; c++) {
        if (atomic_load(&o->status) != PROTEA_OK)
            continue;
        double one = rank_class(o, &o->worker[protea_thread_index()], out->ap[c], c, on, cost[c]);
        gap = one > gap ? one : gap;
        go_on(o);
    }
    if (atomic_load(&o->status) != PROTEA_OK)
        return (protea_status)atomic_load(&o->status);
    out->gap = gap;
    out->top1 = out->top5 = NAN;
    if (o->score != NULL)
        count_right(o, out);
    return PROTEA_OK;
}

/* ---- choosing costs */

/* Rows outside the fold come first in worker.row, those in it from the end on. Returns how many are outside. */
static int64_t cut_fold(protea_svm_worker *w, const protea_some_training *on, int fold, int folds)
{
    int64_t seen[2] = { 0 }, outside = 0, inside = 0;
    for (int64_t i = 0; i < on->n; i++) {
        bool in = seen[w->train_is[on->row[i]]]++ % folds == fold;
        w->row[in ? on->n - ++inside : outside++] = on->row[i];
    }
    return outside;
}

/* Average precision of the class on a fold that its machine did not see; the class has a row in every fold. */
static double score_fold(protea_one_vs_all *o, protea_svm_worker *w, int class, const protea_some_training *on, double cost,
                         int fold, int folds)
{
    double ap[PROTEA_AP_KINDS];
    mark(w->train_is, &o->sets->train, class, 1);
    int64_t outside = cut_fold(w, on, fold, folds), inside = on->n - outside;
    train_machine(o, w, class, w->row, outside, cost);
    for (int64_t i = 0; i < inside; i++) {
        int64_t row = w->row[outside + i];
        w->item[i] = (protea_ranked){ protea_svm_score(o->be, w->w, &o->train, row), w->train_is[row] };
    }
    protea_average_precision(ap, w->item, inside);
    mark(w->train_is, &o->sets->train, class, 0);
    return ap[PROTEA_AP_STEPS];
}

static int largest_of(const double *v, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = v[i] > v[best] ? i : best;
    return best;
}

/* Rows of each class among those that are trained on: count (n_classes), zeroed. is (train n): 0, and again after. */
static void count_classes(int64_t *count, uint8_t *is, const protea_one_vs_all *o, const protea_some_training *on)
{
    for (int c = 0; c < o->sets->n_classes; c++) {
        mark(is, &o->sets->train, c, 1);
        for (int64_t i = 0; i < on->n; i++)
            count[c] += is[on->row[i]];
        mark(is, &o->sets->train, c, 0);
    }
}

/* ap (n_classes, n_costs): sums over the folds. */
static protea_status settle_costs(double *cost, const double *ap, const int64_t *count, const protea_one_vs_all *o,
                                  const double *costs, int n_costs, int folds)
{
    double sum[PROTEA_LIST_MAX] = { 0 };
    bool any = false;
    for (int c = 0; c < o->sets->n_classes; c++)
        for (int k = 0; k < n_costs && count[c] >= folds; k++) {
            sum[k] += ap[c * n_costs + k];
            any = true;
        }
    if (!any)
        return protea_fail(PROTEA_ERR_INPUT, "cross-validation in %d folds: no class has as many images, wanted more images or one "
                           "cost", folds);
    for (int c = 0; c < o->sets->n_classes; c++)
        cost[c] = costs[largest_of(count[c] >= folds ? ap + c * n_costs : sum, n_costs)];
    return PROTEA_OK;
}

static protea_status cross_validate(protea_one_vs_all *o, double *cost, double *part, int64_t *count,
                                    const protea_some_training *on, const double *costs, int n_costs, int folds)
{
    int64_t n_classes = o->sets->n_classes, parts = n_classes * n_costs * folds;
    count_classes(count, o->worker[0].train_is, o, on);
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < parts; i++) {
        int class = (int)(i / folds / n_costs);
        if (count[class] < folds || atomic_load(&o->status) != PROTEA_OK)
            continue;
        part[i] = score_fold(o, &o->worker[protea_thread_index()], class, on, costs[i / folds % n_costs], (int)(i % folds), folds);
        go_on(o);
    }
    if (atomic_load(&o->status) != PROTEA_OK)
        return (protea_status)atomic_load(&o->status);
    for (int64_t i = 0; i < n_classes * n_costs; i++) {
        double sum = 0;
        for (int f = 0; f < folds; f++)
            sum += part[i * folds + f];
        part[i] = sum; /* what lies behind is not read before it is summed */
    }
    return settle_costs(cost, part, count, o, costs, n_costs, folds);
}

protea_status protea_one_vs_all_choose(protea_one_vs_all *o, double *cost, const protea_some_training *on, const double *costs,
                                       int n_costs, int folds)
{
    size_t n_classes = (size_t)o->sets->n_classes;
    double *part = NULL;
    int64_t *count = NULL;
    protea_status status = protea_new(&part, n_classes * (size_t)n_costs * (size_t)folds, sizeof *part, "cross-validation");
    if (status == PROTEA_OK)
        status = protea_new(&count, n_classes, sizeof *count, "cross-validation");
    if (status == PROTEA_OK)
        status = cross_validate(o, cost, part, count, on, costs, n_costs, folds);
    protea_free(part);
    protea_free(count);
    return status;
}
