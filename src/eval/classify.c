#include "eval/classify.h"

#include <math.h>

#include "base/alloc.h"
#include "loss/cross_entropy.h"

void protea_classified_release(protea_classified *c)
{
    protea_free(c->logits);
    protea_free(c->label);
    *c = (protea_classified){ 0 };
}

static int32_t label_of(const protea_source *source, const int32_t *map, int64_t i)
{
    int32_t label = protea_source_is_bad(source, i) ? -1 : protea_source_label(source, i);
    return label < 0 || map == NULL ? label : map[label];
}

int protea_label_rank(const float *score, int64_t c, int32_t label)
{
    int above = 0;
    if (!isfinite(score[label]))
        return (int)c;
    for (int64_t j = 0; j < c; j++)
        above += !(score[j] < score[label] || (score[j] == score[label] && j >= label));
    return above;
}

static int64_t count_among_5(const protea_classified *c, int64_t classes)
{
    int64_t among = 0;
    for (int64_t i = 0; i < c->n; i++)
        among += c->label[i] >= 0 && protea_label_rank(c->logits + i * classes, classes, c->label[i]) < 5;
    return among;
}

protea_status protea_classify(protea_ctx *cx, protea_classified *c, const protea_model *model, protea_source *source,
                              const int32_t *map, protea_features_progress progress, void *self)
{
    int64_t classes = model->classes.n;
    *c = (protea_classified){ .n = protea_source_count(source) };
    PROTEA_TRY(protea_new(&c->logits, (size_t)c->n, (size_t)classes * sizeof *c->logits, "logits"));
    PROTEA_TRY(protea_new(&c->label, (size_t)c->n, sizeof *c->label, "labels"));
    PROTEA_TRY(protea_model_features(cx, model, PROTEA_LOGITS, source, c->logits, progress, self));
    for (int64_t i = 0; i < c->n; i++)
        c->label[i] = label_of(source, map, i);
    const protea_tensor logits = { .data = c->logits, .dtype = PROTEA_F32, .n_dims = 2, .dim = { c->n, classes } };
    c->n_correct = protea_count_correct(cx, &logits, c->label, &c->n_labelled);
    c->n_among_5 = count_among_5(c, classes);
    return PROTEA_OK;
}
