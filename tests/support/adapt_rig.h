/* An adapter on a small classifier with weights and images from the formula. */
#ifndef PROTEA_TESTS_SUPPORT_ADAPT_RIG_H
#define PROTEA_TESTS_SUPPORT_ADAPT_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapt/adapter.h"
#include "nn/layers.h"
#include "support/formula.h"
#include "support/test_context.h"

enum { ADAPT_CLASSES = 6, ADAPT_SIDE = 24 };

typedef struct adapt_rig {
    protea_ctx cx;
    protea_classifier model;    /* owned: resnet18-w16 with the small stem, and a linear layer */
    protea_options *options;
    protea_adapt_opts opts;
    void *filled;
    protea_adapter *adapter;
    protea_tensor x;            /* (n,3,24,24), owned */
    protea_tensor logits;
    protea_adapt_out out;
} adapt_rig;

/* Running statistics of a network whose weights come by formula: near those of the images, so that both modes make sense. */
static inline protea_status adapt_rig_buffer(void *self, const char *name, protea_tensor *t)
{
    (void)self;
    bool var = strstr(name, "running_var") != NULL;
    if (strstr(name, "running_") != NULL)
        formula_fill(protea_f32(t), protea_count(t), name, var ? 1 : 0, 0.25);
    return PROTEA_OK;
}

/* Some of the predictions are to be sure. */
static inline protea_status adapt_rig_sharpen(void *self, const char *name, protea_param *p)
{
    (void)self;
    for (int64_t i = 0; i < protea_count(&p->w) && strcmp(name, "fc.weight") == 0; i++)
        protea_f32(&p->w)[i] *= 6;
    return PROTEA_OK;
}

/* Starts a batch of n images: patches of colour under noise, as tools/oracle/adapt.py has them; batch numbers them. */
static inline void adapt_rig_images(adapt_rig *r, int64_t n, int batch)
{
    char name[32];
    float *patches = calloc((size_t)(n * 3 * 16), sizeof *patches);
    free(r->x.data);
    r->x = (protea_tensor){ .dtype = PROTEA_F32, .n_dims = 4, .dim = { n, 3, ADAPT_SIDE, ADAPT_SIDE } };
    r->x.data = calloc((size_t)protea_count(&r->x), sizeof(float));
    snprintf(name, sizeof name, "patches.%d", batch);
    formula_fill(patches, n * 3 * 16, name, 0, 1);
    snprintf(name, sizeof name, "noise.%d", batch);
    formula_fill(protea_f32(&r->x), protea_count(&r->x), name, 0, .5);
    for (int64_t i = 0; i < protea_count(&r->x); i++) {
        int64_t row = i / ADAPT_SIDE % ADAPT_SIDE * 4 / ADAPT_SIDE, column = i % ADAPT_SIDE * 4 / ADAPT_SIDE;
        protea_f32(&r->x)[i] += patches[(i / (ADAPT_SIDE * ADAPT_SIDE) * 4 + row) * 4 + column];
    }
    free(patches);
}

/* In a context of the caller's, whose convolutions are made once for many rigs. settings: key, value, ... NULL. Returns what
 * protea_adapter_new returns; close the rig either way. */
static inline protea_status adapt_rig_open_in(adapt_rig *r, const protea_ctx *cx, const char *name, const char *const *settings)
{
    const protea_resnet_opts resnet = { .arch = "resnet18-w16", .small_stem = true };
    const protea_adapter_ops *ops;
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_INIT, 0, 0, 0);
    *r = (adapt_rig){ .cx = *cx };
    assert_ok(protea_resnet_new(&r->model.featurizer, &resnet, &rng));
    assert_ok(protea_linear_new(&r->model.fc, r->model.featurizer->out_dim, ADAPT_CLASSES, true, &rng));
    const protea_visitor fill = { formula_visit, adapt_rig_buffer, NULL };
    assert_ok(protea_visit(r->model.featurizer, "", &fill));
    assert_ok(protea_visit(r->model.fc, "fc", &fill));
    assert_ok(protea_visit(r->model.fc, "fc", &(protea_visitor){ .param = adapt_rig_sharpen }));
    assert_ok(protea_adapter_find(&ops, name));
    r->filled = calloc(1, ops->size);
    r->options = protea_options_new();
    assert_ok(protea_options_add(r->options, "adapter", ops->opts, r->filled));
    assert_ok(protea_options_add(r->options, "adaptation", protea_adapt_table, &r->opts));
    for (; *settings != NULL; settings += 2)
        assert_ok(protea_options_set(r->options, settings[0], settings[1], PROTEA_FROM_FLAG));
    return protea_adapter_new(&r->adapter, &r->cx, ops, r->filled, &r->model, &r->opts);
}

static inline protea_status adapt_rig_open(adapt_rig *r, const char *name, const char *const *settings)
{
    const protea_ctx cx = test_context_open(64);
    return adapt_rig_open_in(r, &cx, name, settings);
}

/* *cx: the context again, with its arenas as they are now. */
static inline void adapt_rig_close_in(adapt_rig *r, protea_ctx *cx)
{
    protea_adapter_free(r->adapter);
    protea_module_free(r->model.featurizer);
    protea_module_free(r->model.fc);
    protea_options_free(r->options);
    free(r->filled);
    free(r->x.data);
    *cx = r->cx;
}

static inline void adapt_rig_close(adapt_rig *r)
{
    protea_ctx cx;
    adapt_rig_close_in(r, &cx);
    test_context_close(&cx);
}

/* Batch number `batch` of n images, adapted on. */
static inline void adapt_rig_batch(adapt_rig *r, int64_t n, int batch)
{
    adapt_rig_images(r, n, batch);
    assert_ok(protea_adapter_adapt(r->adapter, &r->cx, &r->x, &r->logits, &r->out));
}

/* FNV-1a over every tensor that is saved: equal bits, equal sum. */
static inline protea_status adapt_rig_hash_tensor(void *self, const char *name, protea_tensor *t)
{
    uint64_t *sum = self;
    (void)name;
    for (size_t i = 0; i < protea_bytes(t); i++)
        *sum = (*sum ^ ((unsigned char *)t->data)[i]) * 0x100000001b3u;
    return PROTEA_OK;
}

static inline protea_status adapt_rig_hash_param(void *self, const char *name, protea_param *p)
{
    return adapt_rig_hash_tensor(self, name, &p->w);
}

static inline uint64_t adapt_rig_hash(adapt_rig *r)
{
    uint64_t sum = 0xcbf29ce484222325u;
    assert_ok(protea_adapter_visit(r->adapter, &(protea_visitor){ adapt_rig_hash_param, adapt_rig_hash_tensor, &sum }));
    return sum;
}

#endif
