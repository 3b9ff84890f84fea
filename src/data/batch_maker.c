#include "data/batch_maker.h"

#include <string.h>

#include "base/alloc.h"

static int64_t default_max_bad(int64_t n)
{
    return n / 100 > 100 ? n / 100 : 100;
}

protea_status protea_maker_init(protea_maker *m, protea_source *source, const protea_augment_opts *augment,
                                const protea_loader_opts *opts)
{
    int64_t n = protea_source_count(source);
    *m = (protea_maker){ .source = source, .augment = augment, .opts = *opts };
    if (opts->batch_size < 1 || opts->n_ranks < 1 || opts->rank < 0 || opts->rank >= opts->n_ranks)
        return protea_fail(PROTEA_ERR_USAGE, "batches of %lld images on rank %d of %d", (long long)opts->batch_size, opts->rank,
                           opts->n_ranks);
    PROTEA_TRY(protea_augment_check(augment));
    m->max_bad = opts->max_bad < 0 ? default_max_bad(n) : opts->max_bad;
    return protea_sampler_init(&m->sampler, &opts->sampling, n, opts->batch_size, opts->n_ranks, opts->seed);
}

void protea_maker_release(protea_maker *m)
{
    protea_sampler_release(&m->sampler);
}

void protea_maker_shuffle(protea_maker *m, int64_t epoch)
{
    protea_sampler_epoch(&m->sampler, epoch);
    m->epoch = epoch;
}

/* ---- a slot: the tensors of one batch */

static size_t group_bytes(const protea_view_group *g)
{
    return (size_t)(g->x.dim[0] * g->x.dim[1] * g->x.dim[2] * g->x.dim[3]) * sizeof(float);
}

static protea_status give_memory(protea_slot *s)
{
    size_t bytes = 0;
    for (int g = 0; g < s->batch.n_groups; g++)
        bytes += (group_bytes(&s->batch.group[g]) + 63) & ~(size_t)63;
    PROTEA_TRY(protea_arena_new(&s->memory, bytes, "a batch of views"));
    for (int g = 0; g < s->batch.n_groups; g++)
        PROTEA_TRY(protea_arena_alloc(s->memory, &s->batch.group[g].x.data, group_bytes(&s->batch.group[g])));
    return PROTEA_OK;
}

protea_status protea_slot_init(protea_slot *s, const protea_maker *m)
{
    int64_t n = m->opts.batch_size;
    *s = (protea_slot){ .batch = protea_augment_batch(m->augment, n) };
    PROTEA_TRY(give_memory(s));
    PROTEA_TRY(protea_new(&s->index, (size_t)n, sizeof *s->index, "a batch"));
    PROTEA_TRY(protea_new(&s->label, (size_t)n, sizeof *s->label, "a batch"));
    s->batch.index = s->index;
    s->batch.label = s->label;
    return PROTEA_OK;
}

void protea_slot_release(protea_slot *s)
{
    protea_arena_free(s->memory);
    protea_free(s->index);
    protea_free(s->label);
    *s = (protea_slot){ 0 };
}

/* ---- one image */

static protea_status note_bad(const protea_maker *m, int64_t i)
{
    PROTEA_TRY(protea_source_skip(m->source, i, protea_last_error()));
    long long bad = protea_source_skipped(m->source, NULL), n = protea_source_count(m->source);
    if (bad == n)
        return protea_fail(PROTEA_ERR_INPUT, "none of the %lld images can be used; one of them: %s", n, protea_last_error());
    if (bad > m->max_bad)
        return protea_fail(PROTEA_ERR_INPUT,
                           "%lld of %lld images cannot be used, at most %lld are allowed (--max-bad); one of them: %s", bad, n,
                           (long long)m->max_bad, protea_last_error());
    return PROTEA_OK;
}

/* Reads image wanted or, when it is bad, the next good one by index. */
static protea_status read_good(const protea_maker *m, int64_t wanted, protea_image *image, int64_t *index)
{
    int64_t n = protea_source_count(m->source);
    for (int64_t k = 0; k < n; k++) {
        int64_t i = (wanted + k) % n;
        if (protea_source_is_bad(m->source, i))
            continue;
        protea_status status = protea_source_read(m->source, i, image);
        *index = i;
        if (status != PROTEA_ERR_INPUT)
            return status;
        PROTEA_TRY(note_bad(m, i));
    }
    return protea_fail(PROTEA_ERR_INPUT, "none of the %lld images can be used", (long long)n);
}

protea_status protea_maker_make(const protea_maker *m, protea_slot *slot, int64_t step, int64_t i, protea_hands *hands)
{
    const protea_loader_opts *o = &m->opts;
    int64_t place = (step * o->n_ranks + o->rank) * o->batch_size + i, wanted = m->sampler.order[place], index = -1;
    uint32_t turn = m->sampler.turn[place] * (uint32_t)slot->batch.n_views;
    PROTEA_TRY(read_good(m, wanted, &hands->image, &index));
    slot->index[i] = index;
    slot->label[i] = protea_source_label(m->source, index);
    int view = 0;
    for (int g = 0; g < slot->batch.n_groups; g++) {
        const protea_view_group *group = &slot->batch.group[g];
        int64_t values = 3 * group->size * group->size;
        for (int v = 0; v < group->n_views; v++, view++) {
            /* Keyed by whose turn it was: a stand-in for a bad image does not repeat the views of its own turn. */
            protea_rng rng = protea_rng_make(o->seed, PROTEA_RNG_VIEW, (uint32_t)m->epoch, (uint64_t)wanted,
                                             turn + (uint32_t)view);
            float *x = protea_f32(&group->x) + (v * o->batch_size + i) * values;
            PROTEA_TRY(protea_augment_view(x, &hands->image, m->augment, view, rng, o->mean, o->std, &hands->views));
        }
    }
    return PROTEA_OK;
}

void protea_hands_release(protea_hands *h)
{
    protea_image_release(&h->image);
    protea_augment_buffer_release(&h->views);
}
