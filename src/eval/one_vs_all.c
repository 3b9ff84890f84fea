/* Each machine is trained by one thread, and its coordinates come in an order drawn for its class alone, so how many threads there
 * are changes nothing. */
#include "eval/one_vs_all.h"

#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "eval/classify.h"
#include "eval/svm_worker.h"

static const double NO_LENGTH = 1e-5; /* PCL's and VISSL's: what keeps a row of zeros from being divided by 0 */

/* ---- opening */

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
        PROTEA_TRY(protea_svm_worker_new(&o->worker[i], o, train->n, test->n, most));
    return PROTEA_OK;
}

void protea_one_vs_all_release(protea_one_vs_all *o)
{
    for (int i = 0; i < o->n_workers; i++)
        protea_svm_worker_release(&o->worker[i]);
    protea_free(o->worker);
    protea_free(o->scales);
    protea_free(o->score);
    *o = (protea_one_vs_all){ .n_workers = 0 };
}

/* ---- ranking test images */

static double rank_class(protea_one_vs_all *o, protea_svm_worker *w, double ap[static PROTEA_AP_KINDS], int class,
                         const protea_some_training *on, double cost)
{
    const protea_class_rows *test = &o->sets->test;
    protea_svm_mark(w->train_is, &o->sets->train, class, 1);
    protea_svm_mark(w->test_is, test, class, 1);
    double gap = protea_svm_train(o, w, class, on->row, on->n, cost);
    for (int64_t i = 0; i < test->n; i++) {
        double score = protea_svm_score(o->be, w->w, &o->test, test->used[i]);
        w->item[i] = (protea_ranked){ score, w->test_is[test->used[i]] };
        if (o->score != NULL)
            o->score[i * o->sets->n_classes + class] = (float)score;
    }
    for (int k = 0; k < PROTEA_AP_KINDS; k++)
        ap[k] = NAN;
    if (protea_class_size(test, class) > 0)
        protea_average_precision(ap, w->item, test->n);
    protea_svm_mark(w->train_is, &o->sets->train, class, 0);
    protea_svm_mark(w->test_is, test, class, 0);
    return gap;
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
            int rank = protea_label_rank(o->score + i * o->sets->n_classes, o->sets->n_classes, c);
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
        protea_svm_tell(o);
    }
    if (atomic_load(&o->status) != PROTEA_OK)
        return (protea_status)atomic_load(&o->status);
    out->gap = gap;
    out->top1 = out->top5 = NAN;
    if (o->score != NULL)
        count_right(o, out);
    return PROTEA_OK;
}
