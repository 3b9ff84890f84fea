/* Two ways to the same batches: on the compute threads when next is called, or ahead of it on threads of their own. */
#include "data/loader.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "data/batch_maker.h"
#include "data/worker_pool.h"

struct protea_loader {
    protea_maker maker;
    protea_pool *pool;      /* workers > 0; else NULL and: */
    protea_slot slot;
    protea_hands *hands;    /* (n_hands) one per compute thread */
    int n_hands;
    int64_t step;           /* next */
    double waited;
};

static protea_status init(protea_loader *l, protea_source *source, const protea_augment_opts *augment,
                          const protea_loader_opts *opts)
{
    PROTEA_TRY(protea_maker_init(&l->maker, source, augment, opts));
    l->step = l->maker.sampler.steps;
    if (opts->workers > 0)
        return protea_pool_new(&l->pool, &l->maker, opts->workers);
    PROTEA_TRY(protea_slot_init(&l->slot, &l->maker));
    int threads = protea_threads();
    PROTEA_TRY(protea_new(&l->hands, (size_t)threads, sizeof *l->hands, "the loader"));
    l->n_hands = threads;
    return PROTEA_OK;
}

protea_status protea_loader_new(protea_loader **out, protea_source *source, const protea_augment_opts *augment,
                                const protea_loader_opts *opts)
{
    protea_loader *l;
    *out = NULL;
    PROTEA_TRY(protea_new(&l, 1, sizeof *l, "the loader"));
    protea_status status = init(l, source, augment, opts);
    if (status != PROTEA_OK) {
        protea_loader_free(l);
        return status;
    }
    *out = l;
    return PROTEA_OK;
}

void protea_loader_free(protea_loader *l)
{
    if (l == NULL)
        return;
    protea_pool_free(l->pool);
    protea_slot_release(&l->slot);
    for (int i = 0; i < l->n_hands; i++)
        protea_hands_release(&l->hands[i]);
    protea_free(l->hands);
    protea_maker_release(&l->maker);
    protea_free(l);
}

int64_t protea_loader_steps(const protea_loader *l)
{
    return l->maker.sampler.steps;
}

protea_status protea_loader_start(protea_loader *l, int64_t epoch, int64_t first)
{
    if (epoch < 0 || epoch >= 1 << 24 || first < 0 || first > l->maker.sampler.steps)
        return protea_fail(PROTEA_ERR_INTERNAL, "loader: epoch %lld, step %lld of %lld", (long long)epoch, (long long)first,
                           (long long)l->maker.sampler.steps);
    if (l->pool != NULL)
        protea_pool_stop(l->pool);
    protea_maker_shuffle(&l->maker, epoch);
    if (l->pool != NULL)
        protea_pool_start(l->pool, first);
    l->step = first;
    return PROTEA_OK;
}

static protea_slot *make_here(protea_loader *l)
{
    l->slot.failure.status = PROTEA_OK;
#pragma omp parallel for schedule(dynamic) num_threads(l->n_hands)
    for (int64_t i = 0; i < l->maker.opts.batch_size; i++)
        protea_failure_note(&l->slot.failure,
                            protea_maker_make(&l->maker, &l->slot, l->step, i, &l->hands[protea_thread_index()]), i);
    return &l->slot;
}

protea_status protea_loader_next(protea_loader *l, const protea_batch **out)
{
    double start = protea_seconds();
    *out = NULL;
    if (l->step >= l->maker.sampler.steps)
        return PROTEA_OK;
    protea_slot *slot = l->pool != NULL ? protea_pool_wait(l->pool, l->step) : make_here(l);
    l->waited += protea_seconds() - start;
    PROTEA_TRY(protea_failure_raise(&slot->failure));
    l->step++;
    *out = &slot->batch;
    return PROTEA_OK;
}

double protea_loader_waited(protea_loader *l)
{
    double waited = l->waited;
    l->waited = 0;
    return waited;
}
