#include "method/first_bank.h"

#include "base/status.h"

typedef struct bank_pass {
    protea_memory_bank *bank;
    const protea_embedder *embedder;
    const protea_list *assigned;
    const protea_batch *batch;
    int64_t row; /* of the bank, for the batch's first image */
} bank_pass;

/* One batch, also on paper. */
static protea_status remember_batch(protea_ctx *cx, void *self)
{
    const bank_pass *pass = self;
    const protea_pass train = { .batch_stats = true, .update_stats = true };
    for (int a = 0; a < pass->assigned->n; a++) {
        size_t kept = protea_arena_mark(cx->kept), scratch = protea_arena_mark(cx->scratch);
        protea_tensor x = protea_view_images(pass->batch, (int64_t)pass->assigned->v[a]), features;
        protea_embedding embedding;
        PROTEA_TRY(protea_forward(cx, pass->embedder->backbone, &train, &x, &features));
        PROTEA_TRY(protea_embed_features(cx, pass->embedder->head, &train, &features, &embedding));
        PROTEA_TRY(protea_memory_bank_put(cx, pass->bank, a, pass->row, &embedding.z));
        protea_arena_release(cx->kept, kept);
        protea_arena_release(cx->scratch, scratch);
    }
    protea_memory_bank_put_index(cx, pass->bank, pass->row, pass->batch->index, pass->batch->n_images);
    return PROTEA_OK;
}

static protea_status remember_epoch(protea_ctx *cx, bank_pass *pass, const protea_progress *now)
{
    for (int64_t i = 0; i < now->steps_per_epoch; i++) {
        PROTEA_TRY(now->next_batch(now->self, &pass->batch));
        if (pass->batch == NULL)
            return protea_fail(PROTEA_ERR_INTERNAL, "memory bank: the epoch ended at its batch %lld", (long long)i);
        PROTEA_TRY(protea_assigned_fit(pass->assigned, pass->batch));
        if (i == 0)
            PROTEA_TRY(protea_plan_arenas(cx, remember_batch, pass, NULL, NULL));
        PROTEA_TRY(remember_batch(cx, pass));
        pass->row += pass->batch->n_images;
    }
    return PROTEA_OK;
}

protea_status protea_first_bank(protea_ctx *cx, protea_memory_bank *bank, const protea_embedder *embedder,
                                const protea_list *assigned, const protea_progress *now)
{
    protea_ctx own = *cx;
    bank_pass pass = { .bank = bank, .embedder = embedder, .assigned = assigned };
    own.kept = own.scratch = NULL;
    protea_status status = remember_epoch(&own, &pass, now);
    protea_arena_free(own.kept);
    protea_arena_free(own.scratch);
    return status;
}
