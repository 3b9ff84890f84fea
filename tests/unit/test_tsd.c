/* TSD in official mode is the reference code's, number for number: bank, prototypes, losses and gradients of three features and
 * three classes (golden values of a run of that code). T3A and the helper functions on the same data; and what is refused. */
#include "support/adapt_rig.h"

#include <math.h>

#include "adapt/support_bank.h"
#include "adapt/topk_cluster.h"
#include "loss/entropy.h"
#include "loss/prototype_loss.h"
#include "tensor/ops.h"

enum { N = 3, C = 3, D = 4 };

static const float W[C * D] = { .5f, -.2f, .1f, .3f, -.1f, .6f, .2f, -.3f, .2f, .1f, -.4f, .5f };
static const float BIAS[C] = { .1f, -.05f, 0 };
static const float Z[N * D] = { 1, .5f, 0, 2, .2f, 1.5f, .3f, 0, .4f, .1f, 0, 1 };

typedef struct golden {
    protea_ctx cx;
    protea_module *fc;
    protea_bank bank;
    float z[N * D], logits[N * C], p[C * D];
} golden;

static protea_status set_param(void *self, const char *name, protea_param *p)
{
    (void)self;
    memcpy(p->w.data, strcmp(name, "weight") == 0 ? W : BIAS, protea_bytes(&p->w));
    return PROTEA_OK;
}

/* The bank after its warm-up. */
static void golden_warm_up(golden *g, protea_bank_opts opts)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_INIT, 0, 0, 0);
    opts.cap_mib = 1;
    g->cx = test_context_open(1 << 16);
    assert_ok(protea_linear_new(&g->fc, D, C, true, &rng));
    assert_ok(protea_visit(g->fc, "", &(protea_visitor){ .param = set_param }));
    assert_ok(protea_bank_new(&g->bank, C, D, &opts));
    assert_ok(protea_bank_warm_up(&g->cx, &g->bank, g->fc));
}

/* And after the batch. */
static void golden_open(golden *g, protea_bank_opts opts)
{
    golden_warm_up(g, opts);
    memcpy(g->z, Z, sizeof Z);
    protea_tensor z = test_rows(g->z, N, D), logits;
    assert_ok(protea_forward(&g->cx, g->fc, &(protea_pass){ 0 }, &z, &logits));
    memcpy(g->logits, logits.data, sizeof g->logits);
    assert_ok(protea_bank_add(&g->cx, &g->bank, &z, &logits));
    protea_tensor p = test_rows(g->p, C, D);
    assert_ok(protea_bank_prototypes(&g->cx, &g->bank, &p));
}

static void golden_close(golden *g)
{
    protea_bank_release(&g->bank);
    protea_module_free(g->fc);
    test_context_close(&g->cx);
}

static void near(const float *found, const float *wanted, int n, float tolerance)
{
    for (int i = 0; i < n; i++)
        if (!(fabsf(found[i] - wanted[i]) <= tolerance))
            fail_msg("element %d is %.8g, %.8g wanted", i, (double)found[i], (double)wanted[i]);
}

/* Each row of the weights is one support, of the class that the linear layer sees in it. */
static void the_warm_up(void **state)
{
    static const float LOGITS[] = { .49f, -.29f, .19f, -.14f, .45f, -.19f, .29f, -.24f, .46f };
    golden g;
    float w[C * D], entropies[C], scores[C * C];
    (void)state;
    golden_warm_up(&g, (protea_bank_opts){ .filter_k = 1, .with_scores = true });
    memcpy(w, W, sizeof w);
    protea_tensor rows = test_rows(w, C, D), h = test_rows(entropies, C, 1), s = test_rows(scores, C, C), logits;
    assert_ok(protea_forward(&g.cx, g.fc, &(protea_pass){ 0 }, &rows, &logits));
    near(logits.data, LOGITS, C * C, 1e-6f);
    assert_ok(protea_softmax_entropy(&g.cx, &h, &s, &logits));
    near(entropies, (float[]){ 1.0517441f, 1.0523785f, 1.0600784f }, C, 1e-6f);
    near(g.bank.entropy.data, entropies, C, 1e-6f);
    near(g.bank.scores.data, scores, C * C, 1e-6f);
    for (int64_t c = 0; c < C; c++) {
        assert_int_equal(protea_bank_filled(&g.bank, c), 1);
        near(protea_bank_class(&g.bank, c).data, W + c * D, D, 0);
    }
    golden_close(&g);
}

static void the_bank(void **state)
{
    static const float P1[] = { .8006408f, -.3202563f, .1601282f, .4803845f, .1296407f, .9723056f,
                                .1944611f, 0,          .4364358f, .2182179f, 0,         .8728715f };
    static const float P2[] = { -.0117806f, 1.8208338f, .4773039f, -.4242641f, .8062359f, .3106679f, 0, 1.7973719f };
    static const float LOGITS[] = { 1.1f, -.45f, 1.25f, -.07f, .89f, .07f, .58f, -.33f, .59f };
    golden g;
    (void)state;
    golden_open(&g, (protea_bank_opts){ .filter_k = 1 });
    near(g.logits, LOGITS, N * C, 1e-6f);
    near(g.p, P1, C * D, 1e-6f);
    assert_int_equal(protea_bank_rows(&g.bank), 3);
    near(protea_bank_class(&g.bank, 1).data, Z + D, D, 0); /* W0 stays, z1 and z0 replace the others */
    near(protea_bank_class(&g.bank, 2).data, Z, D, 0);
    golden_close(&g);
    golden_open(&g, (protea_bank_opts){ .filter_k = 2 });
    near(g.p, P1, D, 1e-6f);
    near(g.p + D, P2, 2 * D, 1e-6f);
    assert_int_equal(protea_bank_rows(&g.bank), 5);
    golden_close(&g);
}

/* Loss and gradient with K rows a class. */
static void check_prototype(int64_t k, double wanted, double l2, const float *d, const float *gradient)
{
    golden g;
    float scores[N * C], entropies[N], dz[N * D], similarities[N * C];
    bool keep[N];
    protea_kept_rows kept = { .keep = keep };
    double loss;
    golden_open(&g, (protea_bank_opts){ .filter_k = k });
    protea_tensor z = test_rows(g.z, N, D), p = test_rows(g.p, C, D);
    protea_tensor x = test_rows(g.logits, N, C), s = test_rows(scores, N, C);
    protea_tensor h = test_rows(entropies, N, 1), to_z = test_rows(dz, N, D), sim = test_rows(similarities, N, C);
    assert_ok(protea_softmax_entropy(&g.cx, &h, &s, &x));
    near(entropies, (float[]){ .9297768f, 1.0003332f, 1.0283360f }, N, 1e-6f);
    assert_ok(protea_prototype_loss(&g.cx, &loss, &kept, &to_z, &sim, &z, &p, &s,
                                    &(protea_prototype_opts){ PROTEA_NORM_L1, PROTEA_DISTIL_REVERSE, .tau = 1 }));
    assert_true(fabs(loss - wanted) < 1e-7);
    near(similarities, d, N * C, 1e-6f);
    near(dz, gradient, N * D, 1e-6f);
    assert_ok(protea_prototype_loss(&g.cx, &loss, &kept, &to_z, NULL, &z, &p, &s,
                                    &(protea_prototype_opts){ .kind = PROTEA_DISTIL_REVERSE, .tau = 1 }));
    assert_true(fabs(loss - l2) < 1e-6);
    golden_close(&g);
}

static void the_prototype_loss(void **state)
{
    static const float D1[] = { .2597403f, .1357143f, .4285714f, -.0772727f, .595f,
                                .1357143f, .2909091f, .0766667f, .4666667f };
    static const float D2[] = { .2597403f, .0052362f,  .4466990f, -.0772727f, .5252184f,
                                .1076166f, .2909091f, -.0601991f, .4920452f };
    static const float G1[] = { -.0007142f, .0031705f,  .0001702f,  -.0004355f, -.0094218f, .0023607f,
                                -.0055223f, -.0030510f, -.0025058f, -.0017593f, -.0009127f, .0011782f };
    static const float G2[] = { -.0007580f, .0004480f,  -.0001583f, .0002670f,  -.0076850f, .0017641f,
                                -.0036973f, -.0033943f, -.0039848f, -.0091770f, -.0018973f, .0025116f };
    (void)state;
    check_prototype(1, .0051446557, .0304470, D1, G1);
    check_prototype(2, .0049208999, .0423370, D2, G2);
}

/* The same with K rows a class, asked for the nearest `asked`, which are cut to what the bank holds. */
static void check_local(int64_t k, int64_t asked, double wanted, const float *gradient)
{
    golden g;
    float unit[N * D], length[N], dp[N * C];
    double loss;
    protea_neighbours nb;
    golden_open(&g, (protea_bank_opts){ .filter_k = k, .with_scores = true });
    protea_arena_free(g.cx.kept); /* the warm-up made it no larger than itself needs */
    assert_ok(protea_arena_new(&g.cx.kept, 1 << 16, "test"));
    protea_tensor z = test_rows(g.z, N, D), u = test_rows(unit, N, D), norm = test_rows(length, N, 1);
    protea_tensor x = test_rows(g.logits, N, C), d = test_rows(dp, N, C);
    assert_ok(protea_row_norm(&g.cx, PROTEA_NORM_L1, &u, &norm, &z));
    assert_ok(protea_neighbours_start(&g.cx, &nb, N, asked));
    assert_ok(protea_neighbours_search_bank(&g.cx, &nb, &u, &g.bank, PROTEA_NORM_L1));
    assert_ok(protea_topk_cluster(&g.cx, &loss, &d, &x, &nb, &g.bank.scores, NULL, true));
    assert_true(fabs(loss - wanted) < 1e-6);
    near(dp, gradient, C, 1e-6f);
    golden_close(&g);
}

static void the_local_loss(void **state)
{
    (void)state;
    check_local(1, 3, -.2097613, (float[]){ -.1287339f, .1194888f, -.1555600f });
    check_local(1, 5, -.2097613, (float[]){ -.1287339f, .1194888f, -.1555600f }); /* where the reference code crashes */
    check_local(2, 3, -.2767972, (float[]){ -.1729820f, .1533459f, -.2113595f });
}

/* K = -1 in official mode: each call drops the worst row of every class, and a class may lose its last. */
static void dropping_the_worst(void **state)
{
    golden g;
    (void)state;
    golden_open(&g, (protea_bank_opts){ .filter_k = -1, .drop_worst = true });
    assert_int_equal(protea_bank_filled(&g.bank, 0), 0); /* W0 was all it had */
    assert_int_equal(protea_bank_filled(&g.bank, 1), 1); /* z1 of z1, W1 */
    assert_int_equal(protea_bank_filled(&g.bank, 2), 2); /* z0, z2 of z0, z2, W2 */
    near(g.p, (float[D]){ 0 }, D, 0);
    near(protea_bank_class(&g.bank, 1).data, Z + D, D, 0);
    golden_close(&g);
    golden_open(&g, (protea_bank_opts){ .filter_k = -1 });
    assert_int_equal(protea_bank_rows(&g.bank), N + C);
    golden_close(&g);
}

static void the_other_losses(void **state)
{
    golden g;
    float gradient[N * C];
    double loss;
    (void)state;
    golden_open(&g, (protea_bank_opts){ .filter_k = 1 });
    protea_tensor x = test_rows(g.logits, N, C), d = test_rows(gradient, N, C);
    assert_ok(protea_entropy_loss(&g.cx, &loss, &d, &x, NULL));
    assert_true(fabs(loss - .9861487) < 1e-6);
    assert_ok(protea_information_loss(&g.cx, &loss, &d, &x));
    assert_true(fabs(loss + .1017168) < 1e-6);
    golden_close(&g);
}

static void helpers(void **state)
{
    static const float T3A[] = { 1.6012816f, .6157935f, 2.2912879f, -.2722179f, 1.5427248f,
                                 .4146140f,  .7686152f, .1490869f,  1.0692677f };
    golden g;
    float unit[C * D], length[C], out[N * C], affinity[N * N], probs[N * C];
    int64_t labels[N];
    (void)state;
    golden_open(&g, (protea_bank_opts){ .filter_k = 1, .with_scores = true });
    protea_arena_free(g.cx.kept);
    assert_ok(protea_arena_new(&g.cx.kept, 1 << 16, "test"));
    protea_arena_free(g.cx.scratch);
    assert_ok(protea_arena_new(&g.cx.scratch, 1 << 16, "test"));
    float w[C * D];
    memcpy(w, W, sizeof w);
    protea_tensor z = test_rows(g.z, N, D), p = test_rows(g.p, C, D), u = test_rows(unit, C, D), norm = test_rows(length, C, 1);
    protea_tensor o = test_rows(out, N, C), a = test_rows(affinity, N, N), weights = test_rows(w, C, D);
    assert_ok(protea_l2norm(&g.cx, &u, &norm, &p));
    assert_ok(protea_gemm(&g.cx, &o, &z, &u, false, true, 1, 0));
    near(out, T3A, N * C, 1e-6f);
    assert_ok(protea_knn_affinity(&g.cx, &a, &z, 1));
    near(affinity, (float[]){ 0, 0, 1, 1, 0, 0, 1, 0, 0 }, N * N, 0);
    assert_ok(protea_get_distances(&g.cx, &o, &z, &weights, PROTEA_COSINE));
    near(out, (float[]){ .3011435f, 1.2468853f, .1956382f }, C, 1e-6f);
    assert_ok(protea_get_distances(&g.cx, &o, &z, &weights, PROTEA_EUCLIDEAN));
    assert_float_equal(out[0], sqrt(.25 + .49 + .01 + 2.89), 1e-6);
    protea_tensor scores = test_rows(g.bank.scores.data, C, C), pr = test_rows(probs, N, C);
    protea_tensor rows = test_rows(g.bank.rows.data, C, D);
    assert_ok(protea_topk_labels(&g.cx, labels, &z, &rows, &scores, 1));
    assert_int_equal(labels[0], 2); /* each is its own nearest, or z0 is */
    assert_int_equal(labels[1], 1);
    assert_int_equal(labels[2], 2);
    assert_ok(protea_soft_k_nearest_neighbors(&g.cx, labels, &pr, &z, &rows, &scores, 1));
    near(probs, (float *)g.bank.scores.data + 2 * C, C, 0);
    assert_ok(protea_soft_k_nearest_neighbors(&g.cx, labels, &pr, &z, &rows, &scores, 100)); /* all three, whoever asks */
    near(probs, probs + C, C, 1e-6f);
    golden_close(&g);
}

/* Doubles, a row of zeros, one row alone. */
static void nasty_rows(void **state)
{
    float x[] = { 0, 0, 0, 1, 2, 3, 1, 2, 3, 3, 2, 1 }, w[16], d[16];
    protea_ctx cx = test_context_open(1 << 16);
    protea_tensor rows = test_rows(x, 4, 3), one = test_rows(x, 1, 3), a = test_rows(w, 4, 4), single = test_rows(w, 1, 1);
    protea_tensor distances = test_rows(d, 4, 4);
    (void)state;
    assert_ok(protea_knn_affinity(&cx, &a, &rows, 1));
    for (int i = 0; i < 4; i++)
        assert_float_equal(w[i * 4 + i], 0, 0); /* no row is its own neighbour */
    assert_float_equal(w[1 * 4 + 2], 1, 0);
    assert_float_equal(w[2 * 4 + 1], 1, 0);
    assert_ok(protea_get_distances(&cx, &distances, &rows, &rows, PROTEA_COSINE));
    assert_float_equal(d[1], 1, 0); /* from a row of zeros */
    assert_ok(protea_knn_affinity(&cx, &single, &one, 3));
    assert_float_equal(w[0], 0, 0);
    test_context_close(&cx);
}

static void refused(const char *const *settings, const char *adapter, const char *word)
{
    adapt_rig r;
    assert_int_equal(adapt_rig_open(&r, adapter, settings), PROTEA_ERR_USAGE);
    if (strstr(protea_last_error(), word) == NULL)
        fail_msg("\"%s\" does not name %s", protea_last_error(), word);
    adapt_rig_close(&r);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    refused((const char *[]){ "mode", "official", "steps", "2", NULL }, "tsd", "steps");
    refused((const char *[]){ "mode", "official", "episodic", "true", NULL }, "tsd", "episodic");
    refused((const char *[]){ "labels", "prototypes", NULL }, "tsd", "use-hard");
    refused((const char *[]){ "filter_K", "0", NULL }, "tsd", "filter_K");
    refused((const char *[]){ "filter_K", "1000000", NULL }, "t3a", "bank_mib");
}

static protea_status copy_fc(void *self, const char *name, protea_param *p)
{
    float *copy = self;
    if (strcmp(name, "fc.weight") == 0)
        memcpy(copy, p->w.data, protea_bytes(&p->w));
    return PROTEA_OK;
}

enum { FC = ADAPT_CLASSES * 128 };

/* With lam 0 the loss does not reach the last layer: "all" leaves it to the bit, and moves the rest. */
static void the_head_gets_no_gradient(void **state)
{
    static const char *const SETTINGS[] = { "mode", "official", NULL };
    adapt_rig r;
    float before[FC], after[FC];
    (void)state;
    assert_ok(adapt_rig_open(&r, "tsd", SETTINGS));
    assert_ok(protea_adapter_visit_model(r.adapter, &(protea_visitor){ .param = copy_fc, .self = before }));
    adapt_rig_batch(&r, 16, 0);
    assert_true(r.out.updated);
    assert_ok(protea_adapter_visit_model(r.adapter, &(protea_visitor){ .param = copy_fc, .self = after }));
    assert_memory_equal(before, after, sizeof before);
    adapt_rig_close(&r);
}

/* And so "head" moves no parameter at all; only statistics and the bank go on. */
static void training_the_head_alone_does_nothing(void **state)
{
    static const char *const SETTINGS[] = { "mode", "official", "update_param", "head", NULL };
    adapt_rig r;
    uint64_t before = 0, after = 0;
    (void)state;
    assert_ok(adapt_rig_open(&r, "tsd", SETTINGS));
    assert_ok(protea_adapter_visit_model(r.adapter, &(protea_visitor){ .param = adapt_rig_hash_param, .self = &before }));
    for (int i = 0; i < 3; i++)
        adapt_rig_batch(&r, 16, i);
    assert_ok(protea_adapter_visit_model(r.adapter, &(protea_visitor){ .param = adapt_rig_hash_param, .self = &after }));
    assert_true(before == after);
    adapt_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_warm_up), cmocka_unit_test(the_bank), cmocka_unit_test(the_prototype_loss),
        cmocka_unit_test(the_local_loss),
        cmocka_unit_test(dropping_the_worst), cmocka_unit_test(the_other_losses), cmocka_unit_test(helpers),
        cmocka_unit_test(nasty_rows), cmocka_unit_test(what_cannot_be_is_refused), cmocka_unit_test(the_head_gets_no_gradient),
        cmocka_unit_test(training_the_head_alone_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
