/* Proves: a network with its batch-norms folded into the convolutions gives the features of the unfolded one within rounding, for
 * blocks and stems of every kind (the wider and deeper networks are made of the same), in f32 and bf16; another size of images
 * is another fold. */
#include "support/test_context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/folds.h"
#include "nn/layers.h"
#include "support/engine.h"

typedef struct net_run {
    protea_module *net;
    protea_folds *folds;
    protea_tensor x, y;
} net_run;

static protea_status forward(protea_ctx *cx, void *self)
{
    net_run *r = self;
    const protea_pass pass = { .folds = r->folds };
    return protea_forward(cx, r->net, &pass, &r->x, &r->y);
}

/* Statistics and affine parameters as training would leave them: none is 0 or 1. */
static protea_status disturb(void *self, const char *name, protea_tensor *t)
{
    protea_rng *rng = self;
    bool variance = strstr(name, "running_var") != NULL;
    for (int64_t i = 0; i < protea_count(t); i++)
        protea_f32(t)[i] = variance ? 0.5f + protea_rng_uniform(rng) : 0.2f * protea_rng_normal(rng);
    return PROTEA_OK;
}

static protea_status disturb_param(void *self, const char *name, protea_param *p)
{
    bool gamma = p->w.n_dims == 1 && strstr(name, "weight") != NULL;
    protea_rng *rng = self;
    if (p->w.n_dims > 1)
        return PROTEA_OK;
    for (int64_t i = 0; i < protea_count(&p->w); i++)
        protea_f32(&p->w)[i] = gamma ? 0.5f + protea_rng_uniform(rng) : 0.2f * protea_rng_normal(rng);
    return PROTEA_OK;
}

static float *features(protea_ctx *cx, protea_module *net, protea_folds *folds, const float *x, int64_t n, int64_t side)
{
    net_run r = { .net = net, .folds = folds };
    r.x = (protea_tensor){ .data = (void *)(uintptr_t)x, .dtype = PROTEA_F32, .n_dims = 4, .dim = { n, 3, side, side } };
    engine_run(cx, forward, &r);
    float *copy = malloc((size_t)(n * net->out_dim) * sizeof *copy);
    memcpy(copy, r.y.data, (size_t)(n * net->out_dim) * sizeof *copy);
    return copy;
}

/* Largest difference over the root mean square. */
static double off(const float *a, const float *b, int64_t n)
{
    double squares = 0, worst = 0;
    for (int64_t i = 0; i < n; i++) {
        squares += (double)b[i] * (double)b[i];
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    }
    return worst / sqrt(squares / (double)n);
}

static void check_net(const char *arch, bool small_stem, protea_dtype compute, double tolerance)
{
    enum { N = 3, LARGEST = 3 * N * 48 * 48 };
    static float x[LARGEST];
    static const int64_t sides[] = { 32, 48, 32 };
    protea_ctx cx;
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    protea_resnet_opts opts = { .small_stem = small_stem };
    const protea_visitor v = { disturb_param, disturb, &rng };
    protea_module *net;
    protea_folds *folds;
    engine_open(&cx, test_isa(), compute);
    snprintf(opts.arch, sizeof opts.arch, "%s", arch);
    assert_ok(protea_resnet_new(&net, &opts, &rng));
    assert_ok(protea_visit(net, "", &v));
    assert_ok(protea_folds_new(&folds));
    for (int64_t i = 0; i < LARGEST; i++)
        x[i] = protea_rng_normal(&rng);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        float *folded = features(&cx, net, folds, x, N, sides[i]), *apart = features(&cx, net, NULL, x, N, sides[i]);
        double worst = off(folded, apart, N * net->out_dim);
        if (!(worst <= tolerance))
            fail_msg("%s, small stem %d, dtype %d, side %d: off by %g of %g", arch, small_stem, (int)compute, (int)sides[i],
                     worst, tolerance);
        free(folded);
        free(apart);
    }
    protea_folds_free(folds);
    protea_module_free(net);
    engine_close(&cx);
}

static void folded_is_unfolded(void **state)
{
    (void)state;
    static const struct { const char *arch; bool small_stem; } nets[] = {
        { "resnet18-w16", true }, { "resnet18-w32", false }, { "resnet50", false },
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        check_net(nets[i].arch, nets[i].small_stem, PROTEA_F32, 1e-4);
        check_net(nets[i].arch, nets[i].small_stem, PROTEA_BF16, 0.15);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(folded_is_unfolded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
