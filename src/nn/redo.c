#include "nn/redo.h"

protea_redo protea_redo_kept(const protea_tensor *y)
{
    return (protea_redo){ .kept = *y };
}

void protea_redo_add(protea_redo *r, const protea_tensor *c, const protea_bn_record *bn, protea_act act)
{
    r->step[r->n++] = (protea_redo_step){ *c, *bn, act };
}

protea_status protea_redo_run(protea_ctx *cx, const protea_redo *r, protea_tensor *y, void *memory)
{
    const protea_tensor *before = r->kept.n_dims > 0 ? &r->kept : NULL;
    *y = r->n > 0 ? r->step[0].c : r->kept;
    if (r->n > 0)
        y->data = memory;
    for (int i = 0; i < r->n; i++) {
        PROTEA_TRY(protea_bn_normalize(cx, &r->step[i].bn, y, &r->step[i].c, before, r->step[i].act));
        before = y;
    }
    return PROTEA_OK;
}
