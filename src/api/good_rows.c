#include "api/good_rows.h"

#include <string.h>

void protea_good_rows_release(protea_good_rows *rows)
{
    protea_free(rows->z);
    protea_free(rows->image);
    protea_free(rows->label);
    *rows = (protea_good_rows){ 0 };
}

/* What remains keeps the data set's order. */
static void keep_good(protea_good_rows *rows, const protea_source *source)
{
    for (int64_t i = 0; i < protea_source_count(source); i++) {
        if (protea_source_is_bad(source, i))
            continue;
        memmove(rows->z + rows->n * rows->dim, rows->z + i * rows->dim, (size_t)rows->dim * sizeof *rows->z);
        rows->image[rows->n] = i;
        rows->label[rows->n++] = protea_source_label(source, i);
    }
}

protea_status protea_good_rows_compute(protea_ctx *cx, protea_good_rows *rows, const protea_model *model, protea_feature_kind kind,
                                       protea_source *source, const char *spec, const char *stage, const protea_hooks *hooks)
{
    size_t count = (size_t)protea_source_count(source);
    protea_watch watch;
    *rows = (protea_good_rows){ .dim = protea_features_dim(model, kind) };
    PROTEA_TRY(protea_new(&rows->z, count, (size_t)rows->dim * sizeof *rows->z, "features"));
    PROTEA_TRY(protea_new(&rows->image, count, sizeof *rows->image, "images"));
    PROTEA_TRY(protea_new(&rows->label, count, sizeof *rows->label, "labels"));
    protea_watch_start(&watch, hooks, stage, source);
    PROTEA_TRY(protea_model_features(cx, model, kind, source, rows->z, protea_watch_features, &watch));
    PROTEA_TRY(protea_images_check(cx, source, spec));
    keep_good(rows, source);
    return PROTEA_OK;
}
