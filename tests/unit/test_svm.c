/* Proves: our SVMs are scikit-learn's LinearSVC, by weights, objective, average precision and top-1 (tools/oracle/svm.py), with one
 * class an image or several; the dual's value closes in on the primal's from below; folds choose the cost that scikit-learn's
 * scores choose; low-shot draws what it says, anew each time; threads change no bit; what cannot be trained on is refused. */
#include "support/test_context.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/svm_probe.h"
#include "format/npy.h"

enum { CLASSES = 12, MOST_TAGS = 1000 };

/* tests/data/knn as sets of features. */
typedef struct side {
    protea_tensor z, label;
    char *class_name[CLASSES], name[CLASSES][4];
    int64_t first[MOST_TAGS];
    int32_t tag[MOST_TAGS];
    protea_feature_set set; /* of borrowed memory */
} side;

static void load(protea_tensor *t, const char *name, const char *ending)
{
    char path[512];
    snprintf(path, sizeof path, "%s/knn/%s%s.npy", TEST_DATA, name, ending);
    assert_ok(protea_npy_read(t, path));
}

/* Every third row has a second class, as in the oracle. */
static void add_tags(side *s)
{
    for (int64_t i = 0; i < s->set.n; i++) {
        int32_t label = s->set.label[i], second = (5 * label + 3) % CLASSES;
        int64_t at = s->first[i];
        s->tag[at++] = label;
        if (i % 3 == 0 && second != label)
            s->tag[at++] = second;
        s->first[i + 1] = at;
    }
    s->set.first = s->first;
    s->set.tag = s->tag;
}

static void open_side(side *s, const char *name, bool several)
{
    memset(s, 0, sizeof *s);
    load(&s->z, name, "");
    load(&s->label, name, "-labels");
    for (int c = 0; c < CLASSES; c++) {
        snprintf(s->name[c], sizeof s->name[c], "%c", 'a' + c);
        s->class_name[c] = s->name[c];
    }
    s->set = (protea_feature_set){ .name = name, .n = s->z.dim[0], .dim = s->z.dim[1], .z = s->z.data, .label = s->label.data,
                                   .n_classes = CLASSES, .class_name = s->class_name };
    if (several)
        add_tags(s);
}

typedef struct rig {
    protea_ctx cx;
    side train, test;
    protea_two_sets sets;
} rig;

static void open_rig(rig *r, bool several)
{
    r->cx = test_context_open(1 << 16);
    open_side(&r->train, "train", several);
    open_side(&r->test, "test", several);
    assert_ok(protea_two_sets_match(&r->sets, &r->train.set, &r->test.set));
    assert_true(r->sets.several == several && r->sets.n_classes == CLASSES && r->sets.train.n == 350 && r->sets.test.n == 250);
}

static void close_rig(rig *r)
{
    protea_two_sets_release(&r->sets);
    protea_tensor_release(&r->train.z), protea_tensor_release(&r->train.label);
    protea_tensor_release(&r->test.z), protea_tensor_release(&r->test.label);
    test_context_close(&r->cx);
}

/* What a line of the oracle asks for. */
typedef struct machine {
    char labels[16], loss[16];
    double cost, weight;
    int normal, class;
} machine;

static protea_one_vs_all_opts options_of(const machine *m, double tolerance)
{
    return (protea_one_vs_all_opts){ { strcmp(m->loss, "hinge") == 0 ? PROTEA_HINGE : PROTEA_SQUARED_HINGE, tolerance, 1000000 },
                                     m->weight, m->normal == 1 };
}

/* The class's machine alone: w (d + 1). */
static protea_svm_end solve(rig *r, double *w, const machine *m, const protea_svm_opts *opts)
{
    protea_one_vs_all o;
    const protea_one_vs_all_opts all = options_of(m, opts->tolerance);
    const protea_class_rows *train = &r->sets.train;
    protea_svm_work work;
    protea_svm_end end;
    int8_t *sign = malloc((size_t)train->n);
    double n = (double)train->n, own = (double)protea_class_size(train, m->class);
    memset(sign, -1, (size_t)train->n);
    for (int64_t k = train->first[m->class]; k < train->first[m->class + 1]; k++)
        sign[train->row[k]] = 1;
    assert_ok(protea_one_vs_all_new(&o, &r->cx, &r->sets, &r->train.set, &r->test.set, 1, &all));
    assert_ok(protea_svm_work_new(&work, train->n));
    const protea_svm_problem p = { &o.train, train->used, sign, train->n,
                                   { m->cost * (m->weight > 0 ? 1 : n / (2 * (n - own))),
                                     m->cost * (m->weight > 0 ? m->weight : n / (2 * own)) },
                                   protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0) };
    protea_svm_solve(r->cx.be, w, &end, &p, opts, &work);
    protea_svm_work_release(&work);
    protea_one_vs_all_release(&o);
    free(sign);
    return end;
}

static bool near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* want: objective, bias, |w|^2, w0 w1 w2, then average precision by kind. */
static void check_machine(rig *r, const machine *m, const double want[9])
{
    double w[64] = { 0 }, square = 0;
    protea_one_vs_all_opts all = options_of(m, 1e-10);
    protea_svm_end end = solve(r, w, m, &all.svm);
    int64_t d = r->train.set.dim;
    for (int64_t j = 0; j < d; j++)
        square += w[j] * w[j];
    assert_true(end.converged && near(end.primal, want[0], 1e-9) && near(end.dual, want[0], 1e-9));
    assert_true(near(w[d], want[1], 1e-7) && near(square, want[2], 1e-7));
    for (int j = 0; j < 3; j++)
        assert_true(near(w[j], want[3 + j], 1e-7));
}

/* All classes of one setting, by the probe: average precision, top-1. */
static void check_probe(rig *r, const machine *m, double want[CLASSES][PROTEA_AP_KINDS], double top)
{
    protea_svm_result score = { 0 };
    int64_t unconverged;
    const protea_svm_probe_opts opts = { .machine = options_of(m, 1e-8), .shots = { 1, { 0 } }, .costs = { 1, { m->cost } },
                                         .folds = 3, .draws = 1 };
    assert_ok(protea_svm_probe(&r->cx, &score, &unconverged, &r->sets, &r->train.set, &r->test.set, &opts, NULL, NULL));
    assert_true(unconverged == 0 && score.n == 350 && score.cost == m->cost && score.gap < 1e-8);
    for (int k = 0; k < PROTEA_AP_KINDS; k++) {
        double sum = 0;
        for (int c = 0; c < CLASSES; c++) {
            assert_float_equal(score.ap[c][k], want[c][k], 1e-11);
            sum += want[c][k];
        }
        assert_float_equal(score.map[k], sum / CLASSES, 1e-11);
    }
    if (r->sets.several)
        assert_true(isnan(score.top1) && isnan(score.top5));
    else
        assert_float_equal(score.top1, top, 1e-12);
    protea_svm_result_release(&score);
}

static void as_linear_svc(void **state)
{
    (void)state;
    rig single, several;
    machine m;
    double want[9], ap[CLASSES][PROTEA_AP_KINDS], top;
    int machines = 0;
    FILE *f = fopen(TEST_DATA "/svm.txt", "r");
    assert_non_null(f);
    open_rig(&single, false);
    open_rig(&several, true);
    while (fscanf(f, " machine %15s %15s %lf %lf %d %d %lf %lf %lf %lf %lf %lf %lf %lf %lf", m.labels, m.loss, &m.cost, &m.weight,
                  &m.normal, &m.class, &want[0], &want[1], &want[2], &want[3], &want[4], &want[5], &want[6], &want[7], &want[8])
           == 15) {
        rig *r = strcmp(m.labels, "several") == 0 ? &several : &single;
        check_machine(r, &m, want);
        memcpy(ap[m.class], want + 6, sizeof ap[m.class]);
        machines++;
        if (m.class + 1 < CLASSES)
            continue;
        if (r == &single)
            assert_int_equal(fscanf(f, " top %15s %15s %lf %lf %d %lf", m.labels, m.loss, &m.cost, &m.weight, &m.normal, &top), 6);
        check_probe(r, &m, ap, top);
    }
    assert_int_equal(machines, 5 * CLASSES);
    close_rig(&single);
    close_rig(&several);
    fclose(f);
}

/* Whenever it ends, the optimum lies between the two values; the tighter the tolerance, the closer they are. */
static void the_gap_closes(void **state)
{
    (void)state;
    rig r;
    double w[64];
    open_rig(&r, false);
    for (int loss = PROTEA_SQUARED_HINGE; loss <= PROTEA_HINGE; loss++) {
        machine m = { .cost = 0.5, .weight = 2, .normal = 1, .class = 3 };
        snprintf(m.loss, sizeof m.loss, "%s", loss == PROTEA_HINGE ? "hinge" : "squared_hinge");
        protea_svm_end best = solve(&r, w, &m, &(protea_svm_opts){ (protea_svm_loss)loss, 1e-10, 1000000 });
        assert_true(best.converged && best.primal - best.dual < 1e-10 * best.primal);
        for (int64_t passes = 1; passes < 40; passes += 3) {
            protea_svm_end end = solve(&r, w, &m, &(protea_svm_opts){ (protea_svm_loss)loss, 1e-15, passes });
            assert_true(!end.converged && end.passes == passes);
            assert_true(end.primal >= best.primal - 1e-9 && end.dual <= best.dual + 1e-9);
        }
        protea_svm_end rough = solve(&r, w, &m, &(protea_svm_opts){ (protea_svm_loss)loss, 1e-4, 2000 });
        assert_true(rough.converged && rough.primal - rough.dual < 1e-4 * rough.primal && rough.passes < best.passes);
    }
    close_rig(&r);
}

static void folds_choose_as_scikit_learn(void **state)
{
    (void)state;
    rig r;
    char line[512];
    int class, choices = 0;
    double cost;
    protea_svm_result score[2] = { { 0 } };
    int64_t unconverged;
    const machine m = { .loss = "squared_hinge", .weight = 2, .normal = 1 };
    protea_svm_probe_opts opts = { .machine = options_of(&m, 1e-8), .shots = { 2, { 0, 5 } }, .costs = { 3, { 0.005, 0.1, 0.5 } },
                                   .all = PROTEA_SVM_BY_FOLDS, .few = PROTEA_SVM_BY_TEST, .folds = 3, .draws = 2 };
    open_rig(&r, false);
    assert_ok(protea_svm_probe(&r.cx, score, &unconverged, &r.sets, &r.train.set, &r.test.set, &opts, NULL, NULL));
    assert_true(isnan(score[0].cost) && score[0].draws == 1 && isnan(score[0].by_cost[0]));
    FILE *f = fopen(TEST_DATA "/svm.txt", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "choice %d %lf", &class, &cost) == 2) {
            assert_true(score[0].class_cost[class] == cost);
            choices++;
        }
    fclose(f);
    assert_int_equal(choices, CLASSES);
    for (int k = 0; k < 3; k++) /* the best on the test images, by the mean of the draws */
        assert_true(score[1].map[PROTEA_AP_ELEVEN] >= score[1].by_cost[k]);
    assert_true(score[1].cost == opts.costs.v[0] || score[1].cost == opts.costs.v[1] || score[1].cost == opts.costs.v[2]);
    protea_svm_result_release(&score[0]), protea_svm_result_release(&score[1]);
    opts.folds = 60; /* more than any class has images */
    assert_int_equal(protea_svm_probe(&r.cx, &score[0], &unconverged, &r.sets, &r.train.set, &r.test.set, &opts, NULL, NULL),
                     PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "60 folds"));
    protea_svm_result_release(&score[0]);
    close_rig(&r);
}

static void same(const protea_svm_result *a, const protea_svm_result *b)
{
    assert_memory_equal(a->map, b->map, sizeof a->map);
    assert_memory_equal(a->spread, b->spread, sizeof a->spread);
    assert_memory_equal(a->ap, b->ap, CLASSES * sizeof *a->ap);
    assert_memory_equal(a->class_cost, b->class_cost, CLASSES * sizeof *a->class_cost);
    assert_true(a->n == b->n && a->gap == b->gap && (a->top1 == b->top1 || isnan(a->top1)));
}

static void low_shot(void **state)
{
    (void)state;
    enum { SHOTS = 3 };
    const machine m = { .loss = "squared_hinge", .weight = 2, .normal = 1 };
    protea_svm_probe_opts opts = { .machine = options_of(&m, 1e-4), .shots = { SHOTS, { 1, 4, 1000 } }, .costs = { 2, { 0.5, 5 } },
                                   .all = PROTEA_SVM_BY_FOLDS, .few = PROTEA_SVM_BY_TEST, .folds = 3, .draws = 3 };
    int threads = protea_threads();
    for (int several = 0; several < 2; several++) {
        rig r;
        protea_svm_result score[3][SHOTS];
        int64_t unconverged;
        open_rig(&r, several);
        for (int i = 0; i < 3; i++) {
            protea_set_threads(i == 1 ? 3 : 1);
            r.cx.seed = i == 2 ? 99 : 1;
            assert_ok(protea_svm_probe(&r.cx, score[i], &unconverged, &r.sets, &r.train.set, &r.test.set, &opts, NULL, NULL));
        }
        protea_set_threads(threads);
        for (int s = 0; s < SHOTS; s++)
            same(&score[0][s], &score[1][s]);
        assert_true(score[0][0].n == 12 && score[0][1].n == 48);
        assert_true(score[0][2].n == r.sets.train.first[CLASSES]); /* all that each class has: an image of two counts twice */
        assert_true(score[0][0].spread[0] > 0 && score[0][1].spread[0] > 0 && score[0][0].map[0] != score[2][0].map[0]);
        assert_true(score[0][0].map[0] < score[0][1].map[0] && score[0][1].map[0] < score[0][2].map[0]);
        for (int i = 0; i < 3 * SHOTS; i++)
            protea_svm_result_release(&score[i / SHOTS][i % SHOTS]);
        close_rig(&r);
    }
}

static void what_cannot_be_trained_on(void **state)
{
    (void)state;
    rig r;
    protea_two_sets sets;
    protea_svm_result score = { 0 };
    int64_t unconverged;
    const machine m = { .loss = "squared_hinge", .weight = 2, .normal = 1 };
    const protea_svm_probe_opts opts = { .machine = options_of(&m, 1e-2), .shots = { 1, { 1 } }, .costs = { 1, { 1 } }, .folds = 3,
                                         .draws = 1 };
    open_rig(&r, false);
    for (long n = 1; n <= 20; n++) {
        protea_alloc_fail_after(n, 0);
        assert_int_equal(protea_svm_probe(&r.cx, &score, &unconverged, &r.sets, &r.train.set, &r.test.set, &opts, NULL, NULL),
                         PROTEA_ERR_MEMORY);
        protea_alloc_fail_after(0, 0);
        protea_svm_result_release(&score);
    }
    for (long n = 1; n <= 11; n++) {
        protea_alloc_fail_after(n, 0);
        assert_int_equal(protea_two_sets_match(&sets, &r.train.set, &r.test.set), PROTEA_ERR_MEMORY);
        protea_alloc_fail_after(0, 0);
        protea_two_sets_release(&sets);
    }
    r.test.set.z[7 * r.test.set.dim] = INFINITY;
    assert_int_equal(protea_svm_probe(&r.cx, &score, &unconverged, &r.sets, &r.train.set, &r.test.set, &opts, NULL, NULL),
                     PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "test: row 7"));
    protea_svm_result_release(&score);
    r.train.set.n_classes = 11;
    for (int64_t i = 0; i < r.train.set.n; i++)
        r.train.set.label[i] = r.train.set.label[i] == 11 ? -1 : r.train.set.label[i];
    assert_int_equal(protea_two_sets_match(&sets, &r.train.set, &r.test.set), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "class l"));
    protea_two_sets_release(&sets);
    for (int64_t i = 0; i < r.test.set.n; i++)
        r.test.set.label[i] = -1;
    assert_int_equal(protea_two_sets_match(&sets, &r.train.set, &r.test.set), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "test: none"));
    protea_two_sets_release(&sets);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_linear_svc), cmocka_unit_test(the_gap_closes), cmocka_unit_test(folds_choose_as_scikit_learn),
        cmocka_unit_test(low_shot),      cmocka_unit_test(what_cannot_be_trained_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
