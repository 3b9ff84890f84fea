/* protea eval svm: linear SVMs on features, as PCL and VISSL measure models on VOC07. */
#include <math.h>

#include "api/svm_report.h"

typedef struct svm {
    int32_t protocol, select, ap, loss, normalize;
    protea_list shots, costs;
    int64_t draws, folds, max_iter;
    double positive_weight, tol;
} svm;
enum { PCL, VISSL };
enum { AUTO, FOLDS, TEST };

/* From the authors' scripts. VISSL's costs are more, and two to ten times apart; these are its range in
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
      .help = "training images drawn of each class; 0: all there are; -1: the protocol's (pcl 1 2 4 8 16 0, vissl as far as 96)",
      .source = "both protocols" },
    { .key = "draws", .aliases = "n_run", .type = PROTEA_OPT_INT, .offset = FIELD(draws), .def = "5", .min = 1, .max = 10000,
      .help = "draws for each number of shots: mean and spread are told", .source = "PCL: five runs" },
    { .key = "costs", .aliases = "cost,costs_list,C", .type = PROTEA_OPT_LIST, .offset = FIELD(costs), .def = "0", .min = 0,
      .max = 1e12, .help = "C of the SVMs; several: see select; 0: the protocol's (pcl 0.5, vissl 0.01 to 1000)",
      .source = "both protocols" },
    { .key = "select", .type = PROTEA_OPT_CHOICE, .offset = FIELD(select), .def = "auto", .choices = "auto|folds|test",
      .help = "which of several costs counts: the best in cross-validation, a class its own, or the best on the test images; auto: "
              "folds with all images, test in low-shot", .source = "VISSL; PCL in low-shot" },
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

/* Whether the list says no more than that the protocol's is wanted. */
static bool is_only(const protea_list *list, double value)
{
    return list->n == 1 && list->v[0] == value;
}

static protea_status settle(protea_svm_probe_opts *p, const svm *o)
{
    const struct preset *preset = &presets[o->protocol];
    *p = (protea_svm_probe_opts){ .shots = is_only(&o->shots, -1) ? preset->shots : o->shots,
                                  .costs = is_only(&o->costs, 0) ? preset->costs : o->costs,
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
    protea_svm_announce(e, presets[o->protocol].name, p, sets);
    protea_ticker_start(&w.ticker, e->hooks);
    protea_status status = protea_svm_probe(e->cx, score, &unconverged, sets, e->train, e->test, p, after_machine, &w);
    if (status == PROTEA_OK)
        protea_svm_report(e, presets[o->protocol].name, p, score, unconverged, sets);
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
