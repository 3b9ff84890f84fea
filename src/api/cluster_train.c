#include "api/cluster_train.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 128, PROTOTYPES = 50, MANY_IMAGES = 1000 };

static protea_status set_number(protea_options *options, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return protea_options_set(options, key, text, PROTEA_FROM_FLAG);
}

/* Recipes are made for thousands of images; of some hundred a step takes a quarter, and a prototype has eight. */
static protea_status set_sizes(protea_options *options, int64_t n)
{
    int64_t batch = BATCH, prototypes = n / 8 < PROTOTYPES ? n / 8 : PROTOTYPES;
    if (n >= MANY_IMAGES)
        return PROTEA_OK;
    while (batch > 2 && batch > n / 4)
        batch /= 2;
    PROTEA_TRY(set_number(options, "batch_size", batch));
    return set_number(options, "nmb_prototypes", prototypes > 2 ? prototypes : 2);
}

static protea_status set_options(protea_options *options, const protea_cluster_train *t)
{
    static const char *const precisions[] = { "auto", "f32", "bf16", "fast" };
    PROTEA_TRY(protea_options_set(options, "resume", "true", PROTEA_FROM_FLAG));
    PROTEA_TRY(protea_options_set(options, "precision", precisions[t->session->precision], PROTEA_FROM_FLAG));
    PROTEA_TRY(set_number(options, "seed", t->session->seed));
    PROTEA_TRY(set_number(options, "threads", t->session->threads));
    PROTEA_TRY(set_number(options, "limit", t->images->limit));
    if (t->images->exif)
        PROTEA_TRY(protea_options_set(options, "exif", "true", PROTEA_FROM_FLAG));
    if (t->images->image_size > 0)
        PROTEA_TRY(set_number(options, "image_size", t->images->image_size));
    if (t->max_minutes > 0)
        PROTEA_TRY(set_number(options, "max_minutes", t->max_minutes));
    return t->epochs[0] ? protea_options_set(options, "epochs", t->epochs, PROTEA_FROM_FLAG) : PROTEA_OK;
}

protea_status protea_cluster_train_first(const protea_cluster_train *t, const protea_ctx *cx, const protea_hooks *hooks)
{
    protea_job *job;
    protea_source *source;
    char *json = NULL;
    protea_log(cx, PROTEA_LOG_INFO, "no model given: one is trained first, by `protea train swav %s -o %s`", t->data, t->run);
    PROTEA_TRY(protea_images_open(&source, t->data, t->images, cx->seed));
    int64_t n = protea_source_count(source);
    protea_source_close(source);
    PROTEA_TRY(protea_job_new(&job, "train", "swav"));
    protea_status status = set_options(protea_job_options(job), t);
    if (status == PROTEA_OK)
        status = set_sizes(protea_job_options(job), n);
    if (status == PROTEA_OK)
        status = protea_job_run(job, &t->data, 1, t->run, hooks, &json);
    free(json);
    protea_job_free(job);
    return status;
}
