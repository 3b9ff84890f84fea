/* protea eval svm: linear SVMs on features, as PCL and VISSL measure models on VOC07. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/eval_protocol.h"
#include "base/alloc.h"
#include "eval/svm_probe.h"

typedef struct svm {
    int32_t protocol, select, ap, loss, normalize;
    protea_list shots, costs;
    int64_t draws, folds, max_iter;
    double positive_weight, tol;
} svm;
enum { PCL, VISSL };
enum { AUTO, FOLDS, TEST };

/* Facts: methods.md 8.4, from the authors' scripts. VISSL's costs are more, and two to ten times apart; these are its range in
 * tens. Both weigh positives twice, divide features by |x| + 1e-5, and choose among costs in low-shot by the test images. */
static const struct preset {
    const char *name;
    protea_list shots, costs;
} presets[] = {
    [PCL] = { "pcl", { 6, { 1, 2, 4, 8, 16, 0 } }, { 1, { 0.5 } } },
    [VISSL] = { "vissl", { 9, { 1, 2, 4, 8, 16, 32, 64, 96, 0 } }, { 6, { 0.01, 0.1, 1, 10, 100, 1000 } } },
};

#define FIELD(name) offsetof(svm, name)
static const protea_opt table[] = {
    { .key = "protocol", .type = PROTEA_OPT_CHOICE, .offset = FIELD(protocol), .def = "pcl", .choices = "pcl|vissl",
      .help = "whose shots and costs", .source = "PCL's eval_svm_voc.py; VISSL's benchmark, arXiv:1905.01235" },
    { .key = "shots", .type = PROTEA_OPT_LIST, .offset = FIELD(shots), .def = "-1", .min = -1, .max = 1e9, .unit = "images",
      .help = "training images drawn of each class; 0: all there are; -1: the protocol's (pcl 1 2 4 8 16 0, vissl as far as 96)" },
    { .key = "draws", .aliases = "n_run", .type = PROTEA_OPT_INT, .offset = FIELD(draws), .def = "5", .min = 1, .max = 10000,
      .help = "draws for each number of shots: mean and spread are told" },
    { .key = "costs", .aliases = "cost,costs_list,C", .type = PROTEA_OPT_LIST, .offset = FIELD(costs), .def = "0", .min = 0,
      .max = 1e12, .help = "C of the SVMs; several: see select; 0: the protocol's (pcl 0.5, vissl 0.01 to 1000)" },
    { .key = "select", .type = PROTEA_OPT_CHOICE, .offset = FIELD(select), .def = "auto", .choices = "auto|folds|test",
      .help = "which of several costs counts: the best in cross-validation, a class its own, or the best on the test images; auto: "
              "folds with all images, test in low-shot, as the protocols have it" },
    { .key = "folds", .type = PROTEA_OPT_INT, .offset = FIELD(folds), .def = "3", .min = 2, .max = 1000,
      .help = "parts of the training images for cross-validation", .source = "VISSL" },
    { .key = "ap", .type = PROTEA_OPT_CHOICE, .offset = FIELD(ap), .def = "11point", .choices = "11point|area",
      .help = "which average precision map is of: VOC07's own at eleven recalls, or the area under the curve, as PCL's and VISSL's "
              "scripts compute it; both are told", .source = "VOC2007 development kit" },
    { .key = "loss", .type = PROTEA_OPT_CHOICE, .offset = FIELD(loss), .def = "squared_hinge", .choices = "squared_hinge|hinge",
      .help = "of the SVMs", .source = "both protocols" },
    { .key = "positive_weight", .type = PROTEA_OPT_FLOAT, .offset = FIELD(positive_weight), .def = "2", .min = 0, .max = 1e6,
      .help = "a class's own images cost so many times as much as the others; 0: in inverse proportion to how many there are",
      .source = "both protocols" },
    { .key = "normalize_features", .type = PROTEA_OPT_BOOL, .offset = FIELD(normalize), .def = "true",
      .help = "features are divided by their length + 1e-5", .source = "both protocols" },
    { .key = "tol", .type = PROTEA_OPT_FLOAT, .offset = FIELD(tol), .def = "1e-4", .min = 1e-15, .max = 1,
      .help = "training ends when the dual's projected gradients lie this close", .source = "both protocols" },
    { .key = "max_iter", .type = PROTEA_OPT_INT, .offset = FIELD(max_iter), .def = "2000", .min = 1, .max = 1e9, .unit = "passes",
      .help = "or after so many passes over the images", .source = "both protocols" },
    { 0 },
};

static const char *const ap_names[] = { "11point", "area" }, *const loss_names[] = { "squared_hinge", "hinge" };

/* ---- what was asked for */

static protea_status settle(protea_svm_probe_opts *p, const svm *o)
{
    const struct preset *preset = &presets[o->protocol];
    *p = (protea_svm_probe_opts){ .shots = o->shots.v[0] < 0 ? preset->shots : o->shots,
                                  .costs = o->costs.v[0] > 0 ? o->costs : preset->costs,
                                  .all = o->select == TEST ? PROTEA_SVM_BY_TEST : PROTEA_SVM_BY_FOLDS,
                                  .few = o->select == FOLDS ? PROTEA_SVM_BY_FOLDS : PROTEA_SVM_BY_TEST,
                                  .folds = (int)o->folds, .draws = o->draws, .ap = (protea_ap_kind)o->ap };
    p->machine = (protea_one_vs_all_opts){ .svm = { (protea_svm_loss)o->loss, o->tol, o->max_iter },
                                           .positive_weight = o->positive_weight, .normalize = o->normalize != 0 };
    for (int i = 0; i < p->costs.n; i++)
        if (p->costs.v[i] <= 0)
            return protea_fail(PROTEA_ERR_USAGE, "--costs: %g found among several, above 0 wanted", p->costs.v[i]);
    for (int i = 0; i < p->shots.n; i++) {
        double shots = p->shots.v[i];
        if (shots < 0 || shots != floor(shots))
            return protea_fail(PROTEA_ERR_USAGE, "--shots: %g found, whole numbers wanted, 0 for all", shots);
        if (o->select == FOLDS && p->costs.n > 1 && shots > 0 && shots < (double)p->folds)
            return protea_fail(PROTEA_ERR_USAGE, "--select folds: %g shots found, %d wanted at least, or one cost", shots,
                               p->folds);
    }
    return PROTEA_OK;
}

/* How one of several costs is found. */
static const char *choice_of(const protea_svm_probe_opts *p, double shots)
{
    if (p->costs.n == 1)
        return "one";
    return (shots > 0 ? p->few : p->all) == PROTEA_SVM_BY_FOLDS ? "folds" : "test";
}

static const char *list_text(char *out, size_t size, const protea_list *list)
{
    size_t used = 0;
    for (int i = 0; i < list->n && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%.6g", i > 0 ? "," : "", list->v[i]);
    return out;
}

static void tell_settings(const protea_evaluation *e, const svm *o, const protea_svm_probe_opts *p, const protea_two_sets *sets)
{
    char costs[300], shots[300], weight[40] = "balanced";
    if (o->positive_weight > 0)
        snprintf(weight, sizeof weight, "x%g", o->positive_weight);
    protea_log(e->cx, PROTEA_LOG_INFO, "svm: protocol %s, %s, costs %s, positives %s, features %s, tol %g, max-iter %lld",
               presets[o->protocol].name, loss_names[o->loss], list_text(costs, sizeof costs, &p->costs), weight,
               o->normalize ? "of length 1" : "as they are", o->tol, (long long)o->max_iter);
    protea_log(e->cx, PROTEA_LOG_INFO, "svm: %d classes%s, %lld training and %lld test images, shots %s (0: all), %lld draws",
               sets->n_classes, sets->several ? ", several an image" : "", (long long)sets->train.n, (long long)sets->test.n,
               list_text(shots, sizeof shots, &p->shots), (long long)p->draws);
}

/* Classes that are smaller than the shots, and such as no test image has. */
static void warn_of_classes(const protea_evaluation *e, const protea_svm_probe_opts *p, const protea_two_sets *sets)
{
    double most = 0;
    int few = 0, absent = 0, smallest = 0;
    for (int i = 0; i < p->shots.n; i++)
        most = p->shots.v[i] > most ? p->shots.v[i] : most;
    for (int c = 0; c < sets->n_classes; c++) {
        few += (double)protea_class_size(&sets->train, c) < most;
        absent += protea_class_size(&sets->test, c) == 0;
        smallest = protea_class_size(&sets->train, c) < protea_class_size(&sets->train, smallest) ? c : smallest;
    }
    if (few > 0)
        protea_log(e->cx, PROTEA_LOG_WARN, "%d of %d classes have fewer than %g training images, the smallest %lld, and give all",
                   few, sets->n_classes, most, (long long)protea_class_size(&sets->train, smallest));
    if (absent > 0)
        protea_log(e->cx, PROTEA_LOG_WARN, "%d of %d classes have no test image and are left out of the mean", absent,
                   sets->n_classes);
}

/* ---- what came out */

static void tell_score(const protea_evaluation *e, const protea_svm_probe_opts *p, const protea_svm_result *s)
{
    char shots[40] = "all images", map[2][40], cost[60] = "a cost for each class, by cross-validation", top[60] = "";
    if (s->shots > 0)
        snprintf(shots, sizeof shots, "shots %lld", (long long)s->shots);
    for (int kind = PROTEA_AP_ELEVEN; kind <= PROTEA_AP_AREA; kind++) {
        int used = snprintf(map[kind], sizeof map[kind], "%.4f", s->map[kind]);
        if (s->draws > 1)
            snprintf(map[kind] + used, sizeof map[kind] - (size_t)used, " +- %.4f", s->spread[kind]);
    }
    if (!isnan(s->cost))
        snprintf(cost, sizeof cost, "cost %g%s", s->cost, p->costs.n > 1 ? ", the best on the test images" : "");
    if (!isnan(s->top1))
        snprintf(top, sizeof top, "; top1 %.4f, top5 %.4f", s->top1, s->top5);
    protea_log(e->cx, PROTEA_LOG_INFO, "%s: mAP %s at 11 points, %s by area%s (%s)", shots, map[PROTEA_AP_ELEVEN],
               map[PROTEA_AP_AREA], top, cost);
}

static json_t *real_or_null(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *numbers(const protea_list *list)
{
    json_t *out = json_array();
    for (int i = 0; i < list->n; i++)
        json_array_append_new(out, list->v[i] == floor(list->v[i]) ? json_integer((json_int_t)list->v[i]) : json_real(list->v[i]));
    return out;
}

static void add(json_t *object, const char *key, json_t *value)
{
    json_t *list = json_object_get(object, key);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(object, key, list);
    }
    json_array_append_new(list, value);
}

static void put_score(json_t *result, const protea_svm_probe_opts *p, const protea_svm_result *s)
{
    json_t *by_cost = json_array();
    for (int k = 0; k < p->costs.n; k++)
        json_array_append_new(by_cost, real_or_null(s->by_cost[k]));
    add(result, "map", json_real(s->map[p->ap]));
    add(result, "spread", json_real(s->spread[p->ap]));
    add(result, "map_11point", json_real(s->map[PROTEA_AP_ELEVEN]));
    add(result, "map_area", json_real(s->map[PROTEA_AP_AREA]));
    add(result, "map_by_cost", by_cost);
    add(result, "cost", real_or_null(s->cost));
    add(result, "chosen_by", json_string(choice_of(p, (double)s->shots)));
    add(result, "trained_on", json_integer(s->n));
    add(result, "gap", json_real(s->gap));
    if (isnan(s->top1))
        return;
    add(result, "top1", json_real(s->top1));
    add(result, "top5", json_real(s->top5));
}

static void put_classes(json_t *result, const protea_svm_probe_opts *p, const protea_svm_result *score, const protea_two_sets *sets)
{
    json_t *classes = json_array();
    for (int c = 0; c < sets->n_classes; c++) {
        char name[600];
        json_t *one = json_pack("{s:s s:I s:I}", "class", protea_escape(name, sizeof name, sets->class_name[c]), "n_train",
                                (json_int_t)protea_class_size(&sets->train, c), "n_test",
                                (json_int_t)protea_class_size(&sets->test, c));
        for (int i = 0; i < p->shots.n; i++) {
            add(one, "ap", real_or_null(score[i].ap[c][p->ap]));
            add(one, "cost", json_real(score[i].class_cost[c]));
        }
        json_array_append_new(classes, one);
    }
    json_object_set_new(result, "per_class", classes);
}

static void put_settings(json_t *result, const svm *o, const protea_svm_probe_opts *p)
{
    json_object_set_new(result, "protocol", json_string(presets[o->protocol].name));
    json_object_set_new(result, "shots", numbers(&p->shots));
    json_object_set_new(result, "costs", numbers(&p->costs));
    json_object_set_new(result, "draws", json_integer(o->draws));
    json_object_set_new(result, "folds", json_integer(o->folds));
    json_object_set_new(result, "ap", json_string(ap_names[o->ap]));
    json_object_set_new(result, "loss", json_string(loss_names[o->loss]));
    json_object_set_new(result, "positive_weight", json_real(o->positive_weight));
    json_object_set_new(result, "normalize_features", json_boolean(o->normalize));
    json_object_set_new(result, "tol", json_real(o->tol));
    json_object_set_new(result, "max_iter", json_integer(o->max_iter));
}

static void report(const protea_evaluation *e, const svm *o, const protea_svm_probe_opts *p, const protea_svm_result *score,
                   int64_t unconverged, const protea_two_sets *sets)
{
    for (int i = 0; i < p->shots.n; i++) {
        tell_score(e, p, &score[i]);
        put_score(e->result, p, &score[i]);
    }
    if (unconverged > 0)
        protea_log(e->cx, PROTEA_LOG_WARN, "%lld SVMs were not trained to --tol %g within --max-iter %lld passes",
                   (long long)unconverged, o->tol, (long long)o->max_iter);
    json_object_set_new(e->result, "unconverged", json_integer(unconverged));
    json_object_set_new(e->result, "n_train", json_integer(sets->train.n));
    json_object_set_new(e->result, "n_test", json_integer(sets->test.n));
    put_classes(e->result, p, score, sets);
    put_settings(e->result, o, p);
}

/* ---- running */

typedef struct watch {
    protea_ticker ticker;
    const protea_hooks *hooks;
    int64_t machines;
} watch;

static protea_status after_machine(void *self, int64_t done)
{
    watch *w = self;
    protea_ticker_tick(&w->ticker, "svm", (double)done, (double)w->machines, "machines", NULL);
    if (w->hooks->stop != NULL && *w->hooks->stop)
        return protea_fail(PROTEA_STOPPED, "stopped on request after %lld of %lld SVMs", (long long)done, (long long)w->machines);
    return PROTEA_OK;
}

static protea_status run_matched(const svm *o, const protea_evaluation *e, const protea_svm_probe_opts *p,
                                 const protea_two_sets *sets)
{
    protea_svm_result score[PROTEA_LIST_MAX] = { { 0 } };
    int64_t unconverged;
    watch w = { .hooks = e->hooks, .machines = protea_svm_probe_size(sets, p) };
    tell_settings(e, o, p, sets);
    warn_of_classes(e, p, sets);
    protea_ticker_start(&w.ticker, e->hooks);
    protea_status status = protea_svm_probe(e->cx, score, &unconverged, sets, e->train, e->test, p, after_machine, &w);
    if (status == PROTEA_OK)
        report(e, o, p, score, unconverged, sets);
    for (int i = 0; i < p->shots.n; i++)
        protea_svm_result_release(&score[i]);
    return status;
}

static protea_status run(void *self, const protea_evaluation *e)
{
    const svm *o = self;
    protea_svm_probe_opts p;
    protea_two_sets sets;
    PROTEA_TRY(settle(&p, o));
    protea_status status = protea_two_sets_match(&sets, e->train, e->test);
    if (status == PROTEA_OK)
        status = run_matched(o, e, &p, &sets);
    protea_two_sets_release(&sets);
    return status;
}

const protea_protocol protea_protocol_svm = {
    .name = "svm",
    .summary = "linear SVMs on frozen features, low-shot and full, by mean average precision as on VOC07",
    .several_classes = true,
    .size = sizeof(svm),
    .opts = table,
    .run = run,
};
