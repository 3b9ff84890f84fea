/* The losses of adaptation against finite differences in double, each by its plain definition, in all their modes. */
#include "support/test_context.h"

#include <math.h>
#include <string.h>

#include "adapt/topk_cluster.h"
#include "loss/consistency.h"
#include "loss/entropy.h"
#include "loss/prototype_loss.h"
#include "support/formula.h"

enum { N = 7, C = 5, D = 6, K = 3, M = 9 };

/* Everything a loss is given; x is what it is differentiated by. */
typedef struct problem {
    float z[N * D], p[C * D], target[N * C], logits[N * C], scores[M * C], similarity[N * K];
    int64_t index[N * K];
    double weight[N];
    bool keep[N];
    protea_prototype_opts proto;
    bool official;
} problem;

typedef double (*definition)(const problem *w, const double *x);

static void fill_problem(problem *w)
{
    *w = (problem){ .proto = { .tau = 1 } };
    formula_fill(w->z, N * D, "z", .3, 1);
    formula_fill(w->p, C * D, "prototypes", 0, 1);
    formula_fill(w->target, N * C, "target", 0, 2);
    formula_fill(w->logits, N * C, "logits", 0, 2);
    formula_fill(w->scores, M * C, "scores", .5, .5);
    formula_fill(w->similarity, N * K, "similarity", .5, .5);
    for (int i = 0; i < N * K; i++)
        w->index[i] = (i * 5 + 2) % M;
    for (int i = 0; i < N; i++) {
        w->weight[i] = .1 * i;
        w->keep[i] = i % 3 != 1;
    }
}

/* ---- plain definitions, in double */

static void softmax(double *p, const double *x, int c)
{
    double sum = 0;
    for (int i = 0; i < c; i++)
        sum += exp(x[i]);
    for (int i = 0; i < c; i++)
        p[i] = exp(x[i]) / sum;
}

static double entropy(const double *x)
{
    double p[C], h = 0;
    softmax(p, x, C);
    for (int i = 0; i < C; i++)
        h -= p[i] * log(p[i]);
    return h;
}

static double weighted_entropy(const problem *w, const double *x)
{
    double sum = 0;
    for (int n = 0; n < N; n++)
        sum += w->weight[n] * entropy(x + n * C);
    return sum;
}

static double information(const problem *w, const double *x)
{
    double sum = 0, mean[C] = { 0 }, p[C];
    (void)w;
    for (int n = 0; n < N; n++) {
        sum += entropy(x + n * C) / N;
        softmax(p, x + n * C, C);
        for (int i = 0; i < C; i++)
            mean[i] += p[i] / N;
    }
    for (int i = 0; i < C; i++)
        sum += mean[i] * log(mean[i] + 1e-5);
    return sum;
}

static void unit_rows(double *y, const double *x, int rows, protea_row_norm_kind kind)
{
    for (int n = 0; n < rows; n++) {
        double one = 0, two = 0;
        for (int i = 0; i < D; i++) {
            one += fabs(x[n * D + i]);
            two += x[n * D + i] * x[n * D + i];
        }
        for (int i = 0; i < D; i++)
            y[n * D + i] = x[n * D + i] / fmax(kind == PROTEA_NORM_L1 ? one : sqrt(two), 1e-12);
    }
}

static int largest(const double *x)
{
    int best = 0;
    for (int i = 1; i < C; i++)
        best = x[i] > x[best] ? i : best;
    return best;
}

static double prototype(const problem *w, const double *x)
{
    double z[N * D], p[C * D], wide[C * D], sum = 0;
    int kept = 0;
    for (int i = 0; i < C * D; i++)
        wide[i] = w->p[i];
    unit_rows(z, x, N, w->proto.norm);
    unit_rows(p, wide, C, w->proto.norm);
    for (int n = 0; n < N; n++) {
        double d[C] = { 0 }, t[C], q[C], s[C], row = 0;
        for (int c = 0; c < C; c++) {
            t[c] = w->target[n * C + c];
            for (int i = 0; i < D; i++)
                d[c] += z[n * D + i] * p[c * D + i] / w->proto.tau;
        }
        if (w->proto.consistent_only && largest(d) != largest(t))
            continue;
        softmax(q, d, C);
        softmax(s, t, C);
        for (int c = 0; c < C; c++)
            row += w->proto.kind == PROTEA_DISTIL_REVERSE ? q[c] * log(q[c] / s[c]) : s[c] * log(s[c] / q[c]);
        sum += w->proto.kind == PROTEA_DISTIL_HARD ? -log(q[largest(w->proto.own_labels ? d : t)]) : row;
        kept++;
    }
    return sum / kept;
}

static double cluster(const problem *w, const double *x)
{
    double sum = 0, p[C];
    int kept = 0;
    for (int n = 0; n < N; n++) {
        if (!w->keep[n])
            continue;
        kept++;
        softmax(p, x + n * C, C);
        for (int j = 0; j < K; j++)
            for (int c = 0; c < C; c++) {
                double off = (w->official ? x[n * C + c] : p[c]) - w->scores[w->index[n * K + j] * C + c];
                sum += (w->official ? -1 : 1) * w->similarity[n * K + j] * off * off;
            }
    }
    return sum / (kept * K);
}

/* Against ours: loss and gradient. */
static void compare(const problem *w, definition f, const float *x, const float *gradient, int n, double loss)
{
    double wide[N * D + N * C] = { 0 }, h = 1e-6;
    for (int i = 0; i < n; i++)
        wide[i] = x[i];
    assert_true(fabs(loss - f(w, wide)) < 1e-5);
    for (int i = 0; i < n; i++) {
        double at = wide[i];
        wide[i] = at + h;
        double above = f(w, wide);
        wide[i] = at - h;
        double slope = (above - f(w, wide)) / (2 * h);
        wide[i] = at;
        if (!(fabs(slope - gradient[i]) < 2e-6 + 1e-4 * fabs(slope)))
            fail_msg("element %d: slope %.8g, gradient %.8g", i, slope, (double)gradient[i]);
    }
}

/* ---- the checks */

static void entropies(void **state)
{
    protea_ctx cx = test_context_open(1 << 16);
    problem w;
    float gradient[N * C];
    double loss;
    (void)state;
    fill_problem(&w);
    protea_tensor logits = test_rows(w.logits, N, C), d = test_rows(gradient, N, C);
    assert_ok(protea_entropy_loss(&cx, &loss, &d, &logits, w.weight));
    compare(&w, weighted_entropy, w.logits, gradient, N * C, loss);
    assert_ok(protea_information_loss(&cx, &loss, &d, &logits));
    compare(&w, information, w.logits, gradient, N * C, loss);
    test_context_close(&cx);
}

static void check_prototype(protea_prototype_opts opts, int zero_class)
{
    protea_ctx cx = test_context_open(1 << 16);
    problem w;
    float gradient[N * D], similarities[N * C];
    bool keep[N];
    double loss;
    protea_kept_rows kept = { .keep = keep };
    fill_problem(&w);
    w.proto = opts;
    if (zero_class >= 0)
        memset(w.p + zero_class * D, 0, D * sizeof(float));
    protea_tensor z = test_rows(w.z, N, D), p = test_rows(w.p, C, D), t = test_rows(w.target, N, C);
    protea_tensor dz = test_rows(gradient, N, D), d = test_rows(similarities, N, C);
    assert_ok(protea_prototype_loss(&cx, &loss, &kept, &dz, &d, &z, &p, &t, &w.proto));
    assert_true(kept.n > 0 && kept.n <= N && (opts.consistent_only == (kept.n < N)));
    compare(&w, prototype, w.z, gradient, N * D, loss);
    for (int n = 0; n < N && zero_class >= 0; n++)
        assert_float_equal(similarities[n * C + zero_class], 0, 0);
    test_context_close(&cx);
}

static void prototypes(void **state)
{
    (void)state;
    for (int norm = PROTEA_NORM_L2; norm <= PROTEA_NORM_L1; norm++)
        for (int i = 0; i < 12; i++) {
            protea_prototype_opts opts = { .norm = (protea_row_norm_kind)norm, .tau = i & 1 ? .2 : 1,
                                           .kind = (protea_distillation)(i / 4), .own_labels = i >= 10,
                                           .consistent_only = i / 2 % 2 == 1 && i < 10 };
            check_prototype(opts, -1);
            check_prototype(opts, 2);
        }
}

static void nothing_kept_is_nothing(void **state)
{
    protea_ctx cx = test_context_open(1 << 16);
    problem w;
    float gradient[N * D];
    bool keep[N];
    double loss = 1;
    protea_kept_rows kept = { .keep = keep };
    (void)state;
    fill_problem(&w);
    for (int n = 0; n < N; n++) /* the target's largest class is the one whose prototype is opposite */
        for (int c = 0; c < C; c++)
            w.target[n * C + c] = (float)(c == 0);
    for (int i = 0; i < D; i++)
        w.p[i] = -1;
    for (int i = 0; i < N * D; i++)
        w.z[i] = fabsf(w.z[i]) + .1f;
    for (int i = D; i < C * D; i++)
        w.p[i] = fabsf(w.p[i]) + .1f;
    protea_tensor z = test_rows(w.z, N, D), p = test_rows(w.p, C, D), t = test_rows(w.target, N, C);
    protea_tensor dz = test_rows(gradient, N, D);
    assert_ok(protea_prototype_loss(&cx, &loss, &kept, &dz, NULL, &z, &p, &t,
                                    &(protea_prototype_opts){ .tau = 1, .consistent_only = true }));
    assert_int_equal(kept.n, 0);
    assert_float_equal(loss, 0, 0);
    for (int i = 0; i < N * D; i++)
        assert_float_equal(gradient[i], 0, 0);
    test_context_close(&cx);
}

static void clusters(void **state)
{
    protea_ctx cx = test_context_open(1 << 16);
    problem w;
    float gradient[N * C];
    double loss;
    (void)state;
    fill_problem(&w);
    protea_tensor x = test_rows(w.logits, N, C), s = test_rows(w.scores, M, C), d = test_rows(gradient, N, C);
    const protea_neighbours nb = { N, K, K, w.similarity, w.index };
    protea_kept_rows kept = { .keep = w.keep };
    for (int n = 0; n < N; n++)
        kept.n += w.keep[n];
    for (int official = 0; official < 2; official++) {
        w.official = official;
        assert_ok(protea_topk_cluster(&cx, &loss, &d, &x, &nb, &s, &kept, official));
        compare(&w, cluster, w.logits, gradient, N * C, loss);
    }
    kept.n = 0;
    assert_ok(protea_topk_cluster(&cx, &loss, &d, &x, &nb, &s, &kept, false));
    assert_float_equal(loss, 0, 0);
    for (int i = 0; i < N * C; i++)
        assert_float_equal(gradient[i], 0, 0);
    test_context_close(&cx);
}

/* ---- both sides of softmax_mse and softmax_kl */

static double mse(const problem *w, const double *x)
{
    double a[C], b[C], sum = 0;
    (void)w;
    for (int n = 0; n < N; n++) {
        softmax(a, x + n * C, C);
        softmax(b, x + (N + n) * C, C);
        for (int c = 0; c < C; c++)
            sum += (a[c] - b[c]) * (a[c] - b[c]);
    }
    return sum;
}

static double kl(const problem *w, const double *x)
{
    double a[C], b[C], sum = 0;
    (void)w;
    for (int n = 0; n < N; n++) {
        softmax(a, x + n * C, C);
        softmax(b, x + (N + n) * C, C);
        for (int c = 0; c < C; c++)
            sum += b[c] * log(b[c] / a[c]);
    }
    return sum;
}

static void consistency(void **state)
{
    protea_ctx cx = test_context_open(1 << 16);
    problem w;
    float both[2 * N * C], gradient[2 * N * C], elements[N * C];
    (void)state;
    fill_problem(&w);
    memcpy(both, w.logits, sizeof w.logits);
    memcpy(both + N * C, w.target, sizeof w.target);
    protea_tensor x = test_rows(both, N, C), t = test_rows(both + N * C, N, C), e = test_rows(elements, N, C);
    protea_tensor dx = test_rows(gradient, N, C), dt = test_rows(gradient + N * C, N, C);
    for (int i = 0; i < 2; i++) {
        double sum = 0;
        assert_ok((i == 0 ? protea_softmax_mse : protea_softmax_kl)(&cx, &e, &dx, &dt, &x, &t));
        for (int j = 0; j < N * C; j++)
            sum += elements[j];
        compare(&w, i == 0 ? mse : kl, both, gradient, 2 * N * C, sum);
        assert_ok((i == 0 ? protea_softmax_mse : protea_softmax_kl)(&cx, &e, NULL, NULL, &x, &t));
    }
    test_context_close(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entropies), cmocka_unit_test(prototypes), cmocka_unit_test(nothing_kept_is_nothing),
        cmocka_unit_test(clusters), cmocka_unit_test(consistency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
