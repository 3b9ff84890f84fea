#include "eval/stream.h"

#include "base/alloc.h"
#include "base/rng.h"

static const int gradual_severity[] = { 1, 2, 3, 4, 5, 4, 3, 2, 1 };
enum { GRADUAL_PARTS = sizeof gradual_severity / sizeof *gradual_severity };

/* The order of a part: numbers of its items, which are 0..n-1 before. */
static protea_status arrange(int64_t *order, const protea_stream_opts *o, const protea_stream_images *images, int64_t n,
                             int part)
{
    protea_rng rng = protea_rng_make(o->seed, PROTEA_RNG_STREAM, (uint32_t)part, 0, 0);
    switch (o->kind) {
    case PROTEA_STREAM_FILE:
        break;
    case PROTEA_STREAM_CORRELATED:
        return protea_stream_correlated(order, images, o->delta, o->seed, (uint32_t)part);
    case PROTEA_STREAM_IID:
    case PROTEA_STREAM_CONTINUAL:
    case PROTEA_STREAM_GRADUAL:
    case PROTEA_STREAM_MIXED:
        protea_rng_shuffle(&rng, order, n);
    }
    return PROTEA_OK;
}

/* What part number p is; the items follow. */
static protea_stream_part describe(const protea_stream_opts *o, int p, int64_t n_images)
{
    bool goes_on = o->kind == PROTEA_STREAM_CONTINUAL || o->kind == PROTEA_STREAM_GRADUAL;
    if (o->n_corruptions == 0)
        return (protea_stream_part){ 0, n_images, -1, 0, true };
    if (o->kind == PROTEA_STREAM_MIXED)
        return (protea_stream_part){ 0, n_images * o->n_corruptions, -1, o->severity, true };
    if (o->kind == PROTEA_STREAM_GRADUAL)
        return (protea_stream_part){ 0, n_images, p / GRADUAL_PARTS, gradual_severity[p % GRADUAL_PARTS], p == 0 };
    return (protea_stream_part){ 0, n_images, p, o->severity, p == 0 || !goes_on };
}

/* Number k of a part is image k % n under corruption k / n, where the part has no corruption of its own. */
static protea_stream_item item_of(const protea_stream_part *part, int64_t k, int64_t n_images)
{
    int together = part->severity > 0 ? (int)(k / n_images) : -1;
    int corruption = part->corruption >= 0 ? part->corruption : together;
    return (protea_stream_item){ k % n_images, (int16_t)corruption, (int16_t)part->severity };
}

static protea_status fill_part(protea_stream *s, const protea_stream_opts *o, const protea_stream_images *images, int p)
{
    const protea_stream_part *part = &s->part[p];
    int64_t *order;
    PROTEA_TRY(protea_new(&order, (size_t)part->n, sizeof *order, "the stream"));
    for (int64_t k = 0; k < part->n; k++)
        order[k] = k;
    protea_status status = arrange(order, o, images, part->n, p);
    for (int64_t k = 0; k < part->n; k++)
        s->item[part->first + k] = item_of(part, order[k], images->n);
    protea_free(order);
    return status;
}

static int count_parts(const protea_stream_opts *o)
{
    if (o->n_corruptions == 0 || o->kind == PROTEA_STREAM_MIXED)
        return 1;
    return o->n_corruptions * (o->kind == PROTEA_STREAM_GRADUAL ? GRADUAL_PARTS : 1);
}

protea_status protea_stream_make(protea_stream *stream, const protea_stream_opts *opts, const protea_stream_images *images)
{
    *stream = (protea_stream){ .n_parts = count_parts(opts) };
    PROTEA_TRY(protea_new(&stream->part, (size_t)stream->n_parts, sizeof *stream->part, "the stream"));
    for (int p = 0; p < stream->n_parts; p++) {
        stream->part[p] = describe(opts, p, images->n);
        stream->part[p].first = stream->n;
        stream->n += stream->part[p].n;
    }
    PROTEA_TRY(protea_new(&stream->item, (size_t)stream->n, sizeof *stream->item, "the stream"));
    for (int p = 0; p < stream->n_parts; p++)
        PROTEA_TRY(fill_part(stream, opts, images, p));
    return PROTEA_OK;
}

void protea_stream_release(protea_stream *stream)
{
    protea_free(stream->item);
    protea_free(stream->part);
    *stream = (protea_stream){ 0 };
}
