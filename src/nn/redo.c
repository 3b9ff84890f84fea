#include "nn/redo.h"

#include "base/parallel.h"

protea_redo protea_redo_kept(const protea_tensor *y)
{
    return (protea_redo){ .kept = *y };
}

void protea_redo_add(protea_redo *r, const protea_tensor *c, const protea_bn_record *bn, protea_act act)
{
    r->step[r->n++] = (protea_redo_step){ *c, *bn, act };
}

/* Samples [first, first + n) of y, through all steps. */
static protea_status run_samples(protea_ctx *cx, const protea_redo *r, const protea_tensor *y, int64_t first, int64_t n)
{
    protea_tensor part = protea_row_range(y, first, n), kept, c;
    const protea_tensor *before = NULL;
    if (r->kept.n_dims > 0) {
        kept = protea_row_range(&r->kept, first, n);
        before = &kept;
    }
    for (int i = 0; i < r->n; i++) {
        c = protea_row_range(&r->step[i].c, first, n);
        PROTEA_TRY(protea_bn_normalize(cx, &r->step[i].bn, &part, &c, before, r->step[i].act));
        before = &part;
    }
    return PROTEA_OK;
}

/* So few at a time that what one step writes is still in the threads' caches when the next reads it. Groups of statistics are
 * counted over the whole batch, which then is not parted. */
static int64_t samples_at_once(const protea_redo *r, const protea_tensor *y)
{
    enum { CACHED = 512 << 10 }; /* bytes of one thread, in its second-level cache */
    int64_t all = y->dim[0], of_a_thread = CACHED / (int64_t)(protea_bytes(y) / (size_t)all);
    bool parted = r->n > 1 && r->step[0].bn.groups.groups == 1 && of_a_thread > 0;
    return parted ? of_a_thread * protea_threads() : all;
}

protea_status protea_redo_run(protea_ctx *cx, const protea_redo *r, protea_tensor *y, void *memory)
{
    *y = r->kept;
    if (r->n == 0)
        return PROTEA_OK;
    *y = r->step[0].c;
    y->data = memory;
    int64_t all = y->dim[0], most = samples_at_once(r, y);
    for (int64_t first = 0; first < all; first += most)
        PROTEA_TRY(run_samples(cx, r, y, first, first + most < all ? most : all - first));
    return PROTEA_OK;
}
