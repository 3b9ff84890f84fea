/* Ten updates of each optimiser are PyTorch's; LARC's golden number and its rule for zero norms; frozen and fixed-rate
 * parameters; state that is visited resumes to the same bits; equal bits for any number of threads. */
#include "support/test_context.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optim/optim.h"
#include "optim/optim_rules.h"
#include "support/formula.h"

enum { STEPS = 10, N_PARAMS = 4 };

typedef struct model {
    protea_param p[N_PARAMS];
} model;

static const char *const NAMES[N_PARAMS] = { "matrix", "bias", "late", "rests" };

static protea_status visit_model(void *self, const protea_visitor *v)
{
    model *m = self;
    for (int i = 0; i < N_PARAMS; i++)
        PROTEA_TRY(v->param(v->self, NAMES[i], &m->p[i]));
    return PROTEA_OK;
}

/* As tools/oracle/optim.py has it. */
static model model_new(void)
{
    static const int64_t dim[N_PARAMS][2] = { { 7, 5 }, { 5 }, { 9 }, { 3, 4 } };
    model m = { 0 };
    for (int i = 0; i < N_PARAMS; i++) {
        assert_ok(protea_param_new(&m.p[i], dim[i][1] ? 2 : 1, dim[i]));
        m.p[i].no_decay = dim[i][1] == 0;
        if (i != 1)
            formula_fill(protea_f32(&m.p[i].w), protea_count(&m.p[i].w), NAMES[i], 0, 1);
    }
    return m;
}

static void model_free(model *m)
{
    for (int i = 0; i < N_PARAMS; i++)
        protea_param_release(&m->p[i]);
}

static void set_gradients(model *m, int step)
{
    for (int i = 0; i < N_PARAMS; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.%d", NAMES[i], step);
        formula_fill(protea_f32(&m->p[i].dw), protea_count(&m->p[i].dw), name, 0, i == 3 && step == 4 ? 0 : .1);
    }
    m->p[2].frozen = step < 3;
}

static protea_optim_opts options(int optimizer)
{
    return (protea_optim_opts){ .optimizer = optimizer, .lr = .3, .momentum = .9, .wd = .01, .beta1 = .9, .beta2 = .999,
                                .adam_eps = 1e-8, .exclude_1d = 1 };
}

static void run_steps(protea_ctx *cx, model *m, protea_optim *optim, int first, int last)
{
    for (int step = first; step < last; step++) {
        set_gradients(m, step);
        assert_ok(protea_optim_step(cx, optim, .3 * (1 + step) / STEPS));
    }
}

/* Elements after ten updates, as PyTorch left them: 2e-6 of the largest, a few roundings in each of ten steps. */
static void compare_with_file(const model *m, const char *optimizer)
{
    char word[64], key[64];
    int lines = 0;
    FILE *f = fopen(TEST_DATA "/optim.txt", "r");
    assert_non_null(f);
    while (fscanf(f, "%63s %63s", word, key) == 2) {
        for (int i = 0; i < N_PARAMS; i++) {
            if (strcmp(key, NAMES[i]) != 0)
                continue;
            lines += strcmp(word, optimizer) == 0;
            for (int64_t j = 0; j < protea_count(&m->p[i].w); j++) {
                float wanted;
                assert_int_equal(fscanf(f, "%f", &wanted), 1);
                if (strcmp(word, optimizer) == 0)
                    assert_float_equal(protea_f32(&m->p[i].w)[j], wanted, 2e-6);
            }
        }
    }
    fclose(f);
    assert_int_equal(lines, N_PARAMS);
}

static void ten_updates_are_pytorchs(void **state)
{
    (void)state;
    static const char *const optimizers[] = { "sgd", "larc", "lars", "adam" };
    protea_ctx cx = test_context_open(1 << 12);
    for (int o = 0; o < 4; o++) {
        model m = model_new();
        protea_optim *optim;
        protea_optim_opts opts = options(o);
        assert_ok(protea_optim_new(&optim, &opts, visit_model, &m));
        run_steps(&cx, &m, optim, 0, STEPS);
        compare_with_file(&m, optimizers[o]);
        protea_optim_free(optim);
        model_free(&m);
    }
    test_context_close(&cx);
}

/* One parameter (.3,-.4) with gradient (.03,.04). */
typedef struct pair { protea_param p; } pair;
static protea_status visit_pair(void *self, const protea_visitor *v)
{
    return v->param(v->self, "pair", &((pair *)self)->p);
}

static pair pair_new(float p0, float p1, float g0, float g1)
{
    static const int64_t two[1] = { 2 };
    pair m = { 0 };
    assert_ok(protea_param_new(&m.p, 1, two));
    protea_f32(&m.p.w)[0] = p0, protea_f32(&m.p.w)[1] = p1;
    protea_f32(&m.p.dw)[0] = g0, protea_f32(&m.p.dw)[1] = g1;
    return m;
}

static void step_pair(protea_ctx *cx, pair *m, const protea_optim_opts *opts, double lr)
{
    protea_optim *optim;
    assert_ok(protea_optim_new(&optim, opts, visit_pair, m));
    assert_ok(protea_optim_step(cx, optim, lr));
    protea_optim_free(optim);
}

static protea_status copy_two(void *self, const char *name, protea_tensor *t)
{
    (void)name;
    memcpy(self, t->data, 2 * sizeof(float));
    return PROTEA_OK;
}

static void larc_golden(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 12);
    protea_optim_opts opts = options(PROTEA_OPTIM_LARC);
    protea_optim *optim;
    float scaled[2]; /* the momentum after one step: a (g + wd p), a = .00999990 */
    opts.wd = 1e-6;
    pair m = pair_new(.3f, -.4f, .03f, .04f);
    assert_ok(protea_optim_new(&optim, &opts, visit_pair, &m));
    assert_ok(protea_optim_step(&cx, optim, 1));
    assert_ok(protea_optim_visit(optim, &(protea_visitor){ .buffer = copy_two, .self = scaled }));
    protea_optim_free(optim);
    assert_true(fabs(scaled[0] - 3e-4) < 2e-10);
    assert_true(fabs(scaled[1] - (4e-4 - 8e-9)) < 2e-10);
    assert_float_equal(protea_f32(&m.p.w)[0], (float)(.3 - 2.99997e-4 - 3e-9), 3e-8);
    assert_float_equal(protea_f32(&m.p.w)[1], (float)(-.4 - 3.99996e-4 + 4e-9), 3e-8);
    protea_param_release(&m.p);
    m = pair_new(0, 0, .03f, .04f); /* a parameter of norm 0: the bare gradient at lr */
    step_pair(&cx, &m, &opts, .5);
    assert_float_equal(protea_f32(&m.p.w)[0], -.015, 1e-9);
    assert_float_equal(protea_f32(&m.p.w)[1], -.02, 1e-9);
    protea_param_release(&m.p);
    m = pair_new(.3f, -.4f, 0, 0); /* a gradient of norm 0: no decay either */
    opts.wd = .5;
    step_pair(&cx, &m, &opts, .5);
    assert_float_equal(protea_f32(&m.p.w)[0], .3f, 0);
    assert_float_equal(protea_f32(&m.p.w)[1], -.4f, 0);
    protea_param_release(&m.p);
    test_context_close(&cx);
}

static void frozen_and_fixed(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 12);
    protea_optim_opts opts = options(PROTEA_OPTIM_SGD);
    pair m = pair_new(.3f, -.4f, .03f, .04f);
    m.p.frozen = true;
    step_pair(&cx, &m, &opts, 1);
    assert_float_equal(protea_f32(&m.p.w)[0], .3f, 0);
    m.p.frozen = false;
    m.p.fixed_lr = true;
    step_pair(&cx, &m, &opts, 1000); /* keeps opts.lr = .3 */
    assert_float_equal(protea_f32(&m.p.w)[0], (float)(.3 - .3 * (.03 + .01 * .3)), 1e-7);
    protea_param_release(&m.p);
    test_context_close(&cx);
}

/* Copies state out and in, as a checkpoint does. */
typedef struct store { float data[1024]; size_t at; bool loading; } store;
static protea_status copy_state(void *self, const char *name, protea_tensor *t)
{
    store *s = self;
    assert_memory_equal(name, "optimizer.", 10);
    float *kept = &s->data[s->at];
    memcpy(s->loading ? t->data : kept, s->loading ? (void *)kept : t->data, protea_bytes(t));
    s->at += (size_t)protea_count(t);
    assert_true(s->at <= 1024);
    return PROTEA_OK;
}

static void copy_weights(model *to, const model *from)
{
    for (int i = 0; i < N_PARAMS; i++)
        memcpy(to->p[i].w.data, from->p[i].w.data, protea_bytes(&from->p[i].w));
}

static void resumes_to_the_same_bits(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 12);
    for (int o = 0; o < 4; o++) {
        model whole = model_new(), resumed = model_new();
        protea_optim *optim, *again;
        protea_optim_opts opts = options(o);
        store s = { .loading = false };
        protea_visitor visitor = { .buffer = copy_state, .self = &s };
        assert_ok(protea_optim_new(&optim, &opts, visit_model, &whole));
        assert_ok(protea_optim_new(&again, &opts, visit_model, &resumed));
        run_steps(&cx, &whole, optim, 0, 5);
        assert_ok(protea_optim_visit(optim, &visitor));
        copy_weights(&resumed, &whole);
        s.loading = true;
        s.at = 0;
        assert_ok(protea_optim_visit(again, &visitor));
        run_steps(&cx, &whole, optim, 5, STEPS);
        run_steps(&cx, &resumed, again, 5, STEPS);
        for (int i = 0; i < N_PARAMS; i++)
            assert_memory_equal(whole.p[i].w.data, resumed.p[i].w.data, protea_bytes(&whole.p[i].w));
        protea_optim_free(optim);
        protea_optim_free(again);
        model_free(&whole);
        model_free(&resumed);
    }
    test_context_close(&cx);
}

static void norm_is_exact_and_fixed(void **state)
{
    (void)state;
    enum { N = 100003 };
    float *x = malloc(N * sizeof *x);
    double plain = 0;
    int before = protea_threads();
    formula_fill(x, N, "norm", 0, 1e-25); /* squares underflow in float */
    for (int i = 0; i < N; i++)
        plain += (double)x[i] * x[i];
    protea_set_threads(1);
    double one = protea_l2_norm(x, N);
    assert_true(fabs(one - sqrt(plain)) < 1e-12 * one);
    for (int threads = 2; threads < 6; threads++) {
        protea_set_threads(threads);
        double norm = protea_l2_norm(x, N);
        assert_memory_equal(&one, &norm, sizeof one);
    }
    protea_set_threads(before);
    free(x);
}

static void other_parameters_are_refused(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 12);
    model m = model_new();
    protea_optim *optim;
    protea_optim_opts opts = options(PROTEA_OPTIM_SGD);
    assert_ok(protea_optim_new(&optim, &opts, visit_model, &m));
    int64_t fewer[1] = { 4 };
    protea_param_release(&m.p[1]);
    assert_ok(protea_param_new(&m.p[1], 1, fewer));
    assert_int_equal(protea_optim_step(&cx, optim, .1), PROTEA_ERR_INTERNAL);
    assert_non_null(strstr(protea_last_error(), "bias"));
    protea_optim_free(optim);
    model_free(&m);
    test_context_close(&cx);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    model m = model_new();
    protea_optim_opts opts = options(PROTEA_OPTIM_ADAM);
    protea_optim *optim = NULL;
    long n = 1;
    for (; n < 200; n++) {
        protea_alloc_fail_after(n, 0);
        protea_status status = protea_optim_new(&optim, &opts, visit_model, &m);
        protea_alloc_fail_after(0, 0);
        if (status == PROTEA_OK)
            break;
        assert_int_equal(status, PROTEA_ERR_MEMORY);
        assert_null(optim);
    }
    assert_true(n > 16 && n < 200);
    protea_optim_free(optim);
    model_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_updates_are_pytorchs), cmocka_unit_test(larc_golden), cmocka_unit_test(frozen_and_fixed),
        cmocka_unit_test(resumes_to_the_same_bits), cmocka_unit_test(norm_is_exact_and_fixed),
        cmocka_unit_test(other_parameters_are_refused), cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
