/* Choosing costs of SVMs by cross-validation. */
#include "base/alloc.h"
#include "base/parallel.h"
#include "eval/svm_worker.h"

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
    protea_svm_mark(w->train_is, &o->sets->train, class, 1);
    int64_t outside = cut_fold(w, on, fold, folds), inside = on->n - outside;
    protea_svm_train(o, w, class, w->row, outside, cost);
    for (int64_t i = 0; i < inside; i++) {
        int64_t row = w->row[outside + i];
        w->item[i] = (protea_ranked){ protea_svm_score(o->be, w->w, &o->train, row), w->train_is[row] };
    }
    protea_average_precision(ap, w->item, inside);
    protea_svm_mark(w->train_is, &o->sets->train, class, 0);
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
        protea_svm_mark(is, &o->sets->train, c, 1);
        for (int64_t i = 0; i < on->n; i++)
            count[c] += is[on->row[i]];
        protea_svm_mark(is, &o->sets->train, c, 0);
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
        protea_svm_tell(o);
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
