#include "api/cluster_input.h"

enum { MOST_COMPARED = 100000 }; /* images up to which all pairs are looked at */

static protea_status find_copies(protea_cluster_input *in)
{
    const protea_good_rows *rows = &in->rows;
    PROTEA_TRY(protea_new(&in->first_copy, (size_t)rows->n, sizeof *in->first_copy, "near-duplicates"));
    for (int64_t i = 0; i < rows->n; i++)
        in->first_copy[i] = -1;
    in->pairs_sought = rows->n <= MOST_COMPARED;
    if (!in->pairs_sought) {
        protea_log(in->cx, PROTEA_LOG_INFO, "near-duplicates are looked for among %d images at most, not among %lld", MOST_COMPARED,
                   (long long)rows->n);
        return PROTEA_OK;
    }
    PROTEA_TRY(protea_near_duplicates(in->cx, &in->pair, &in->n_pairs, rows->z, rows->n, rows->dim,
                                      in->wish->duplicate_similarity));
    for (int64_t p = 0; p < in->n_pairs; p++) {
        int64_t *first = &in->first_copy[in->pair[p].b];
        *first = *first < 0 || in->pair[p].a < *first ? in->pair[p].a : *first;
    }
    return PROTEA_OK;
}

protea_status protea_cluster_input_look(protea_cluster_input *in)
{
    for (int c = 0; c < protea_source_n_classes(in->source); c++)
        PROTEA_TRY(protea_class_names_add(&in->classes, protea_source_class(in->source, c)));
    PROTEA_TRY(find_copies(in));
    return protea_image_map_make(in->cx, &in->map, &in->rows, in->wish->map, in->hooks);
}

void protea_cluster_input_release(protea_cluster_input *in)
{
    protea_good_rows_release(&in->rows);
    protea_class_names_release(&in->classes);
    protea_image_map_release(&in->map);
    protea_free(in->pair);
    protea_free(in->first_copy);
    protea_cluster_origin_release(&in->origin);
}

const char *protea_cluster_rule(const protea_cluster_input *in)
{
    if (in->by == PROTEA_BY_PROTOTYPES)
        return "the nearest prototype";
    if (in->by == PROTEA_BY_SINKHORN)
        return "balanced codes (Sinkhorn) over the prototypes";
    return in->model->pixels ? "k-means of the pixels"
                             : in->kind == PROTEA_HEAD_FEATURES ? "k-means of head features" : "k-means of features";
}
