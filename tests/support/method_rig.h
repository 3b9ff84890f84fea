/* A method on a network with batches from the formula: all that a test of a training step needs. */
#ifndef PROTEA_TESTS_SUPPORT_METHOD_RIG_H
#define PROTEA_TESTS_SUPPORT_METHOD_RIG_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "method/method.h"
#include "nn/layers.h"
#include "support/test_context.h"
#include "support/formula.h"
#include "support/tiny_backbone.h"

enum { RIG_MAX_IMAGES = 64 };

typedef struct rig {
    protea_ctx cx;
    const protea_method_ops *ops;
    const char *arch;          /* NULL: the tiny backbone */
    void *method;
    protea_module *backbone;
    protea_options *options;
    protea_progress now;
    protea_batch batch;
    protea_step_out out;
    int64_t index[RIG_MAX_IMAGES];
    int64_t handed;            /* batches of this epoch that rig_next_batch gave */
} rig;

/* Views of one resolution, to be added in the order of their numbers. */
static inline void rig_add_views(rig *r, int n_views, int64_t size)
{
    protea_view_group *group = &r->batch.group[r->batch.n_groups++];
    int64_t rows = n_views * r->batch.n_images;
    *group = (protea_view_group){ .n_views = n_views, .size = size };
    group->x = (protea_tensor){ .data = calloc((size_t)(rows * 3 * size * size), sizeof(float)), .dtype = PROTEA_F32,
                                .n_dims = 4, .dim = { rows, 3, size, size } };
    r->batch.n_views += n_views;
}

/* Noise over 4 x 4 patches of colour of each image's own, as tools/oracle/network.py has it; where the data set has a size
 * (now.n_images), numbers of images too, in an order of the epoch's own. */
static inline void rig_fill_views(rig *r, int64_t step)
{
    char name[64];
    float patches[RIG_MAX_IMAGES * 3 * 16];
    int64_t planes = r->batch.n_images * 3;
    for (int64_t i = 0; r->now.n_images > 0 && i < r->batch.n_images; i++) {
        int64_t position = step % r->now.steps_per_epoch * r->batch.n_images + i;
        r->index[i] = (position * 7 + step / r->now.steps_per_epoch * 5) % r->now.n_images;
    }
    snprintf(name, sizeof name, "images.%d", (int)step);
    formula_fill(patches, planes * 16, name, 0, 1);
    for (int g = 0; g < r->batch.n_groups; g++) {
        protea_tensor *x = &r->batch.group[g].x;
        int64_t size = x->dim[3];
        snprintf(name, sizeof name, "crops.%d.%d", (int)step, g);
        formula_fill(protea_f32(x), protea_count(x), name, 0, .5);
        for (int64_t i = 0; i < protea_count(x); i++) {
            int64_t row = i / size % size * 4 / size, column = i % size * 4 / size;
            protea_f32(x)[i] += patches[(i / (size * size) % planes * 4 + row) * 4 + column];
        }
    }
}

static inline protea_status rig_visit(void *self, const protea_visitor *v)
{
    rig *r = self;
    PROTEA_TRY(protea_visit(r->backbone, "", v));
    return r->ops->visit(r->method, v);
}

static inline protea_status rig_new_backbone(void *self, protea_module **out, protea_rng *rng)
{
    const rig *r = self;
    protea_resnet_opts resnet = { .small_stem = true, .zero_init_residual = r->ops->zero_init_residual };
    if (r->arch == NULL)
        return tiny_backbone_new(out, rng);
    snprintf(resnet.arch, sizeof resnet.arch, "%s", r->arch);
    return protea_resnet_new(out, &resnet, rng);
}

/* The batches of an epoch, from its first. */
static inline protea_status rig_next_batch(void *self, const protea_batch **out)
{
    rig *r = self;
    bool more = r->handed < r->now.steps_per_epoch;
    *out = more ? &r->batch : NULL;
    if (more)
        rig_fill_views(r, r->now.epoch * r->now.steps_per_epoch + r->handed++);
    return PROTEA_OK;
}

/* Features of the data set: rows of length 1 around a few directions, whatever the encoder. */
static inline protea_status rig_features(void *self, protea_module *encoder, float *z, int64_t dim)
{
    rig *r = self;
    (void)encoder;
    formula_fill(z, r->now.n_images * dim, "features", 0, .2);
    for (int64_t i = 0; i < r->now.n_images; i++) {
        double square = 0;
        z[i * dim + i * 5 % dim] += 1;
        for (int64_t d = 0; d < dim; d++)
            square += (double)z[i * dim + d] * z[i * dim + d];
        for (int64_t d = 0; d < dim; d++)
            z[i * dim + d] = (float)(z[i * dim + d] / sqrt(square));
    }
    return PROTEA_OK;
}

/* All but the method's init. arch NULL: the tiny backbone. settings: key, value, key, value ... NULL. */
static inline void rig_open(rig *r, const char *method, const char *arch, const char *const *settings)
{
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_INIT, 0, 0, 0);
    r->cx = test_context_open(64);
    assert_ok(protea_method_find(&r->ops, method));
    r->arch = arch;
    r->now.new_backbone = rig_new_backbone;
    r->now.next_batch = rig_next_batch;
    r->now.features = rig_features;
    r->now.self = r;
    assert_ok(rig_new_backbone(r, &r->backbone, &rng));
    r->method = calloc(1, r->ops->size);
    r->options = protea_options_new();
    assert_non_null(r->options);
    assert_ok(protea_options_add(r->options, "method", r->ops->opts, r->method));
    for (; *settings != NULL; settings += 2)
        assert_ok(protea_options_set(r->options, settings[0], settings[1], PROTEA_FROM_FLAG));
    r->now.batch_size = r->batch.n_images;
    r->batch.index = r->index;
}

/* Returns what the method's init returns; the rig must be closed either way. */
static inline protea_status rig_init(rig *r, const char *method, const char *arch, const char *const *settings)
{
    rig_open(r, method, arch, settings);
    protea_rng rng = protea_rng_make(2, PROTEA_RNG_INIT, 0, 0, 0);
    return r->ops->init(&r->cx, r->method, r->backbone, &r->now, &rng);
}

static inline protea_status rig_plan_body(protea_ctx *cx, void *self)
{
    rig *r = self;
    return r->ops->step(cx, r->method, &r->batch, &r->now, &r->out);
}

static inline protea_status rig_plan(rig *r)
{
    return protea_plan_arenas(&r->cx, rig_plan_body, r, NULL, NULL);
}

static inline void rig_reset_arenas(rig *r)
{
    protea_arena_release(r->cx.kept, 0);
    protea_arena_release(r->cx.scratch, 0);
}

/* Step number `step`, its gradients left in the parameters. */
static inline protea_status rig_step(rig *r, int64_t step)
{
    r->now.step = step;
    r->now.epoch = step / r->now.steps_per_epoch;
    r->now.self = r; /* a rig may have been copied */
    r->batch.index = r->index;
    rig_reset_arenas(r);
    if (r->ops->epoch_begin != NULL && step % r->now.steps_per_epoch == 0)
        PROTEA_TRY(r->ops->epoch_begin(&r->cx, r->method, &r->now));
    return r->ops->step(&r->cx, r->method, &r->batch, &r->now, &r->out);
}

static inline void rig_close(rig *r)
{
    r->ops->free(r->method);
    protea_module_free(r->backbone);
    protea_options_free(r->options);
    free(r->method);
    for (int g = 0; g < r->batch.n_groups; g++)
        free(r->batch.group[g].x.data);
    test_context_close(&r->cx);
}

/* A rig that is made and planned, its weights from the formula. */
static inline rig rig_start(rig r, const char *method, const char *const *settings)
{
    protea_visitor formula = { .param = formula_visit };
    assert_ok(rig_init(&r, method, NULL, settings));
    assert_ok(rig_visit(&r, &formula));
    assert_ok(rig_plan(&r));
    return r;
}

/* Settings that init or the first step refuses, with a message that holds `named`. */
static inline void rig_check_refused(rig r, const char *method, const char *const *settings, const char *named)
{
    protea_status status = rig_init(&r, method, NULL, settings);
    if (status == PROTEA_OK)
        status = rig_plan(&r); /* the number of views is known from the first step on */
    assert_int_equal(status, PROTEA_ERR_USAGE);
    if (strstr(protea_last_error(), named) == NULL)
        fail_msg("\"%s\" wanted in: %s", named, protea_last_error());
    rig_close(&r);
}

/* Fails one allocation of a method's init after the other: each gives PROTEA_ERR_MEMORY and leaves what can be freed. */
static inline void rig_fail_every_allocation(rig (*make)(void), const char *method, const char *const *settings)
{
    long n = 1;
    for (; n < 500; n++) {
        rig r = make();
        protea_rng rng = protea_rng_make(1, PROTEA_RNG_INIT, 0, 0, 0);
        rig_open(&r, method, NULL, settings);
        protea_alloc_fail_after(n, 0);
        protea_status status = r.ops->init(&r.cx, r.method, r.backbone, &r.now, &rng);
        protea_alloc_fail_after(0, 0);
        rig_close(&r);
        if (status == PROTEA_OK)
            break;
        assert_int_equal(status, PROTEA_ERR_MEMORY);
    }
    assert_true(n > 8 && n < 500);
}

/* ---- looking */

/* What a name stands for: one of the two. */
typedef struct rig_look {
    const char *name;
    const protea_param *param;
    const protea_tensor *buffer;
} rig_look;

static inline protea_status rig_look_param(void *self, const char *name, protea_param *p)
{
    rig_look *l = self;
    if (strcmp(name, l->name) == 0)
        l->param = p;
    return PROTEA_OK;
}

static inline protea_status rig_look_buffer(void *self, const char *name, protea_tensor *t)
{
    rig_look *l = self;
    if (strcmp(name, l->name) == 0)
        l->buffer = t;
    return PROTEA_OK;
}

static inline rig_look rig_find(rig *r, const char *name)
{
    rig_look l = { .name = name };
    protea_visitor visitor = { .param = rig_look_param, .buffer = rig_look_buffer, .self = &l };
    assert_ok(rig_visit(r, &visitor));
    return l;
}

static inline double rig_norm(const protea_tensor *t)
{
    double sum = 0;
    for (int64_t i = 0; i < protea_count(t); i++)
        sum += (double)protea_f32(t)[i] * protea_f32(t)[i];
    return sqrt(sum);
}

/* A step that may take nothing from the heap. */
static inline void rig_step_without_heap(rig *r, int64_t step)
{
    protea_alloc_fail_after(1, 1);
    protea_status status = rig_step(r, step);
    protea_alloc_fail_after(0, 0);
    assert_ok(status);
}

#endif
