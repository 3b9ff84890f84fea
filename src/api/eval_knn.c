/* protea eval knn */
#include "api/eval_protocol.h"

typedef struct knn {
    int64_t k;
    double temperature;
} knn;

static const protea_opt table[] = {
    { .key = "k", .type = PROTEA_OPT_INT, .offset = offsetof(knn, k), .def = "200", .min = 1, .max = 1e6, .unit = "neighbours",
      .help = "neighbours that vote", .source = "Wu et al. 2018, arXiv:1805.01978" },
    { .key = "temperature", .type = PROTEA_OPT_FLOAT, .offset = offsetof(knn, temperature), .def = "0.1", .min = 1e-4, .max = 100,
      .help = "a vote weighs exp(cosine / temperature)", .source = "MoCo's CIFAR-10 demonstration" },
    { 0 },
};

static protea_status run(void *self, const protea_evaluation *e)
{
    const knn *o = self;
    protea_knn_score score;
    PROTEA_TRY(protea_knn_sets(e->cx, &score, e->train, e->test, o->k, o->temperature));
    json_object_set_new(e->result, "top1", json_real(score.top1));
    json_object_set_new(e->result, "top5", json_real(score.top5));
    json_object_set_new(e->result, "n_train", json_integer(score.n_train));
    json_object_set_new(e->result, "n_test", json_integer(score.n_test));
    json_object_set_new(e->result, "k", json_integer(score.k));
    json_object_set_new(e->result, "temperature", json_real(o->temperature));
    return PROTEA_OK;
}

const protea_protocol protea_protocol_knn = {
    .name = "knn",
    .summary = "weighted k nearest neighbours on frozen features",
    .size = sizeof(knn),
    .opts = table,
    .run = run,
};
