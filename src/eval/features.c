#include "eval/features.h"

#include <math.h>
#include <string.h>

#include "eval/views.h"
#include "nn/folds.h"

enum { BATCH_PIXELS = 32 * 224 * 224, MOST_IMAGES = 256, FEWEST_IMAGES = 8 };

typedef struct extraction {
    const protea_model *model;
    protea_feature_kind kind;
    protea_source *source;
    const int64_t *index;      /* (n) which images; NULL: all in order */
    int64_t n;
    const protea_augment_opts *augment; /* of epoch; NULL: plain views */
    int64_t epoch;
    int64_t batch, view;       /* images per pass, numbers per view (3,S,S) of the model's image size S */
    float *x;                  /* (batch,view): one view each, of the row's own side */
    int *side;                 /* (batch) 0: a bad image */
    float *packed;             /* (batch,3,pass_side,pass_side): what the network is given */
    int pass_side;             /* the arenas are planned for this side; 0: for none yet */
    float *z;                  /* (batch,dim): where the pass leaves its features */
    protea_views views;
    protea_place *place;       /* (batch) */
    protea_folds *folds;       /* of the backbone */
} extraction;

int64_t protea_features_dim(const protea_model *model, protea_feature_kind kind)
{
    return kind == PROTEA_LOGITS ? model->classes.n : kind == PROTEA_HEAD_FEATURES ? model->head_dim : model->dim;
}

static int64_t batch_for(int image_size)
{
    int64_t n = BATCH_PIXELS / ((int64_t)image_size * image_size);
    return n > MOST_IMAGES ? MOST_IMAGES : n < FEWEST_IMAGES ? FEWEST_IMAGES : n;
}

static int64_t image_of(const extraction *e, int64_t row)
{
    return e->index ? e->index[row] : row;
}

/* Views of rows first .. first + count into x. */
static protea_status read_views(extraction *e, float *x, int64_t first, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        e->place[i] = (protea_place){ .source = e->source, .index = image_of(e, first + i) };
    return protea_views_read(&e->views, e->place, count, x, e->side);
}

/* One pass of the network over the packed views with running statistics and no tape, also on paper. */
static protea_status forward(protea_ctx *cx, void *self)
{
    const extraction *e = self;
    const protea_model *m = e->model;
    const protea_pass pass = { .folds = e->folds };
    const protea_tensor x = { .data = e->packed, .dtype = PROTEA_F32, .n_dims = 4,
                              .dim = { e->batch, 3, e->pass_side, e->pass_side } };
    size_t kept = protea_arena_mark(cx->kept), scratch = protea_arena_mark(cx->scratch);
    protea_tensor features, y;
    PROTEA_TRY(protea_forward(cx, m->backbone, &pass, &x, &features));
    y = features;
    if (e->kind == PROTEA_LOGITS)
        PROTEA_TRY(protea_forward(cx, m->fc, &pass, &features, &y));
    if (e->kind == PROTEA_HEAD_FEATURES)
        PROTEA_TRY(m->ops->head(cx, m->method_self, &pass, &features, &y));
    if (!cx->planning)
        memcpy(e->z, y.data, (size_t)e->batch * (size_t)protea_features_dim(m, e->kind) * sizeof *e->z);
    protea_arena_release(cx->kept, kept);
    protea_arena_release(cx->scratch, scratch);
    return PROTEA_OK;
}

static protea_status check_rows(const extraction *e, const float *z, int64_t first, int64_t count, int64_t dim)
{
    for (int64_t i = 0; i < count * dim; i++)
        if (!isfinite(z[i]))
            return protea_fail(PROTEA_ERR_INPUT, "%s: its features of %s are not finite", e->model->path,
                               protea_source_name(e->source, image_of(e, first + i / dim)));
    return PROTEA_OK;
}

/* The pass for those of the first count rows whose side it is; their features go to their rows of z. What is left of the
 * batch is blank, so that every image passes through the same kernels however many there are. */
static protea_status run_side(protea_ctx *cx, extraction *e, float *z, int64_t count, int side)
{
    int64_t dim = protea_features_dim(e->model, e->kind), view = 3 * (int64_t)side * side, n = 0;
    for (int64_t i = 0; i < count; i++)
        if (e->side[i] == side)
            memcpy(e->packed + n++ * view, e->x + i * e->view, (size_t)view * sizeof *e->x);
    memset(e->packed + n * view, 0, (size_t)((e->batch - n) * view) * sizeof *e->packed);
    if (e->pass_side != side) {
        e->pass_side = side;
        PROTEA_TRY(protea_plan_arenas(cx, forward, e, NULL, NULL));
    }
    PROTEA_TRY(forward(cx, e));
    n = 0;
    for (int64_t i = 0; i < count; i++)
        if (e->side[i] == side)
            memcpy(z + i * dim, e->z + n++ * dim, (size_t)dim * sizeof *z);
    return PROTEA_OK;
}

static bool side_is_new(const extraction *e, int64_t row)
{
    for (int64_t i = 0; i < row; i++)
        if (e->side[i] == e->side[row])
            return false;
    return true;
}

/* Features of rows first .. first + count into z. */
static protea_status run_batch(protea_ctx *cx, extraction *e, float *z, int64_t first, int64_t count)
{
    int64_t dim = protea_features_dim(e->model, e->kind);
    if (e->model->pixels)
        return read_views(e, z, first, count);
    PROTEA_TRY(read_views(e, e->x, first, count));
    for (int64_t i = 0; i < count; i++)
        if (e->side[i] > 0 && side_is_new(e, i))
            PROTEA_TRY(run_side(cx, e, z, count, e->side[i]));
    for (int64_t i = 0; i < count; i++)
        if (e->side[i] == 0)
            memset(z + i * dim, 0, (size_t)dim * sizeof *z);
    return check_rows(e, z, first, count, dim);
}

static protea_status extraction_new(extraction *e)
{
    e->batch = batch_for(e->model->image_size);
    e->view = 3 * (int64_t)e->model->image_size * e->model->image_size;
    PROTEA_TRY(protea_views_init(&e->views, e->model, !e->model->pixels)); /* raw pixels need the same side everywhere */
    e->views.augment = e->augment;
    e->views.epoch = e->epoch;
    PROTEA_TRY(protea_new(&e->place, (size_t)e->batch, sizeof *e->place, "views"));
    PROTEA_TRY(protea_new(&e->side, (size_t)e->batch, sizeof *e->side, "views"));
    if (e->model->pixels)
        return PROTEA_OK;
    PROTEA_TRY(protea_folds_new(&e->folds));
    PROTEA_TRY(protea_new(&e->x, (size_t)(e->batch * e->view), sizeof *e->x, "views"));
    PROTEA_TRY(protea_new(&e->packed, (size_t)(e->batch * e->view), sizeof *e->packed, "views"));
    return protea_new(&e->z, (size_t)(e->batch * protea_features_dim(e->model, e->kind)), sizeof *e->z, "features");
}

static void extraction_free(extraction *e)
{
    protea_views_release(&e->views);
    protea_folds_free(e->folds);
    protea_free(e->place);
    protea_free(e->side);
    protea_free(e->x);
    protea_free(e->packed);
    protea_free(e->z);
}

static protea_status run_all(protea_ctx *cx, extraction *e, float *z, protea_features_progress progress, void *self)
{
    int64_t dim = protea_features_dim(e->model, e->kind);
    for (int64_t first = 0; first < e->n; first += e->batch) {
        int64_t count = e->n - first < e->batch ? e->n - first : e->batch;
        PROTEA_TRY(run_batch(cx, e, z + first * dim, first, count));
        if (progress != NULL)
            PROTEA_TRY(progress(self, first + count));
    }
    return PROTEA_OK;
}

static protea_status extract(protea_ctx *cx, extraction *e, float *z, protea_features_progress progress, void *self)
{
    protea_ctx own = *cx; /* the caller's arenas may hold a training step */
    own.kept = own.scratch = NULL;
    own.planning = false;
    protea_status status = extraction_new(e);
    e->views.seed = cx->seed;
    if (status == PROTEA_OK)
        status = run_all(&own, e, z, progress, self);
    extraction_free(e);
    protea_arena_free(own.kept);
    protea_arena_free(own.scratch);
    return status;
}

protea_status protea_model_features_of(protea_ctx *cx, const protea_model *model, protea_feature_kind kind,
                                       protea_source *source, const int64_t *index, int64_t n, float *z,
                                       protea_features_progress progress, void *self)
{
    extraction e = { .model = model, .kind = kind, .source = source, .index = index, .n = n };
    return extract(cx, &e, z, progress, self);
}

protea_status protea_model_augmented_features(protea_ctx *cx, const protea_model *model, protea_feature_kind kind,
                                              protea_source *source, const protea_augment_opts *augment, int64_t epoch, float *z,
                                              protea_features_progress progress, void *self)
{
    extraction e = { .model = model, .kind = kind, .source = source, .n = protea_source_count(source), .augment = augment,
                     .epoch = epoch };
    return extract(cx, &e, z, progress, self);
}

protea_status protea_model_features(protea_ctx *cx, const protea_model *model, protea_feature_kind kind,
                                    protea_source *source, float *z, protea_features_progress progress, void *self)
{
    return protea_model_features_of(cx, model, kind, source, NULL, protea_source_count(source), z, progress, self);
}
