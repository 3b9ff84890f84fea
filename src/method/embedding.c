#include "method/embedding.h"

#include <math.h>

#include "base/status.h"
#include "tensor/ops.h"

static protea_status pooled_features(protea_ctx *cx, const protea_embedder *e, const protea_pass *pass, const protea_batch *batch,
                                     protea_tensor *features)
{
    int64_t first = 0;
    PROTEA_TRY(protea_tensor_rows(cx, features, PROTEA_KEPT, batch->n_views * batch->n_images, e->backbone->out_dim));
    for (int g = 0; g < batch->n_groups; g++) {
        const protea_tensor *x = &batch->group[g].x;
        protea_tensor pooled, rows = protea_row_range(features, first, x->dim[0]);
        PROTEA_TRY(protea_forward(cx, e->backbone, pass, x, &pooled));
        PROTEA_TRY(protea_copy(cx, &rows, &pooled));
        first += x->dim[0];
    }
    return PROTEA_OK;
}

protea_status protea_embed_features(protea_ctx *cx, protea_module *head, const protea_pass *pass, const protea_tensor *features,
                                    protea_embedding *out)
{
    protea_tensor projected;
    PROTEA_TRY(protea_forward(cx, head, pass, features, &projected));
    PROTEA_TRY(protea_tensor_rows(cx, &out->z, PROTEA_KEPT, projected.dim[0], projected.dim[1]));
    PROTEA_TRY(protea_tensor_rows(cx, &out->norm, PROTEA_KEPT, projected.dim[0], 1));
    return protea_l2norm(cx, &out->z, &out->norm, &projected);
}

protea_status protea_embed_head(protea_ctx *cx, protea_module *head, const protea_pass *pass, const protea_tensor *features,
                                protea_tensor *z)
{
    protea_embedding embedding;
    PROTEA_TRY(protea_embed_features(cx, head, pass, features, &embedding));
    *z = embedding.z;
    return PROTEA_OK;
}

protea_status protea_embed_batch(protea_ctx *cx, const protea_embedder *e, const protea_pass *pass, const protea_batch *batch,
                                 protea_embedding *out)
{
    protea_tensor features;
    PROTEA_TRY(pooled_features(cx, e, pass, batch, &features));
    return protea_embed_features(cx, e->head, pass, &features, out);
}

/* The head's derivatives are released before the backbone takes its own, which are larger. */
static protea_status head_backward(protea_ctx *cx, const protea_embedder *e, const protea_embedding *embedding, protea_tensor *dz,
                                   protea_tensor *d_features)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor dx;
    PROTEA_TRY(protea_l2norm_backward(cx, dz, &embedding->z, &embedding->norm, dz));
    PROTEA_TRY(protea_backward(cx, e->head, e->tape, dz, &dx));
    PROTEA_TRY(protea_copy(cx, d_features, &dx));
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_status protea_embed_backward(protea_ctx *cx, const protea_embedder *e, const protea_batch *batch,
                                    const protea_embedding *embedding, protea_tensor *dz)
{
    size_t mark = protea_arena_mark(cx->scratch);
    protea_tensor d_features;
    PROTEA_TRY(protea_tensor_rows(cx, &d_features, PROTEA_SCRATCH, dz->dim[0], e->backbone->out_dim));
    PROTEA_TRY(head_backward(cx, e, embedding, dz, &d_features));
    int64_t last = d_features.dim[0];
    for (int g = batch->n_groups - 1; g >= 0; g--) {
        int64_t rows = batch->group[g].x.dim[0];
        protea_tensor dy = protea_row_range(&d_features, last - rows, rows);
        PROTEA_TRY(protea_backward(cx, e->backbone, e->tape, &dy, NULL));
        last -= rows;
    }
    protea_arena_release(cx->scratch, mark);
    return PROTEA_OK;
}

protea_tensor protea_view_images(const protea_batch *batch, int64_t view)
{
    int g = 0;
    for (; view >= batch->group[g].n_views; g++)
        view -= batch->group[g].n_views;
    return protea_row_range(&batch->group[g].x, view * batch->n_images, batch->n_images);
}

protea_batch protea_view_alone(const protea_batch *batch, int64_t view)
{
    protea_batch one = { .n_images = batch->n_images, .n_views = 1, .n_groups = 1, .index = batch->index, .label = batch->label };
    protea_tensor x = protea_view_images(batch, view);
    one.group[0] = (protea_view_group){ .x = x, .n_views = 1, .size = x.dim[3] };
    return one;
}

protea_status protea_two_views_check(const protea_batch *batch)
{
    if (batch->n_groups == 1 && batch->n_views == 2)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_USAGE, "nmb_crops: %d views in %d sizes found, 2 of one size wanted", batch->n_views,
                       batch->n_groups);
}

/* ---- assigned views */

protea_status protea_assigned_check(const protea_list *assigned)
{
    if (assigned->n < 1)
        return protea_fail(PROTEA_ERR_USAGE, "crops_for_assign: empty, at least one view wanted");
    for (int i = 0; i < assigned->n; i++) {
        if (assigned->v[i] != floor(assigned->v[i]))
            return protea_fail(PROTEA_ERR_USAGE, "crops_for_assign: %g found, numbers of views wanted", assigned->v[i]);
        for (int j = 0; j < i; j++)
            if (assigned->v[i] == assigned->v[j])
                return protea_fail(PROTEA_ERR_USAGE, "crops_for_assign: view %g found twice, once wanted", assigned->v[i]);
    }
    return PROTEA_OK;
}

protea_status protea_assigned_fit(const protea_list *assigned, const protea_batch *batch)
{
    if (batch->n_views < 2)
        return protea_fail(PROTEA_ERR_USAGE, "nmb_crops: %d view of an image found, at least 2 wanted", batch->n_views);
    for (int i = 0; i < assigned->n; i++)
        if (assigned->v[i] >= batch->n_views)
            return protea_fail(PROTEA_ERR_USAGE, "crops_for_assign: view %g found, 0 to %d wanted", assigned->v[i],
                               batch->n_views - 1);
    return PROTEA_OK;
}
