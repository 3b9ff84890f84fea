/* All a method learns about data. Borrowed until the next batch. */
#ifndef PROTEA_DATA_BATCH_H
#define PROTEA_DATA_BATCH_H

#include "tensor/context.h"

enum { PROTEA_MAX_GROUPS = 8 };

/* Neighbouring views of one resolution: view v of the group of image i is row v * n_images + i. */
typedef struct protea_view_group {
    protea_tensor x;  /* plain f32 (n_views * N, 3, size, size), normalised */
    int n_views;
    int64_t size;
} protea_view_group;

typedef struct protea_batch {
    int64_t n_images;         /* N on this rank */
    int n_views;              /* over all groups */
    int n_groups;
    protea_view_group group[PROTEA_MAX_GROUPS];
    const int64_t *index;     /* (N) position in the data set */
    const int32_t *label;     /* (N), -1 where unknown; only evaluation and supervised training read it */
} protea_batch;

#endif
