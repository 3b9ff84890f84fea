/* Which of oneDNN's layouts of weights are tiles of ours. */
#include "backend/cpu/onednn_v2.h"

enum { OUTS = 0, INS = 1 }; /* dimensions */

/* Whether the innermost blocks are these. */
static bool has_blocks(const dnnl_blocking_desc_t *b, int n, const int64_t *sizes, const int64_t *dimensions)
{
    bool same = b->inner_nblks == n;
    for (int i = 0; i < n && same; i++)
        same = b->inner_blks[i] == sizes[i] && b->inner_idxs[i] == dimensions[i];
    return same;
}

/* Whether tiles have rows of `inner`, `side` of `outer`; bf16: by twos. */
static bool has_rows(const dnnl_blocking_desc_t *b, int64_t side, int64_t outer, bool bf16)
{
    int64_t inner = outer == OUTS ? INS : OUTS;
    if (bf16)
        return has_blocks(b, 3, (int64_t[]){ side / 2, side, 2 }, (int64_t[]){ outer, inner, outer });
    return has_blocks(b, 2, (int64_t[]){ side, side }, (int64_t[]){ outer, inner });
}

static bool is_plain_otherwise(const dnnl_memory_desc_t *m)
{
    bool whole = m->format_kind == dnnl_blocked && m->ndims == 4 && m->offset0 == 0 &&
                 m->extra.flags == dnnl_memory_extra_flag_none;
    for (int i = 0; i < m->ndims && whole; i++)
        whole = m->padded_dims[i] == m->dims[i] && m->padded_offsets[i] == 0;
    return whole && m->dims[2] == 1 && m->dims[3] == 1 && (m->data_type == dnnl_f32 || m->data_type == dnnl_bf16);
}

static protea_isa isa_of(const protea_onednn_isa *isa)
{
    return isa->avx512 ? PROTEA_ISA_AVX512 : isa->avx2 ? PROTEA_ISA_AVX2 : PROTEA_ISA_SSE2;
}

const protea_weight_tiles_ops *protea_onednn_tiles(protea_weight_tiles *out, const protea_onednn *o,
                                                   const dnnl_memory_desc_t *packed)
{
    const protea_weight_tiles_ops *ops = protea_weight_tiles_of(isa_of(&o->isa), o->isa.bf16);
    const dnnl_blocking_desc_t *b = &packed->format_desc.blocking;
    if (ops == NULL || !is_plain_otherwise(packed))
        return NULL;
    *out = (protea_weight_tiles){ packed->dims[OUTS], packed->dims[INS], b->strides[OUTS], b->strides[INS], false,
                                  packed->data_type == dnnl_bf16 };
    if (has_rows(b, ops->lanes, OUTS, out->bf16))
        return ops;
    out->turned = true;
    return has_rows(b, ops->lanes, INS, out->bf16) ? ops : NULL;
}
