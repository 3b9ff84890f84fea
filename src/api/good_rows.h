/* Features of the images of a set that can be used: bad ones leave no row. */
#ifndef PROTEA_API_GOOD_ROWS_H
#define PROTEA_API_GOOD_ROWS_H

#include "api/images.h"

typedef struct protea_good_rows {
    int64_t n, dim;
    float *z;         /* (n,dim) owned */
    int64_t *image;   /* (n) which image of the source a row is; owned */
    int32_t *label;   /* (n) -1: none; owned */
} protea_good_rows;

/* Computes them with progress under the name `stage`; warns of bad images. spec: the source's name, for messages. Release in any
 * case. Errors: those of protea_model_features; PROTEA_ERR_INPUT when no image can be used. */
protea_status protea_good_rows_compute(protea_ctx *cx, protea_good_rows *rows, const protea_model *model, protea_feature_kind kind,
                                       protea_source *source, const char *spec, const char *stage, const protea_hooks *hooks);
void protea_good_rows_release(protea_good_rows *rows);

#endif
