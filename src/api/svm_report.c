#include "api/svm_report.h"

#include <math.h>
#include <stdio.h>

/* As the options call them. */
static const char *const ap_names[] = { "11point", "area" }, *const loss_names[] = { "squared_hinge", "hinge" };

/* ---- what is trained */

static const char *list_text(char *out, size_t size, const protea_list *list)
{
    size_t used = 0;
    for (int i = 0; i < list->n && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%.6g", i > 0 ? "," : "", list->v[i]);
    return out;
}

static void tell_settings(const protea_evaluation *e, const char *protocol, const protea_svm_probe_opts *p,
                          const protea_two_sets *sets)
{
    const protea_one_vs_all_opts *m = &p->machine;
    char costs[300], shots[300], weight[40] = "balanced";
    if (m->positive_weight > 0)
        snprintf(weight, sizeof weight, "x%g", m->positive_weight);
    protea_log(e->cx, PROTEA_LOG_INFO, "svm: protocol %s, %s, costs %s, positives %s, features %s, tol %g, max-iter %lld",
               protocol, loss_names[m->svm.loss], list_text(costs, sizeof costs, &p->costs), weight,
               m->normalize ? "of length 1" : "as they are", m->svm.tolerance, (long long)m->svm.max_passes);
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

void protea_svm_announce(const protea_evaluation *e, const char *protocol, const protea_svm_probe_opts *p,
                         const protea_two_sets *sets)
{
    tell_settings(e, protocol, p, sets);
    warn_of_classes(e, p, sets);
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

/* How one of several costs was found. */
static const char *choice_of(const protea_svm_probe_opts *p, int64_t shots)
{
    if (p->costs.n == 1)
        return "one";
    return protea_svm_by_folds(p, shots) ? "folds" : "test";
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
    add(result, "chosen_by", json_string(choice_of(p, s->shots)));
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

static void put_settings(json_t *result, const char *protocol, const protea_svm_probe_opts *p)
{
    json_object_set_new(result, "protocol", json_string(protocol));
    json_object_set_new(result, "shots", numbers(&p->shots));
    json_object_set_new(result, "costs", numbers(&p->costs));
    json_object_set_new(result, "draws", json_integer(p->draws));
    json_object_set_new(result, "folds", json_integer(p->folds));
    json_object_set_new(result, "ap", json_string(ap_names[p->ap]));
    json_object_set_new(result, "loss", json_string(loss_names[p->machine.svm.loss]));
    json_object_set_new(result, "positive_weight", json_real(p->machine.positive_weight));
    json_object_set_new(result, "normalize_features", json_boolean(p->machine.normalize));
    json_object_set_new(result, "tol", json_real(p->machine.svm.tolerance));
    json_object_set_new(result, "max_iter", json_integer(p->machine.svm.max_passes));
}

void protea_svm_report(const protea_evaluation *e, const char *protocol, const protea_svm_probe_opts *p,
                       const protea_svm_result *score, int64_t unconverged, const protea_two_sets *sets)
{
    for (int i = 0; i < p->shots.n; i++) {
        tell_score(e, p, &score[i]);
        put_score(e->result, p, &score[i]);
    }
    if (unconverged > 0)
        protea_log(e->cx, PROTEA_LOG_WARN, "%lld SVMs were not trained to --tol %g within --max-iter %lld passes",
                   (long long)unconverged, p->machine.svm.tolerance, (long long)p->machine.svm.max_passes);
    json_object_set_new(e->result, "unconverged", json_integer(unconverged));
    json_object_set_new(e->result, "n_train", json_integer(sets->train.n));
    json_object_set_new(e->result, "n_test", json_integer(sets->test.n));
    put_classes(e->result, p, score, sets);
    put_settings(e->result, protocol, p);
}
