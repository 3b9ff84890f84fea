/* protea eval knn */
#include <stdio.h>

#include "api/eval_protocol.h"

enum { MOST_SCORES = PROTEA_LIST_MAX * PROTEA_LIST_MAX };

typedef struct knn {
    protea_list k, temperature;
    int32_t metric;                /* choice of "cosine|euclidean": protea_row_metric */
} knn;

static const protea_opt table[] = {
    { .key = "k", .type = PROTEA_OPT_LIST, .offset = offsetof(knn, k), .def = "200", .min = 1, .max = 1e6, .unit = "neighbours",
      .help = "neighbours that vote; of several k, all are scored in one pass", .source = "Wu et al. 2018, arXiv:1805.01978" },
    { .key = "temperature", .type = PROTEA_OPT_LIST, .offset = offsetof(knn, temperature), .def = "0.1", .min = 1e-4, .max = 100,
      .help = "a vote weighs exp(cosine / temperature); of several, all are scored with each k",
      .source = "MoCo's CIFAR-10 demonstration" },
    { .key = "metric", .aliases = "distance_function", .type = PROTEA_OPT_CHOICE, .offset = offsetof(knn, metric), .def = "cosine",
      .choices = "cosine|euclidean", .help = "what is near; by Euclidean distance a vote weighs 1 / (distance + 1e-5), without a "
      "temperature", .source = "solo-learn" },
    { 0 },
};

/* One of them as it is, several as a list. */
static void put(json_t *result, const char *key, json_t *values)
{
    if (json_array_size(values) == 1)
        json_object_set(result, key, json_array_get(values, 0));
    else
        json_object_set(result, key, values);
    json_decref(values);
}

static json_t *temperature_of(const protea_knn_score *score)
{
    return score->temperature > 0 ? json_real(score->temperature) : json_null();
}

static void put_scores(const protea_evaluation *e, const knn *o, const protea_knn_score *score, int n)
{
    json_t *top1 = json_array(), *top5 = json_array(), *k = json_array(), *temperature = json_array();
    for (int i = 0; i < n; i++) {
        json_array_append_new(top1, json_real(score[i].top1));
        json_array_append_new(top5, json_real(score[i].top5));
        json_array_append_new(k, json_integer(score[i].k));
        json_array_append_new(temperature, temperature_of(&score[i]));
        char temperature_text[32] = "Euclidean distance";
        if (o->metric == PROTEA_COSINE)
            snprintf(temperature_text, sizeof temperature_text, "temperature %.4g", score[i].temperature);
        protea_log(e->cx, PROTEA_LOG_INFO, "k %lld, %s: top-1 %.4f, top-5 %.4f", (long long)score[i].k, temperature_text,
                   score[i].top1, score[i].top5);
    }
    put(e->result, "top1", top1);
    put(e->result, "top5", top5);
    json_object_set_new(e->result, "n_train", json_integer(score[0].n_train));
    json_object_set_new(e->result, "n_test", json_integer(score[0].n_test));
    put(e->result, "k", k);
    put(e->result, "temperature", temperature);
    json_object_set_new(e->result, "metric", json_string(o->metric == PROTEA_COSINE ? "cosine" : "euclidean"));
}

static protea_status run(void *self, const protea_evaluation *e)
{
    const knn *o = self;
    int64_t k[PROTEA_LIST_MAX];
    protea_knn_score score[MOST_SCORES];
    const protea_knn_opts opts = { .metric = (protea_row_metric)o->metric, .k = k, .n_k = o->k.n, .temperature = o->temperature.v,
                                   .n_temperatures = o->temperature.n };
    for (int i = 0; i < o->k.n; i++) {
        k[i] = (int64_t)o->k.v[i];
        if ((double)k[i] != o->k.v[i])
            return protea_fail(PROTEA_ERR_USAGE, "--k: %g found, whole numbers wanted", o->k.v[i]);
    }
    PROTEA_TRY(protea_knn_sets(e->cx, score, e->train, e->test, &opts));
    put_scores(e, o, score, protea_knn_count(&opts));
    return PROTEA_OK;
}

const protea_protocol protea_protocol_knn = {
    .name = "knn",
    .summary = "weighted k nearest neighbours on frozen features",
    .size = sizeof(knn),
    .opts = table,
    .run = run,
};
