/* Proves: batch-norm's running statistics move as documented, with one group and with several (SplitBN); two ranks with half the
 * batch each compute what one rank computes with all of it: output, gradients, running statistics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <pthread.h>

#include "isa.h"
#include "nn/layers.h"
#include "support/engine.h"
#include "support/formula.h"

enum { N = 12, C = 5 };

/* ---- one forward and backward over rows */

typedef struct step {
    protea_module *module;
    protea_tape *tape;
    protea_pass pass;
    int64_t first, n;          /* rows of the whole batch this rank has */
    bool spoilt;               /* x[0] is infinite */
    float y[N * C], dx[N * C]; /* (n,C) */
} step;

typedef struct tensors {
    float mean[C], var[C], batches, dgamma[C], dbeta[C];
} tensors;

static protea_status load_rows(protea_ctx *cx, const step *s, protea_tensor *t, const char *name)
{
    float whole[N * C];
    PROTEA_TRY(protea_tensor_rows(cx, t, PROTEA_KEPT, s->n, C));
    formula_fill(whole, N * C, name, 3, 1);
    if (!cx->planning)
        memcpy(t->data, whole + s->first * C, protea_bytes(t));
    return PROTEA_OK;
}

static protea_status run_step(protea_ctx *cx, void *self)
{
    step *s = self;
    protea_tensor x, y, dy, dx;
    s->pass.tape = s->tape;
    PROTEA_TRY(load_rows(cx, s, &x, "x"));
    PROTEA_TRY(load_rows(cx, s, &dy, "dy"));
    if (s->spoilt && !cx->planning)
        protea_f32(&x)[0] = (float)INFINITY;
    PROTEA_TRY(protea_forward(cx, s->module, &s->pass, &x, &y));
    if (!cx->planning)
        memcpy(s->y, y.data, protea_bytes(&y));
    PROTEA_TRY(protea_backward(cx, s->module, s->tape, &dy, &dx));
    if (!cx->planning)
        memcpy(s->dx, dx.data, protea_bytes(&dx));
    return PROTEA_OK;
}

static protea_status take_param(void *self, const char *name, protea_param *p)
{
    tensors *t = self;
    memcpy(strcmp(name, "weight") == 0 ? t->dgamma : t->dbeta, p->dw.data, protea_bytes(&p->dw));
    return PROTEA_OK;
}

static protea_status take_buffer(void *self, const char *name, protea_tensor *buffer)
{
    tensors *t = self;
    float *to = strcmp(name, "running_mean") == 0 ? t->mean : strcmp(name, "running_var") == 0 ? t->var : &t->batches;
    memcpy(to, buffer->data, protea_bytes(buffer));
    return PROTEA_OK;
}

/* comm: NULL for a process alone. */
static tensors run_rank(step *s, protea_comm *comm)
{
    tensors out;
    protea_ctx cx;
    engine_open(&cx, test_isa(), PROTEA_F32);
    protea_comm *own = cx.comm;
    cx.comm = comm ? comm : own;
    must(protea_tape_new(&s->tape));
    must(protea_batchnorm_new(&s->module, C, true, false));
    must(protea_visit(s->module, "", &(protea_visitor){ .param = formula_visit }));
    engine_run(&cx, run_step, s);
    must(protea_visit(s->module, "", &(protea_visitor){ take_param, take_buffer, &out }));
    protea_module_free(s->module);
    protea_tape_free(s->tape);
    cx.comm = own;
    engine_close(&cx);
    return out;
}

/* ---- running statistics */

/* The formula in double: mean over groups of 0.9 old + 0.1 batch, with the unbiased variance. */
static void check_running(int64_t groups, int64_t run)
{
    float x[N * C];
    step s = { .pass = { .batch_stats = true, .update_stats = true, .bn_groups = groups, .bn_run = run }, .n = N };
    tensors t = run_rank(&s, NULL);
    formula_fill(x, N * C, "x", 3, 1);
    for (int64_t c = 0; c < C; c++) {
        double mean_wanted = 0, var_wanted = 0;
        for (int64_t g = 0; g < groups; g++) {
            double n = (double)(N / groups), sum = 0, square = 0;
            for (int64_t i = 0; i < N; i++)
                sum += i / run % groups == g ? x[i * C + c] : 0;
            for (int64_t i = 0; i < N; i++)
                square += i / run % groups == g ? pow(x[i * C + c] - sum / n, 2) : 0;
            mean_wanted += (0.9 * 0 + 0.1 * sum / n) / (double)groups;
            var_wanted += (0.9 * 1 + 0.1 * square / (n - 1)) / (double)groups;
        }
        assert_true(fabs(t.mean[c] - mean_wanted) < 1e-6 && fabs(t.var[c] - var_wanted) < 1e-6);
    }
    assert_true(t.batches == 1);
}

static void running_statistics_move(void **state)
{
    (void)state;
    check_running(1, N);
    check_running(3, N / 3);
    check_running(4, 1);
    check_running(2, 2);
}

/* Those of the spoilt channel stay, the others move. */
static void running_statistics_are_finite(void **state)
{
    (void)state;
    step s = { .pass = { .batch_stats = true, .update_stats = true }, .n = N, .spoilt = true };
    tensors t = run_rank(&s, NULL);
    assert_true(t.mean[0] == 0 && t.var[0] == 1);
    for (int64_t c = 1; c < C; c++)
        assert_true(isfinite(t.mean[c]) && t.mean[c] != 0 && isfinite(t.var[c]) && t.var[c] != 1);
}

static void running_statistics_stay(void **state)
{
    (void)state;
    step batch_only = { .pass = { .batch_stats = true }, .n = N }, running = { .pass = { .update_stats = true }, .n = N };
    tensors t = run_rank(&batch_only, NULL), u = run_rank(&running, NULL);
    for (int c = 0; c < C; c++)
        assert_true(t.mean[c] == 0 && t.var[c] == 1 && u.mean[c] == 0 && u.var[c] == 1);
    assert_true(t.batches == 0 && u.batches == 0);
}

static void uneven_groups_are_refused(void **state)
{
    (void)state;
    protea_ctx cx;
    step s = { .pass = { .batch_stats = true, .bn_groups = 5 }, .n = N };
    engine_open(&cx, test_isa(), PROTEA_F32);
    must(protea_tape_new(&s.tape));
    must(protea_batchnorm_new(&s.module, C, true, false));
    assert_int_equal(protea_plan_arenas(&cx, run_step, &s, NULL, NULL), PROTEA_ERR_INTERNAL);
    assert_non_null(strstr(protea_last_error(), "12 samples"));
    s.pass = (protea_pass){ .batch_stats = true, .bn_groups = 2, .bn_run = 4 };
    assert_int_equal(protea_plan_arenas(&cx, run_step, &s, NULL, NULL), PROTEA_ERR_INTERNAL);
    protea_module_free(s.module);
    protea_tape_free(s.tape);
    engine_close(&cx);
}

/* ---- two ranks as two threads */

typedef struct pair {
    pthread_barrier_t barrier;
    double *of[2];
} pair;

typedef struct rank {
    protea_comm comm;
    pair *both;
    step step;
    tensors out;
} rank;

static protea_status sum_pair(protea_comm *comm, double *x, size_t n)
{
    pair *both = ((rank *)comm)->both;
    double sum[4 * C];
    assert_true(n <= 4 * C);
    both->of[comm->rank] = x;
    pthread_barrier_wait(&both->barrier);
    for (size_t i = 0; i < n; i++)
        sum[i] = both->of[0][i] + both->of[1][i];
    pthread_barrier_wait(&both->barrier);
    memcpy(x, sum, n * sizeof *x);
    return PROTEA_OK;
}

static void *run_half(void *self)
{
    rank *r = self;
    r->out = run_rank(&r->step, &r->comm);
    return NULL;
}

static void assert_near(const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= 2e-6f * (1 + fabsf(b[i]))))
            fail_msg("element %d: %.9g and %.9g", (int)i, (double)a[i], (double)b[i]);
}

static void two_ranks_are_one(void **state)
{
    (void)state;
    pair both;
    rank r[2];
    pthread_t thread[2];
    const protea_pass pass = { .batch_stats = true, .update_stats = true };
    step whole = { .pass = pass, .n = N };
    tensors want = run_rank(&whole, NULL);
    pthread_barrier_init(&both.barrier, NULL, 2);
    for (int i = 0; i < 2; i++) {
        r[i] = (rank){ .comm = { .rank = i, .size = 2, .sum_f64 = sum_pair }, .both = &both,
                       .step = { .pass = pass, .first = i * N / 2, .n = N / 2 } };
        assert_int_equal(pthread_create(&thread[i], NULL, run_half, &r[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&both.barrier);
    for (int i = 0; i < 2; i++) {
        assert_near(r[i].step.y, whole.y + i * N / 2 * C, N / 2 * C);
        assert_near(r[i].step.dx, whole.dx + i * N / 2 * C, N / 2 * C);
        assert_near(r[i].out.mean, want.mean, C);
        assert_near(r[i].out.var, want.var, C);
    }
    for (int c = 0; c < C; c++) { /* parameters' gradients are local sums */
        r[0].out.dgamma[c] += r[1].out.dgamma[c];
        r[0].out.dbeta[c] += r[1].out.dbeta[c];
    }
    assert_near(r[0].out.dgamma, want.dgamma, C);
    assert_near(r[0].out.dbeta, want.dbeta, C);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_statistics_move), cmocka_unit_test(running_statistics_are_finite),
        cmocka_unit_test(running_statistics_stay), cmocka_unit_test(uneven_groups_are_refused), cmocka_unit_test(two_ranks_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
