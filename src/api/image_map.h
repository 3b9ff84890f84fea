/* Where the images of `protea cluster` lie in two dimensions. */
#ifndef PROTEA_API_IMAGE_MAP_H
#define PROTEA_API_IMAGE_MAP_H

#include "api/good_rows.h"

/* Of --map: choice of "auto|tsne|pca|none". */
enum { PROTEA_MAP_AUTO, PROTEA_MAP_TSNE, PROTEA_MAP_PCA, PROTEA_MAP_NONE };

typedef struct protea_image_map {
    float *xy;          /* (n,2) owned; NULL: none was asked for */
    char rule[160];     /* how it was made, in words */
    double kl;          /* of t-SNE; else 0 */
} protea_image_map;

/* Of rows whose z have length 1, while hooks->progress and hooks->stop are used. Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INTERNAL
 * (stopped on request). Release in any case. */
protea_status protea_image_map_make(protea_ctx *cx, protea_image_map *map, const protea_good_rows *rows, int32_t choice,
                                    const protea_hooks *hooks);
/* A table of row, path, x and y. Errors: PROTEA_ERR_IO. */
protea_status protea_image_map_write(const char *path, const protea_image_map *map, const protea_good_rows *rows,
                                     const protea_source *source);
void protea_image_map_release(protea_image_map *map); /* accepts a zeroed one */

#endif
