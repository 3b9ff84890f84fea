/* Proves: weights start as methods.md 0.1 has it. Convolutions are normal with deviation sqrt(2 / (K K O)), linear layers, biases
 * too, uniform within 1/sqrt(fan_in), batch-norm is the identity with fresh statistics; where it is asked for, each residual
 * block starts as its skip; without a generator nothing is drawn. */
#include "support/test_context.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/layers.h"

typedef struct moments {
    double n, mean, square, fourth, most; /* most: the largest without its sign */
} moments;

static moments moments_of(const protea_tensor *t)
{
    moments m = { .n = (double)protea_count(t) };
    for (int64_t i = 0; i < protea_count(t); i++) {
        double x = protea_f32(t)[i];
        m.mean += x / m.n;
        m.square += x * x / m.n;
        m.fourth += x * x * x * x / m.n;
        m.most = fmax(m.most, fabs(x));
    }
    return m;
}

/* Within five deviations of what n draws give. The fourth moment tells a normal distribution (3) from a uniform one (1.8); of few
 * draws it says nothing. */
static void check_normal(const char *name, const protea_tensor *w, double deviation)
{
    enum { MANY = 10000 };
    moments m = moments_of(w);
    double variance = deviation * deviation;
    bool good = fabs(m.mean) < 5 * deviation / sqrt(m.n) && fabs(m.square / variance - 1) < 5 * sqrt(2 / m.n);
    if (m.n >= MANY)
        good = good && fabs(m.fourth / (variance * variance) - 3) < 5 * sqrt(96 / m.n);
    if (!good)
        fail_msg("%s: mean %g, deviation %g, wanted 0 and %g", name, m.mean, sqrt(m.square), deviation);
}

static void check_uniform(const protea_tensor *w, double bound)
{
    moments m = moments_of(w);
    double variance = bound * bound / 3;
    assert_true(m.most <= bound * (1 + 1e-6) && m.most > 0.9 * bound);
    assert_true(fabs(m.mean) < 5 * sqrt(variance / m.n));
    assert_true(fabs(m.square / variance - 1) < 5 * sqrt(0.8 / m.n));
}

static void check_all(const char *name, const protea_tensor *t, float wanted)
{
    for (int64_t i = 0; i < protea_count(t); i++)
        if (!(protea_f32(t)[i] == wanted))
            fail_msg("%s: element %d is %g, wanted %g", name, (int)i, (double)protea_f32(t)[i], (double)wanted);
}

/* ---- whole networks */

typedef struct walk {
    bool skips_first; /* blocks begin as their skips */
    int n_convs;
} walk;

static protea_status check_param(void *self, const char *name, protea_param *p)
{
    walk *w = self;
    bool is_last_gamma = strncmp(name, "layer", 5) == 0 && strstr(name, ".bn2.weight") != NULL;
    if (p->w.n_dims == 4) {
        check_normal(name, &p->w, sqrt(2.0 / (double)(p->w.dim[0] * p->w.dim[2] * p->w.dim[3])));
        w->n_convs++;
    } else if (strstr(name, "bias") != NULL || (w->skips_first && is_last_gamma))
        check_all(name, &p->w, 0);
    else
        check_all(name, &p->w, 1);
    return PROTEA_OK;
}

static protea_status check_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)self;
    check_all(name, t, strstr(name, "running_var") != NULL ? 1 : 0);
    return PROTEA_OK;
}

static void networks(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        protea_module *net;
        protea_rng rng = protea_rng_make(31, PROTEA_RNG_INIT, 0, 0, 0);
        const protea_resnet_opts opts = { .arch = "resnet18-w16", .small_stem = i % 2, .zero_init_residual = i / 2 };
        walk w = { .skips_first = i / 2 };
        assert_ok(protea_resnet_new(&net, &opts, &rng));
        assert_ok(protea_visit(net, "", &(protea_visitor){ check_param, check_buffer, &w }));
        assert_int_equal(w.n_convs, 20);
        protea_module_free(net);
    }
}

/* ---- linear layers */

static protea_status check_linear(void *self, const char *name, protea_param *p)
{
    (void)name;
    check_uniform(&p->w, *(const double *)self);
    return PROTEA_OK;
}

static void linear_layers(void **state)
{
    (void)state;
    static const struct { int64_t in; double bound; } layers[] = { { 128, .088388 }, { 2048, .022097 } }; /* methods.md 11 */
    for (int i = 0; i < 2; i++) {
        protea_module *layer;
        protea_rng rng = protea_rng_make(31, PROTEA_RNG_INIT, 0, 0, 0);
        double bound = 1 / sqrt((double)layers[i].in);
        assert_float_equal(bound, layers[i].bound, 1e-6);
        assert_ok(protea_linear_new(&layer, layers[i].in, 300, true, &rng));
        assert_ok(protea_visit(layer, "", &(protea_visitor){ .param = check_linear, .self = &bound }));
        protea_module_free(layer);
    }
}

static protea_status check_undrawn(void *self, const char *name, protea_param *p)
{
    (void)self;
    if (p->w.n_dims > 1)
        check_all(name, &p->w, 0);
    return PROTEA_OK;
}

static void nothing_is_drawn_without_a_generator(void **state)
{
    (void)state;
    protea_module *net;
    assert_ok(protea_resnet_new(&net, &(protea_resnet_opts){ .arch = "resnet18-w16" }, NULL));
    assert_ok(protea_visit(net, "", &(protea_visitor){ .param = check_undrawn }));
    protea_module_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks), cmocka_unit_test(linear_layers), cmocka_unit_test(nothing_is_drawn_without_a_generator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
