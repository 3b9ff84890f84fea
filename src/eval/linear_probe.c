/* G classifiers, one for each learning rate, lie side by side in one matrix (G*C,D): a batch costs three matrix products
 * whatever G is, and a row of scores (G*C) is G rows of C to the softmax. */
#include "eval/linear_probe.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "eval/classify.h"
#include "optim/optim_rules.h"

enum { TEST_ROWS = 1024, TOP5 = 5 };
static const double trust = 1e-3, larc_eps = 1e-8;

typedef struct probe {
    protea_ctx *cx;
    const protea_linear_opts *opts;
    const float *train, *test;
    const int32_t *train_label, *test_label;
    int64_t d, c, g, gc;        /* D, C, G, G*C */
    int64_t *row, n;            /* training rows in the epoch's order: owned; how many */
    int64_t *test_row, m;       /* labelled test rows: owned */
    float *w, *b, *vw, *vb;     /* (G*C,D), (G*C), momenta: owned */
    float *dw, *db;             /* owned */
    float *x, *s, *log_sum;     /* (rows,D), (rows,G*C), (rows*G): owned, rows = the larger of batch and test block */
    double *loss;               /* (G): owned */
} probe;

static protea_status labelled_rows(int64_t **out, int64_t *count, const int32_t *label, int64_t n, const char *what)
{
    PROTEA_TRY(protea_new(out, (size_t)n + 1, sizeof **out, what));
    *count = 0;
    for (int64_t i = 0; i < n; i++)
        if (label[i] >= 0)
            (*out)[(*count)++] = i;
    return *count > 0 ? PROTEA_OK : protea_fail(PROTEA_ERR_INPUT, "linear probe: no labelled %s", what);
}

static protea_status allocate(probe *p)
{
    size_t weights = (size_t)(p->gc * p->d), rows = (size_t)p->opts->batch_size;
    rows = rows < TEST_ROWS ? TEST_ROWS : rows;
    PROTEA_TRY(protea_new(&p->w, weights, sizeof *p->w, "a linear probe's weights"));
    PROTEA_TRY(protea_new(&p->vw, weights, sizeof *p->vw, "a linear probe's weights"));
    PROTEA_TRY(protea_new(&p->dw, weights, sizeof *p->dw, "a linear probe's weights"));
    PROTEA_TRY(protea_new(&p->b, (size_t)p->gc, sizeof *p->b, "a linear probe's biases"));
    PROTEA_TRY(protea_new(&p->vb, (size_t)p->gc, sizeof *p->vb, "a linear probe's biases"));
    PROTEA_TRY(protea_new(&p->db, (size_t)p->gc, sizeof *p->db, "a linear probe's biases"));
    PROTEA_TRY(protea_new(&p->x, rows * (size_t)p->d, sizeof *p->x, "a linear probe's batch"));
    PROTEA_TRY(protea_new(&p->s, rows * (size_t)p->gc, sizeof *p->s, "a linear probe's scores"));
    PROTEA_TRY(protea_new(&p->log_sum, rows * (size_t)p->g, sizeof *p->log_sum, "a linear probe's scores"));
    return protea_new(&p->loss, (size_t)p->g, sizeof *p->loss, "a linear probe's losses");
}

static void release(probe *p)
{
    protea_free(p->row), protea_free(p->test_row);
    protea_free(p->w), protea_free(p->vw), protea_free(p->dw);
    protea_free(p->b), protea_free(p->vb), protea_free(p->db);
    protea_free(p->x), protea_free(p->s), protea_free(p->log_sum), protea_free(p->loss);
}

/* Every rate starts from the same N(0, 0.01). */
static void draw_weights(probe *p)
{
    protea_rng rng = protea_rng_make(p->cx->seed, PROTEA_RNG_INIT, 0, 0, 0);
    int64_t one = p->c * p->d;
    for (int64_t i = 0; i < one; i++)
        p->w[i] = 0.01f * protea_rng_normal(&rng);
    for (int64_t g = 1; g < p->g; g++)
        memcpy(p->w + g * one, p->w, (size_t)one * sizeof *p->w);
}

/* s (rows,G*C) = x w^T + b of the rows numbered row[0..rows). */
static protea_status score_rows(probe *p, const float *features, const int64_t *row, int64_t rows)
{
    protea_backend *be = p->cx->be;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < rows; i++)
        memcpy(p->x + i * p->d, features + row[i] * p->d, (size_t)p->d * sizeof *p->x);
    PROTEA_TRY(be->k.gemm(be, p->s, p->x, p->w, false, true, rows, p->gc, p->d, 1, 0, p->d, p->d, p->gc));
    be->k.add_bias(be, p->s, p->b, rows, p->gc);
    return PROTEA_OK;
}

/* Scores become their gradients (softmax - label) / rows; the losses are added up. */
static void cross_entropy(probe *p, const int64_t *row, int64_t rows)
{
    protea_backend *be = p->cx->be;
    for (int64_t g = 0; g < p->g; g++) {
        double sum = 0;
        for (int64_t i = 0; i < rows; i++)
            sum -= (double)p->s[i * p->gc + g * p->c + p->train_label[row[i]]];
        p->loss[g] += sum;
    }
    be->k.softmax(be, p->s, p->log_sum, p->s, 1, rows * p->g, p->c);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t g = 0; g < p->g; g++) {
            float *ds = p->s + i * p->gc + g * p->c;
            p->loss[g] += (double)p->log_sum[i * p->g + g];
            ds[p->train_label[row[i]]] -= 1;
        }
    float scale = 1 / (float)rows;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < rows * p->gc; i++)
        p->s[i] *= scale;
}

/* One tensor of one rate. LARC as apex has it: where a norm is 0 the gradient stays as it is. */
static void update(const probe *p, float *w, float *v, const float *g, int64_t n, double lr)
{
    double wd = p->opts->wd, scale = 1;
    if (p->opts->larc) {
        double length = protea_l2_norm(w, n), gradient = protea_l2_norm(g, n);
        if (length > 0 && gradient > 0)
            scale = trust * length / (gradient + wd * length + larc_eps);
        else
            wd = 0;
    }
    protea_sgd_update(w, v, g, n, (float)lr, (float)p->opts->momentum, (float)wd, (float)scale);
}

static protea_status train_batch(probe *p, const int64_t *row, int64_t rows, const double *lr)
{
    protea_backend *be = p->cx->be;
    PROTEA_TRY(score_rows(p, p->train, row, rows));
    cross_entropy(p, row, rows);
    PROTEA_TRY(be->k.gemm(be, p->dw, p->s, p->x, true, false, p->gc, p->d, rows, 1, 0, p->gc, p->d, p->d));
    memset(p->db, 0, (size_t)p->gc * sizeof *p->db);
    be->k.bias_backward(be, p->db, p->s, rows, p->gc);
    for (int64_t g = 0; g < p->g; g++) {
        int64_t first = g * p->c;
        update(p, p->w + first * p->d, p->vw + first * p->d, p->dw + first * p->d, p->c * p->d, lr[g]);
        update(p, p->b + first, p->vb + first, p->db + first, p->c, lr[g]);
    }
    return PROTEA_OK;
}

static protea_status train_epoch(probe *p, int64_t epoch)
{
    double lr[PROTEA_MAX_SWEEP];
    protea_rng rng = protea_rng_make(p->cx->seed, PROTEA_RNG_SHUFFLE, (uint32_t)epoch, 0, 0);
    protea_schedule schedule = { .total_steps = p->opts->epochs, .shape = p->opts->schedule, .steps_per_epoch = 1,
                                 .milestones = p->opts->milestones };
    for (int64_t g = 0; g < p->g; g++) {
        schedule.base = p->opts->lr.v[g];
        lr[g] = protea_schedule_lr(&schedule, epoch);
        p->loss[g] = 0;
    }
    protea_rng_shuffle(&rng, p->row, p->n);
    for (int64_t first = 0; first < p->n; first += p->opts->batch_size) {
        int64_t left = p->n - first;
        PROTEA_TRY(train_batch(p, p->row + first, left < p->opts->batch_size ? left : p->opts->batch_size, lr));
    }
    return PROTEA_OK;
}

static protea_status test_epoch(probe *p, protea_linear_score *score, int64_t epoch)
{
    int64_t right[PROTEA_MAX_SWEEP] = { 0 }, among[PROTEA_MAX_SWEEP] = { 0 };
    for (int64_t first = 0; first < p->m; first += TEST_ROWS) {
        int64_t rows = p->m - first < TEST_ROWS ? p->m - first : TEST_ROWS;
        PROTEA_TRY(score_rows(p, p->test, p->test_row + first, rows));
        for (int64_t i = 0; i < rows; i++)
            for (int64_t g = 0; g < p->g; g++) {
                int rank = protea_label_rank(p->s + i * p->gc + g * p->c, p->c, p->test_label[p->test_row[first + i]]);
                right[g] += rank == 0;
                among[g] += rank < TOP5;
            }
    }
    for (int64_t g = 0; g < p->g; g++) {
        score[g].loss = p->loss[g] / (double)p->n;
        score[g].last_top1 = (double)right[g] / (double)p->m;
        score[g].last_top5 = (double)among[g] / (double)p->m;
        if (epoch == 1 || score[g].last_top1 > score[g].best_top1) {
            score[g].best_top1 = score[g].last_top1;
            score[g].best_top5 = score[g].last_top5;
            score[g].best_epoch = epoch;
        }
    }
    return PROTEA_OK;
}

static protea_status check_finite(const probe *p, const protea_linear_score *score)
{
    for (int64_t g = 0; g < p->g; g++)
        if (isfinite(score[g].loss))
            return PROTEA_OK;
    return protea_fail(PROTEA_ERR_DIVERGED, "linear probe: no learning rate stays finite, the lowest being %g; try lower ones",
                       p->opts->lr.v[0]);
}

static protea_status run(probe *p, protea_linear_score *score, protea_linear_progress progress, void *self)
{
    for (int64_t g = 0; g < p->g; g++)
        score[g] = (protea_linear_score){ .lr = p->opts->lr.v[g] };
    draw_weights(p);
    for (int64_t epoch = 0; epoch < p->opts->epochs; epoch++) {
        if (p->opts->refresh != NULL)
            PROTEA_TRY(p->opts->refresh(self, epoch));
        PROTEA_TRY(train_epoch(p, epoch));
        PROTEA_TRY(test_epoch(p, score, epoch + 1));
        PROTEA_TRY(check_finite(p, score));
        if (progress != NULL)
            PROTEA_TRY(progress(self, epoch + 1, score));
    }
    return PROTEA_OK;
}

protea_status protea_linear_probe(protea_ctx *cx, protea_linear_score *score, const float *train, const int32_t *train_label,
                                  int64_t n, const float *test, const int32_t *test_label, int64_t m, int64_t d, int n_classes,
                                  const protea_linear_opts *opts, protea_linear_progress progress, void *self)
{
    probe p = { .cx = cx, .opts = opts, .train = train, .test = test, .train_label = train_label, .test_label = test_label,
                .d = d, .c = n_classes, .g = opts->lr.n, .gc = opts->lr.n * n_classes };
    protea_status status = labelled_rows(&p.row, &p.n, train_label, n, "training rows");
    if (status == PROTEA_OK)
        status = labelled_rows(&p.test_row, &p.m, test_label, m, "test rows");
    if (status == PROTEA_OK)
        status = allocate(&p);
    if (status == PROTEA_OK)
        status = run(&p, score, progress, self);
    release(&p);
    return status;
}
