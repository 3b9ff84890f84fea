/* Proves: the linear probe reaches the optimum that PyTorch finds (tools/oracle/linear_probe.py) and steps as SGD or as LARC; a
 * sweep gives each rate what it would get alone, to the bit; features may be made anew each epoch; rows without labels and rates
 * that diverge are survived; nothing to learn from is refused. */
#include "support/test_context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "eval/linear_probe.h"
#include "format/npy.h"

enum { CLASSES = 12 };

typedef struct data {
    protea_tensor train, train_label, test, test_label;
    int64_t n, m, d;
} data;

static void load(protea_tensor *t, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/knn/%s.npy", TEST_DATA, name);
    assert_ok(protea_npy_read(t, path));
}

/* Rows of length 4, as the oracle makes them. */
static void scale_rows(protea_tensor *t)
{
    for (int64_t i = 0; i < t->dim[0]; i++) {
        float *x = protea_f32(t) + i * t->dim[1];
        double sum = 0;
        for (int64_t j = 0; j < t->dim[1]; j++)
            sum += (double)x[j] * x[j];
        for (int64_t j = 0; j < t->dim[1]; j++)
            x[j] = (float)(4 * x[j] / sqrt(sum));
    }
}

static data open_data(void)
{
    data d;
    load(&d.train, "train"), load(&d.train_label, "train-labels"), load(&d.test, "test"), load(&d.test_label, "test-labels");
    scale_rows(&d.train), scale_rows(&d.test);
    d.n = d.train.dim[0], d.m = d.test.dim[0], d.d = d.train.dim[1];
    return d;
}

static void close_data(data *d)
{
    protea_tensor_release(&d->train), protea_tensor_release(&d->train_label);
    protea_tensor_release(&d->test), protea_tensor_release(&d->test_label);
}

static protea_status probe(protea_linear_score *score, const data *d, const protea_linear_opts *opts)
{
    protea_ctx cx = test_context_open(1 << 16);
    protea_status status = protea_linear_probe(&cx, score, protea_f32(&d->train), d->train_label.data, d->n, protea_f32(&d->test),
                                               d->test_label.data, d->m, d->d, CLASSES, opts, NULL, NULL);
    test_context_close(&cx);
    return status;
}

static void the_optimum_of_pytorch(void **state)
{
    (void)state;
    data d = open_data();
    protea_linear_score score;
    protea_linear_opts opts = { .epochs = 1500, .batch_size = d.n, .lr = { 1, { 0.2 } }, .momentum = 0.9, .wd = 0.02,
                                .schedule = PROTEA_LR_CONSTANT };
    assert_ok(probe(&score, &d, &opts));
    assert_float_equal(score.loss, 1.00161434, 2e-6);
    assert_float_equal(score.last_top1, 0.508, 1e-9);
    assert_float_equal(score.last_top5, 0.900, 1e-9);
    assert_true(score.best_top1 >= score.last_top1 && score.best_epoch >= 1 && score.best_epoch <= 1500);
    close_data(&d);
}

/* The scores of the epoch with the largest top-1, the first of equals. */
typedef struct best {
    double top1, top5;
    int64_t epoch;
} best;

static protea_status keep_best(void *self, int64_t epoch, const protea_linear_score *score)
{
    best *b = self;
    if (b->epoch == 0 || score->last_top1 > b->top1)
        *b = (best){ score->last_top1, score->last_top5, epoch };
    return PROTEA_OK;
}

static void the_best_epoch_is_told(void **state)
{
    (void)state;
    data d = open_data();
    protea_ctx cx = test_context_open(1 << 16);
    protea_linear_score score;
    best b = { 0 };
    const protea_linear_opts opts = { .epochs = 12, .batch_size = 32, .lr = { 1, { 0.5 } }, .momentum = 0.9,
                                      .schedule = PROTEA_LR_CONSTANT };
    assert_ok(protea_linear_probe(&cx, &score, protea_f32(&d.train), d.train_label.data, d.n, protea_f32(&d.test),
                                  d.test_label.data, d.m, d.d, CLASSES, &opts, keep_best, &b));
    assert_true(score.best_top1 == b.top1 && score.best_top5 == b.top5);
    assert_int_equal(score.best_epoch, b.epoch);
    assert_true(score.best_top5 >= score.best_top1);
    test_context_close(&cx);
    close_data(&d);
}

/* By how much one step lowers the loss: an epoch's loss is that before its step. */
static double gain_of_a_step(bool larc, float scale)
{
    double loss[2];
    for (int64_t epochs = 1; epochs <= 2; epochs++) {
        data d = open_data();
        protea_linear_score score;
        protea_linear_opts opts = { .epochs = epochs, .batch_size = d.n, .lr = { 1, { larc ? 0.05 : 1e-4 } }, .momentum = 0.9,
                                    .schedule = PROTEA_LR_CONSTANT, .larc = larc };
        for (int64_t i = 0; i < d.n * d.d; i++)
            protea_f32(&d.train)[i] *= scale;
        assert_ok(probe(&score, &d, &opts));
        loss[epochs - 1] = score.loss;
        close_data(&d);
    }
    return loss[0] - loss[1];
}

/* SGD's step grows with the gradient, so what it gains grows with the square of the features; LARC's is a share of the weights'
 * length, and gains in proportion. (Biases start at 0, take one step of SGD and gain alike.) */
static void larc_steps_by_the_weights(void **state)
{
    (void)state;
    double sgd = gain_of_a_step(false, 4) / gain_of_a_step(false, 1), larc = gain_of_a_step(true, 4) / gain_of_a_step(true, 1);
    assert_true(sgd > 12 && sgd < 20);
    assert_true(larc > 0.9 && larc < 5);
}

static void a_sweep_is_each_rate_alone(void **state)
{
    (void)state;
    data d = open_data();
    const protea_list rates = { 3, { 0.05, 30, 1e30 } };
    protea_linear_score all[3], one;
    protea_linear_opts opts = { .epochs = 6, .batch_size = 64, .lr = rates, .momentum = 0.9, .wd = 1e-6,
                                .schedule = PROTEA_LR_STEPS, .milestones = { 2, { 2, 4 } } };
    ((int32_t *)d.train_label.data)[5] = -1;
    assert_ok(probe(all, &d, &opts));
    for (int i = 0; i < 2; i++) {
        opts.lr = (protea_list){ 1, { rates.v[i] } };
        assert_ok(probe(&one, &d, &opts));
        assert_memory_equal(&one, &all[i], sizeof one);
    }
    assert_true(!isfinite(all[2].loss));
    assert_true(all[2].last_top1 == 0 && all[0].last_top1 > 0.3);
    opts.lr = (protea_list){ 1, { 1e30 } };
    assert_int_equal(probe(&one, &d, &opts), PROTEA_ERR_DIVERGED);
    for (int64_t i = 0; i < d.n; i++)
        ((int32_t *)d.train_label.data)[i] = -1;
    assert_int_equal(probe(&one, &d, &opts), PROTEA_ERR_INPUT);
    close_data(&d);
}

/* Features that are made anew: of the first epoch wrong ones, which are never seen. */
typedef struct maker {
    data d;
    float *right;
    int64_t epochs;
    int64_t stop_at; /* epoch; negative: none */
} maker;

static protea_status make_again(void *self, int64_t epoch)
{
    maker *m = self;
    size_t n = (size_t)(m->d.n * m->d.d);
    assert_int_equal(epoch, m->epochs++);
    memcpy(protea_f32(&m->d.train), m->right, n * sizeof(float));
    for (size_t i = 0; i < n && epoch == 2; i++)
        protea_f32(&m->d.train)[i] *= 2;
    return epoch == m->stop_at ? protea_fail(PROTEA_STOPPED, "enough") : PROTEA_OK;
}

static protea_status probe_made(protea_linear_score *score, int64_t epochs, int64_t stop_at, bool wrong_at_first)
{
    maker m = { .d = open_data(), .stop_at = stop_at };
    protea_ctx cx = test_context_open(1 << 16);
    protea_linear_opts opts = { .epochs = epochs, .batch_size = 64, .lr = { 1, { 1 } }, .momentum = 0.9,
                                .schedule = PROTEA_LR_CONSTANT, .refresh = make_again };
    size_t bytes = (size_t)(m.d.n * m.d.d) * sizeof(float);
    m.right = malloc(bytes);
    memcpy(m.right, m.d.train.data, bytes);
    if (wrong_at_first)
        memset(m.d.train.data, 0x3f, bytes);
    protea_status status = protea_linear_probe(&cx, score, protea_f32(&m.d.train), m.d.train_label.data, m.d.n,
                                               protea_f32(&m.d.test), m.d.test_label.data, m.d.m, m.d.d, CLASSES, &opts, NULL, &m);
    assert_int_equal(m.epochs, stop_at < 0 ? epochs : stop_at + 1);
    test_context_close(&cx);
    free(m.right);
    close_data(&m.d);
    return status;
}

static void features_made_anew(void **state)
{
    (void)state;
    data d = open_data();
    protea_linear_score cached, made, from_wrong, doubled;
    protea_linear_opts opts = { .epochs = 2, .batch_size = 64, .lr = { 1, { 1 } }, .momentum = 0.9,
                                .schedule = PROTEA_LR_CONSTANT };
    assert_ok(probe(&cached, &d, &opts));
    assert_ok(probe_made(&made, 2, -1, false));
    assert_ok(probe_made(&from_wrong, 2, -1, true));
    assert_memory_equal(&cached, &made, sizeof made);
    assert_memory_equal(&cached, &from_wrong, sizeof made);
    opts.epochs = 3;
    assert_ok(probe(&cached, &d, &opts));
    assert_ok(probe_made(&doubled, 3, -1, false)); /* other features in the third epoch */
    assert_true(cached.loss != doubled.loss);
    assert_int_equal(probe_made(&made, 3, 1, false), PROTEA_STOPPED);
    close_data(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_optimum_of_pytorch),
        cmocka_unit_test(the_best_epoch_is_told),
        cmocka_unit_test(larc_steps_by_the_weights),
        cmocka_unit_test(a_sweep_is_each_rate_alone),
        cmocka_unit_test(features_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
