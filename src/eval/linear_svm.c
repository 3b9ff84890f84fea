/* One variable of the dual at a time (docs/math/svm.md has the letters):
 *
 *     G = y_i w.x_i - 1 + D_i alpha_i,   alpha_i <- min(max(alpha_i - G / (|x_i|^2 + D_i), 0), U_i),   w += the change y_i x_i.
 *
 * Rows whose variable sits at a bound, and by its gradient will stay there, are left out for a while (the paper's shrinking) and
 * all looked at again before the end. */
#include "eval/linear_svm.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

static const double NO_STEP = 1e-12; /* a projected gradient below this moves nothing */

/* Of one problem while it is solved. */
typedef struct descent {
    protea_backend *be;
    const protea_svm_problem *p;
    protea_svm_loss loss;
    double *w;
    protea_svm_work *work;
    int64_t active;          /* rows that are not left out: the first of order */
    double largest, least;   /* projected gradients of this pass */
    protea_rng rng;
    double above, below;     /* those of the last one: beyond them a variable at its bound is left out */
} descent;

protea_status protea_svm_work_new(protea_svm_work *work, int64_t n)
{
    *work = (protea_svm_work){ 0 };
    PROTEA_TRY(protea_new(&work->alpha, (size_t)n, sizeof *work->alpha, "an SVM's variables"));
    return protea_new(&work->order, (size_t)n, sizeof *work->order, "an SVM's variables");
}

void protea_svm_work_release(protea_svm_work *work)
{
    protea_free(work->alpha);
    protea_free(work->order);
    *work = (protea_svm_work){ 0 };
}

double protea_svm_score(protea_backend *be, const double *w, const protea_svm_rows *rows, int64_t row)
{
    return rows->scale[row] * be->k.dot_wide(be, w, rows->x + row * rows->d, rows->d) + w[rows->d];
}

static void add_row(descent *s, int64_t i, double a)
{
    const protea_svm_rows *rows = s->p->rows;
    int64_t row = s->p->row[i];
    s->be->k.axpy_wide(s->be, s->w, a * rows->scale[row], rows->x + row * rows->d, rows->d);
    s->w[rows->d] += a;
}

static double cost_of(const protea_svm_problem *p, int64_t i)
{
    return p->cost[p->sign[i] > 0];
}

/* D_i. */
static double diagonal_of(const descent *s, int64_t i)
{
    return s->loss == PROTEA_SQUARED_HINGE ? 0.5 / cost_of(s->p, i) : 0;
}

/* U_i. */
static double bound_of(const descent *s, int64_t i)
{
    return s->loss == PROTEA_SQUARED_HINGE ? INFINITY : cost_of(s->p, i);
}

/* Row i's step. False: its variable stays at its bound, and it is left out. */
static bool step(descent *s, int64_t i)
{
    double *alpha = &s->work->alpha[i], sign = s->p->sign[i], bound = bound_of(s, i), diagonal = diagonal_of(s, i);
    double gradient = sign * protea_svm_score(s->be, s->w, s->p->rows, s->p->row[i]) - 1 + diagonal * *alpha;
    if ((*alpha == 0 && gradient > s->above) || (*alpha == bound && gradient < s->below))
        return false;
    double projected = (*alpha == 0 && gradient > 0) || (*alpha == bound && gradient < 0) ? 0 : gradient;
    s->largest = fmax(s->largest, projected);
    s->least = fmin(s->least, projected);
    if (fabs(projected) > NO_STEP) {
        double before = *alpha;
        *alpha = fmin(fmax(before - gradient / (s->p->rows->square[s->p->row[i]] + diagonal), 0), bound);
        add_row(s, i, (*alpha - before) * sign);
    }
    return true;
}

static void pass(descent *s)
{
    int64_t *order = s->work->order;
    s->largest = -INFINITY;
    s->least = INFINITY;
    protea_rng_shuffle(&s->rng, order, s->active);
    for (int64_t at = 0; at < s->active;) {
        int64_t i = order[at];
        if (step(s, i)) {
            at++;
            continue;
        }
        order[at] = order[--s->active];
        order[s->active] = i;
    }
}

static void look_at_all(descent *s)
{
    s->active = s->p->n;
    s->above = INFINITY;
    s->below = -INFINITY;
}

static void descend(descent *s, protea_svm_end *end, const protea_svm_opts *opts)
{
    look_at_all(s);
    while (!end->converged && end->passes < opts->max_passes) {
        pass(s);
        end->passes++;
        if (s->active == 0 || s->largest - s->least <= opts->tolerance) {
            end->converged = s->active == s->p->n;
            look_at_all(s);
        } else {
            s->above = s->largest > 0 ? s->largest : INFINITY;
            s->below = s->least < 0 ? s->least : -INFINITY;
        }
    }
}

/* Both problems' values at w and alpha. */
static void measure(const descent *s, protea_svm_end *end)
{
    const protea_svm_problem *p = s->p;
    double square = 0, losses = 0, sum = 0, diagonals = 0;
    for (int64_t j = 0; j <= p->rows->d; j++)
        square += s->w[j] * s->w[j];
    for (int64_t i = 0; i < p->n; i++) {
        double alpha = s->work->alpha[i], short_by = fmax(0, 1 - p->sign[i] * protea_svm_score(s->be, s->w, p->rows, p->row[i]));
        losses += cost_of(p, i) * (s->loss == PROTEA_SQUARED_HINGE ? short_by * short_by : short_by);
        sum += alpha;
        diagonals += diagonal_of(s, i) * alpha * alpha;
    }
    end->primal = square / 2 + losses;
    end->dual = sum - square / 2 - diagonals / 2;
}

void protea_svm_solve(protea_backend *be, double *w, protea_svm_end *end, const protea_svm_problem *problem,
                      const protea_svm_opts *opts, protea_svm_work *work)
{
    descent s = { .be = be, .p = problem, .loss = opts->loss, .w = w, .work = work, .rng = problem->rng };
    *end = (protea_svm_end){ .passes = 0 };
    memset(w, 0, (size_t)(problem->rows->d + 1) * sizeof *w);
    for (int64_t i = 0; i < problem->n; i++) {
        work->alpha[i] = 0;
        work->order[i] = i;
    }
    descend(&s, end, opts);
    measure(&s, end);
}
