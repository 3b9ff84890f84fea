/* Cross-entropy: PyTorch's values with and without label smoothing, its gradient against finite differences in double (with
 * temperature, smoothing, mixed labels and rows without one), the same in place, and labels that are no class. */
#include "support/test_context.h"

#include <math.h>
#include <string.h>

#include "loss/cross_entropy.h"
#include "support/formula.h"

enum { N = 5, C = 7 };
static const protea_cross_entropy_opts PLAIN = { .temperature = 1 };

/* torch.nn.functional.cross_entropy(tensor([[2., 1., 0.], [0., 3., -1.]]), tensor([0, 2]), label_smoothing=eps). */
static void pytorchs_values(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float x[6] = { 2, 1, 0, 0, 3, -1 }, gradient[6];
    const int32_t label[2] = { 0, 2 };
    protea_tensor logits = test_rows(x, 2, 3), d = test_rows(gradient, 2, 3);
    protea_cross_entropy_opts opts = PLAIN;
    double loss;
    assert_ok(protea_cross_entropy(&cx, &loss, &d, &logits, label, &opts));
    assert_float_equal(loss, 2.2367449, 1e-6);
    assert_float_equal(gradient[2], 0.04501529, 1e-7);
    opts.smoothing = .1;
    assert_ok(protea_cross_entropy(&cx, &loss, &d, &logits, label, &opts));
    assert_float_equal(loss, 2.2034116, 1e-6);
    test_context_close(&cx);
}

/* The definition, term by term, in double. */
static double plain_loss(const double *x, const int32_t *label, const protea_cross_entropy_opts *o)
{
    double total = 0;
    int m = 0;
    for (int i = 0; i < N; i++) {
        double sum = 0;
        if (label[i] < 0)
            continue;
        m++;
        for (int c = 0; c < C; c++)
            sum += exp(x[i * C + c] / o->temperature);
        for (int c = 0; c < C; c++) {
            double first = c == label[i], aimed = o->second ? o->share * first + (1 - o->share) * (c == o->second[i]) : first;
            double target = (1 - o->smoothing) * aimed + o->smoothing / C;
            total -= target * (x[i * C + c] / o->temperature - log(sum));
        }
    }
    return total / m;
}

static void check_gradient(const int32_t *label, const protea_cross_entropy_opts *opts)
{
    protea_ctx cx = test_context_open(1 << 16);
    float x[N * C], gradient[N * C];
    double x64[N * C], loss;
    protea_tensor logits = test_rows(x, N, C), d = test_rows(gradient, N, C);
    formula_fill(x, N * C, "logits", 0, 3);
    for (int i = 0; i < N * C; i++)
        x64[i] = x[i];
    assert_ok(protea_cross_entropy(&cx, &loss, &d, &logits, label, opts));
    assert_float_equal(loss, plain_loss(x64, label, opts), 1e-6);
    for (int i = 0; i < N * C; i++) {
        double at = x64[i], h = 1e-4;
        x64[i] = at + h;
        double above = plain_loss(x64, label, opts);
        x64[i] = at - h;
        double below = plain_loss(x64, label, opts);
        x64[i] = at;
        assert_true(fabs(gradient[i] - (above - below) / (2 * h)) < 1e-6);
    }
    assert_ok(protea_cross_entropy(&cx, &loss, &logits, &logits, label, opts));
    assert_memory_equal(x, gradient, sizeof x);
    test_context_close(&cx);
}

static void gradients(void **state)
{
    (void)state;
    static const int32_t all[N] = { 3, 0, 6, 3, 1 }, some[N] = { -1, 2, 2, -1, 6 }, second[N] = { 0, 0, 1, 4, 5 };
    check_gradient(all, &PLAIN);
    check_gradient(some, &(protea_cross_entropy_opts){ .temperature = .2 });
    check_gradient(all, &(protea_cross_entropy_opts){ .temperature = 1, .smoothing = .1 });
    check_gradient(all, &(protea_cross_entropy_opts){ .temperature = 1, .smoothing = .2, .second = second, .share = .3 });
}

/* Nothing to learn from is no loss and no gradient; the largest logit decides, the first of equals. */
static void without_labels(void **state)
{
    (void)state;
    protea_ctx cx = test_context_open(1 << 16);
    float x[6] = { 1, 1, 0, 0, 1, 1 }, gradient[6], zero[6] = { 0 };
    const int32_t none[2] = { -1, -1 }, first[2] = { 0, 1 }, later[2] = { 1, 2 }, wrong[2] = { 0, 3 };
    protea_tensor logits = test_rows(x, 2, 3), d = test_rows(gradient, 2, 3);
    double loss = 1;
    int64_t n;
    assert_ok(protea_cross_entropy(&cx, &loss, &d, &logits, none, &PLAIN));
    assert_true(loss == 0);
    assert_memory_equal(gradient, zero, sizeof zero);
    assert_int_equal(protea_count_correct(&cx, &logits, none, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(protea_count_correct(&cx, &logits, first, &n), 2);
    assert_int_equal(protea_count_correct(&cx, &logits, later, NULL), 0);
    assert_int_equal(protea_cross_entropy(&cx, &loss, &d, &logits, wrong, &PLAIN), PROTEA_ERR_INTERNAL);
    test_context_close(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pytorchs_values), cmocka_unit_test(gradients),
                                        cmocka_unit_test(without_labels) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
