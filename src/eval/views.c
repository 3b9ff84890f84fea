#include "eval/views.h"

#include <string.h>

#include "base/alloc.h"
#include "base/failure.h"
#include "base/parallel.h"
#include "image/corrupt.h"

protea_status protea_views_init(protea_views *v, const protea_model *model, bool small_as_they_are)
{
    *v = (protea_views){ .model = model, .small_as_they_are = small_as_they_are, .n_threads = protea_threads() };
    PROTEA_TRY(protea_new(&v->image, (size_t)v->n_threads, sizeof *v->image, "images"));
    return protea_new(&v->buffer, (size_t)v->n_threads, sizeof *v->buffer, "views");
}

void protea_views_release(protea_views *v)
{
    for (int t = 0; t < v->n_threads && v->image != NULL; t++)
        protea_image_release(&v->image[t]);
    for (int t = 0; t < v->n_threads && v->buffer != NULL; t++)
        protea_augment_buffer_release(&v->buffer[t]);
    protea_free(v->image);
    protea_free(v->buffer);
    *v = (protea_views){ 0 };
}

static int side_of(const protea_views *v, const protea_image *image)
{
    bool as_it_is = v->small_as_they_are && v->augment == NULL && image->w == image->h && image->w < v->model->image_size;
    return as_it_is ? image->w : v->model->image_size;
}

static protea_status read_image(const protea_views *v, const protea_place *place, protea_image *image)
{
    PROTEA_TRY(protea_source_read(place->source, place->index, image));
    if (place->severity == 0)
        return PROTEA_OK;
    protea_rng rng = protea_corrupt_rng(v->seed, place->corruption, place->severity, place->index);
    return protea_corrupt(image, place->corruption, place->severity, &rng);
}

/* x (3,side,side) */
static protea_status make_view(protea_views *v, const protea_place *place, float *x, int side, int thread)
{
    const protea_model *m = v->model;
    protea_image *image = &v->image[thread];
    if (v->augment == NULL)
        return protea_plain_view(x, image, side, m->mean, m->std, &v->buffer[thread]);
    protea_rng rng = protea_rng_make(v->seed, PROTEA_RNG_VIEW, (uint32_t)v->epoch, (uint64_t)place->index, 0);
    return protea_augment_view(x, image, v->augment, 0, rng, m->mean, m->std, &v->buffer[thread]);
}

static protea_status view_of(protea_views *v, const protea_place *place, float *x, int *side, int thread)
{
    const protea_model *m = v->model;
    memset(x, 0, 3 * (size_t)m->image_size * (size_t)m->image_size * sizeof *x);
    *side = 0;
    if (protea_source_is_bad(place->source, place->index))
        return PROTEA_OK;
    protea_status status = read_image(v, place, &v->image[thread]);
    if (status == PROTEA_ERR_INPUT)
        return protea_source_skip(place->source, place->index, protea_last_error());
    PROTEA_TRY(status);
    *side = side_of(v, &v->image[thread]);
    return make_view(v, place, x, *side, thread);
}

protea_status protea_views_read(protea_views *v, const protea_place *place, int64_t n, float *x, int *side)
{
    int64_t view = 3 * (int64_t)v->model->image_size * v->model->image_size;
    protea_failure failure = { .status = PROTEA_OK };
#pragma omp parallel for schedule(dynamic) num_threads(v->n_threads)
    for (int64_t i = 0; i < n; i++)
        protea_failure_note(&failure, view_of(v, &place[i], x + i * view, &side[i], protea_thread_index()), i);
    return protea_failure_raise(&failure);
}
