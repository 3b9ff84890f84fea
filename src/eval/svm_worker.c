#include "eval/svm_worker.h"

#include "base/alloc.h"
#include "base/parallel.h"

protea_status protea_svm_worker_new(protea_svm_worker *w, const protea_one_vs_all *o, int64_t train_n, int64_t test_n,
                                    int64_t most)
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

void protea_svm_worker_release(protea_svm_worker *w)
{
    protea_svm_work_release(&w->work);
    protea_free(w->w);
    protea_free(w->sign);
    protea_free(w->row);
    protea_free(w->train_is);
    protea_free(w->test_is);
    protea_free(w->item);
}

void protea_svm_mark(uint8_t *is, const protea_class_rows *r, int class, uint8_t value)
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

double protea_svm_train(protea_one_vs_all *o, protea_svm_worker *w, int class, const int64_t *row, int64_t n, double c)
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

void protea_svm_tell(protea_one_vs_all *o)
{
    int64_t done = (int64_t)atomic_fetch_add(&o->done, 1) + 1;
    if (o->progress != NULL && protea_thread_index() == 0 && atomic_load(&o->status) == PROTEA_OK)
        atomic_store(&o->status, (int)o->progress(o->self, done));
}
