/* oneDNN 2.x: plans for convolution passes.
 *
 * Masters are f32 in plain order. A run packs them into the primitive's own format (and bf16) inside the scratch, or
 * adds the gradient from that format to the plain one: by our tiles where the format is one of theirs (1x1), else by a reorder of
 * oneDNN's. Scratch: [packed weights][primitive's or reorder's scratchpad]. */
#include <string.h>

#include "backend/cpu/onednn_v2.h"
#include "base/checked.h"

struct protea_conv_plan {
    dnnl_stream_t stream; /* borrowed */
    protea_conv_pass pass;
    dnnl_primitive_t conv, reorder; /* reorder: packs the masters, or adds the packed gradient to the plain one */
    dnnl_memory_t x, y, packed, plain, bias, conv_pad, reorder_pad;
    const protea_weight_tiles_ops *tile_ops; /* what lays out the weights in place of a reorder; NULL: nothing */
    protea_weight_tiles tiles;
    size_t packed_bytes, pad_bytes;
    const char *name; /* oneDNN's constant */
};

/* Memory descriptors and geometry that the passes' descriptors are made from. */
typedef struct conv_shape {
    dnnl_memory_desc_t x, y, w, plain, bias;
    const protea_conv_ending *ending; /* of a pass for inference; else NULL, and there is no bias */
    dnnl_dims_t stride, pad_front, pad_back;
    dnnl_alg_kind_t algorithm;
} conv_shape;

/* A block of all 16 channels is the same memory as NHWC, but has other implementations; see protea_block_rule. */
static dnnl_format_tag_t tag_of(const protea_map *m, const protea_onednn_isa *isa)
{
    if (m->block == m->c && ((m->dtype == PROTEA_BF16 && isa->amx) || !isa->avx2))
        return dnnl_nhwc;
    if (m->block == 1)
        return dnnl_nchw;
    if (m->block == 8 && m->c % 8 == 0)
        return dnnl_nChw8c;
    if (m->block == 16 && m->c % 16 == 0)
        return dnnl_nChw16c;
    return dnnl_nhwc;
}

static protea_status map_desc(dnnl_memory_desc_t *out, const protea_map *m, const protea_onednn_isa *isa)
{
    dnnl_dims_t dims = { m->n, m->c, m->h, m->w };
    dnnl_data_type_t type = m->dtype == PROTEA_BF16 ? dnnl_bf16 : dnnl_f32;
    ONEDNN_TRY(dnnl_memory_desc_init_by_tag(out, 4, dims, type, tag_of(m, isa)), "describing an activation");
    return PROTEA_OK;
}

static protea_status make_shape(conv_shape *s, const protea_onednn *o, const protea_conv_dims *d, protea_conv_pass pass,
                                const protea_conv_ending *ending, protea_conv_algorithm algorithm)
{
    dnnl_dims_t w = { d->y.c, d->x.c, d->kh, d->kw }, bias = { d->y.c };
    bool bf16_weights = d->x.dtype == PROTEA_BF16 && pass != PROTEA_CONV_BACKWARD_WEIGHTS;
    PROTEA_TRY(map_desc(&s->x, &d->x, &o->isa));
    PROTEA_TRY(map_desc(&s->y, &d->y, &o->isa));
    ONEDNN_TRY(dnnl_memory_desc_init_by_tag(&s->w, 4, w, bf16_weights ? dnnl_bf16 : dnnl_f32, dnnl_format_tag_any), "weights");
    ONEDNN_TRY(dnnl_memory_desc_init_by_tag(&s->plain, 4, w, dnnl_f32, dnnl_oihw), "weights");
    ONEDNN_TRY(dnnl_memory_desc_init_by_tag(&s->bias, 1, bias, dnnl_f32, dnnl_x), "a bias");
    s->ending = ending;
    s->algorithm = algorithm == PROTEA_CONV_WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
    s->stride[0] = s->stride[1] = d->stride;
    s->pad_front[0] = s->pad_front[1] = d->pad;
    /* What the last window needs behind the map: less than pad where the stride leaves a rest. */
    s->pad_back[0] = (d->y.h - 1) * d->stride + d->kh - d->x.h - d->pad;
    s->pad_back[1] = (d->y.w - 1) * d->stride + d->kw - d->x.w - d->pad;
    return PROTEA_OK;
}

static dnnl_status_t forward_desc(dnnl_primitive_desc_t *out, const protea_onednn *o, const conv_shape *s,
                                  const dnnl_memory_desc_t *w, const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    bool inference = s->ending != NULL;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &desc, inference ? dnnl_forward_inference : dnnl_forward_training, s->algorithm, &s->x, w, inference ? &s->bias : NULL,
        &s->y, s->stride, s->pad_front, s->pad_back);
    return status != dnnl_success ? status : dnnl_primitive_desc_create(out, &desc, attr, o->engine, NULL);
}

static dnnl_status_t backward_desc(dnnl_primitive_desc_t *out, const protea_onednn *o, const conv_shape *s,
                                   protea_conv_pass pass, const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t hint; /* a backward descriptor is made with the forward one's as a hint */
    dnnl_memory_desc_t forward_w = s->w;
    forward_w.data_type = s->x.data_type;
    dnnl_status_t status = forward_desc(&hint, o, s, &forward_w, NULL);
    if (status != dnnl_success)
        return status;
    if (pass == PROTEA_CONV_BACKWARD_DATA)
        status = dnnl_convolution_backward_data_desc_init(&desc, s->algorithm, &s->x, &s->w, &s->y, s->stride, s->pad_front,
                                                          s->pad_back);
    else
        status = dnnl_convolution_backward_weights_desc_init(&desc, s->algorithm, &s->x, &s->w, NULL, &s->y, s->stride,
                                                             s->pad_front, s->pad_back);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(out, &desc, attr, o->engine, hint);
    dnnl_primitive_desc_destroy(hint);
    return status;
}

static dnnl_status_t pass_desc(dnnl_primitive_desc_t *out, const protea_onednn *o, const conv_shape *s, protea_conv_pass pass,
                               const_dnnl_primitive_attr_t attr)
{
    return pass == PROTEA_CONV_FORWARD ? forward_desc(out, o, s, &s->w, attr) : backward_desc(out, o, s, pass, attr);
}

static protea_status memory_of(dnnl_memory_t *out, const protea_onednn *o, const dnnl_memory_desc_t *desc)
{
    ONEDNN_TRY(dnnl_memory_create(out, desc, o->engine, DNNL_MEMORY_NONE), "creating a memory object");
    return PROTEA_OK;
}

static void need_pad(protea_conv_plan *plan, const dnnl_memory_desc_t *desc)
{
    size_t bytes = dnnl_memory_desc_get_size(desc);
    if (bytes > plan->pad_bytes)
        plan->pad_bytes = bytes;
}

/* The reorder between plain and packed weights, in the direction of the pass; a gradient is added to the plain one. */
static protea_status make_reorder(protea_conv_plan *plan, const protea_onednn *o, const dnnl_memory_desc_t *plain,
                                  const dnnl_memory_desc_t *packed, dnnl_primitive_attr_t attr)
{
    dnnl_primitive_desc_t pd;
    bool gradient = plan->pass == PROTEA_CONV_BACKWARD_WEIGHTS;
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&pd, gradient ? packed : plain, o->engine,
                                                              gradient ? plain : packed, o->engine, attr);
    if (status != dnnl_success)
        return protea_onednn_fail(status, "describing a reorder of weights");
    const dnnl_memory_desc_t *pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    need_pad(plan, pad);
    protea_status made = memory_of(&plan->reorder_pad, o, pad);
    status = dnnl_primitive_create(&plan->reorder, pd);
    dnnl_primitive_desc_destroy(pd);
    PROTEA_TRY(made);
    ONEDNN_TRY(status, "creating a reorder of weights");
    return PROTEA_OK;
}

static protea_status make_conv(protea_conv_plan *plan, const protea_onednn *o, const conv_shape *s,
                               const dnnl_memory_desc_t *packed, dnnl_primitive_desc_t pd)
{
    const dnnl_memory_desc_t *pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    ONEDNN_TRY(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &plan->name), "asking an implementation's name");
    plan->packed_bytes = dnnl_memory_desc_get_size(packed);
    if (protea_round_up_overflows(plan->packed_bytes, 64, &plan->packed_bytes))
        return protea_fail(PROTEA_ERR_MEMORY, "convolution: its weights are larger than any memory");
    need_pad(plan, pad);
    PROTEA_TRY(memory_of(&plan->x, o, &s->x));
    PROTEA_TRY(memory_of(&plan->y, o, &s->y));
    PROTEA_TRY(memory_of(&plan->packed, o, packed));
    PROTEA_TRY(memory_of(&plan->plain, o, &s->plain));
    PROTEA_TRY(memory_of(&plan->bias, o, &s->bias));
    PROTEA_TRY(memory_of(&plan->conv_pad, o, pad));
    ONEDNN_TRY(dnnl_primitive_create(&plan->conv, pd), "creating a convolution");
    return PROTEA_OK;
}

/* Attributes: scratch comes from the caller; the result is added to what is there, then activated. */
static protea_status make_attr(dnnl_primitive_attr_t *out, bool sum, protea_act act)
{
    dnnl_post_ops_t ops = NULL;
    ONEDNN_TRY(dnnl_primitive_attr_create(out), "creating attributes");
    dnnl_status_t status = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success && sum)
        status = dnnl_post_ops_append_sum(ops, 1.0f);
    if (status == dnnl_success && act == PROTEA_RELU)
        status = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*out, ops);
    if (ops != NULL)
        dnnl_post_ops_destroy(ops);
    if (status != dnnl_success)
        dnnl_primitive_attr_destroy(*out);
    ONEDNN_TRY(status, "setting attributes");
    return PROTEA_OK;
}

static protea_status build_conv(protea_conv_plan *plan, const protea_onednn *o, conv_shape *s, dnnl_primitive_attr_t attr,
                                dnnl_memory_desc_t *packed)
{
    dnnl_primitive_desc_t pd;
    dnnl_status_t status = pass_desc(&pd, o, s, plan->pass, attr);
    if (status == dnnl_unimplemented && s->algorithm != dnnl_convolution_direct) {
        s->algorithm = dnnl_convolution_direct;
        status = pass_desc(&pd, o, s, plan->pass, attr);
    }
    ONEDNN_TRY(status, "describing a convolution");
    dnnl_query_t w_query = plan->pass == PROTEA_CONV_BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    *packed = *dnnl_primitive_desc_query_md(pd, w_query, 0);
    protea_status made = make_conv(plan, o, s, packed, pd);
    dnnl_primitive_desc_destroy(pd);
    return made;
}

static protea_status build(protea_conv_plan *plan, const protea_onednn *o, conv_shape *s)
{
    dnnl_primitive_attr_t attr;
    dnnl_memory_desc_t packed;
    PROTEA_TRY(make_attr(&attr, s->ending != NULL && s->ending->add, s->ending != NULL ? s->ending->act : PROTEA_LINEAR));
    protea_status made = build_conv(plan, o, s, attr, &packed);
    dnnl_primitive_attr_destroy(attr);
    PROTEA_TRY(made);
    plan->tile_ops = protea_onednn_tiles(&plan->tiles, o, &packed);
    if (plan->tile_ops != NULL)
        return PROTEA_OK;
    PROTEA_TRY(make_attr(&attr, plan->pass == PROTEA_CONV_BACKWARD_WEIGHTS, PROTEA_LINEAR));
    made = make_reorder(plan, o, &s->plain, &packed, attr);
    dnnl_primitive_attr_destroy(attr);
    return made;
}

protea_status protea_conv_plan_new(protea_conv_plan **out, protea_onednn *o, const protea_conv_dims *d, protea_conv_pass pass,
                                   const protea_conv_ending *ending, protea_conv_algorithm algorithm)
{
    conv_shape shape;
    protea_conv_plan *plan;
    *out = NULL;
    PROTEA_TRY(protea_make_sure(PROTEA_ONEDNN_ROOM, "a convolution plan"));
    PROTEA_TRY(make_shape(&shape, o, d, pass, ending, algorithm));
    PROTEA_TRY(protea_new(&plan, 1, sizeof *plan, "a convolution plan"));
    plan->stream = o->stream;
    plan->pass = pass;
    protea_status status = build(plan, o, &shape);
    if (status != PROTEA_OK) {
        protea_conv_plan_free(plan);
        return status;
    }
    *out = plan;
    return PROTEA_OK;
}

void protea_conv_plan_free(protea_conv_plan *plan)
{
    if (plan == NULL)
        return;
    dnnl_memory_t memories[] = { plan->x, plan->y, plan->packed, plan->plain, plan->bias, plan->conv_pad, plan->reorder_pad };
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i] != NULL)
            dnnl_memory_destroy(memories[i]);
    if (plan->conv != NULL)
        dnnl_primitive_destroy(plan->conv);
    if (plan->reorder != NULL)
        dnnl_primitive_destroy(plan->reorder);
    protea_free(plan);
}

size_t protea_conv_plan_scratch(const protea_conv_plan *plan)
{
    return plan->packed_bytes + plan->pad_bytes;
}

const char *protea_conv_plan_name(const protea_conv_plan *plan)
{
    return plan->name;
}

/* One of a plan's memories, and where it lies in this run. */
typedef struct placed {
    dnnl_memory_t memory;
    void *at;
} placed;

static protea_status place(const placed *places, int n)
{
    for (int i = 0; i < n; i++)
        ONEDNN_TRY(dnnl_memory_set_data_handle(places[i].memory, places[i].at), "placing memory");
    return PROTEA_OK;
}

static void run_tiles(protea_conv_plan *plan, void *packed, float *plain)
{
    if (plan->pass == PROTEA_CONV_BACKWARD_WEIGHTS)
        plan->tile_ops->add(plain, packed, &plan->tiles);
    else
        plan->tile_ops->pack(packed, plain, &plan->tiles);
}

static protea_status run_reorder(protea_conv_plan *plan, void *packed, float *plain, void *pad)
{
    bool gradient = plan->pass == PROTEA_CONV_BACKWARD_WEIGHTS;
    if (plan->tile_ops != NULL) {
        run_tiles(plan, packed, plain);
        return PROTEA_OK;
    }
    const placed places[] = { { plan->packed, packed }, { plan->plain, plain }, { plan->reorder_pad, pad } };
    dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, gradient ? plan->packed : plan->plain },
                               { DNNL_ARG_TO, gradient ? plan->plain : plan->packed },
                               { DNNL_ARG_SCRATCHPAD, plan->reorder_pad } };
    PROTEA_TRY(place(places, 3));
    ONEDNN_TRY(dnnl_primitive_execute(plan->reorder, plan->stream, 3, args), "reordering weights");
    return PROTEA_OK;
}

/* bias: NULL where the plan has no ending. */
static protea_status run_conv(protea_conv_plan *plan, void *x, void *packed, float *bias, void *y, void *pad)
{
    static const struct { int x, w, y; } names[] = {
        [PROTEA_CONV_FORWARD] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST },
        [PROTEA_CONV_BACKWARD_DATA] = { DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST },
        [PROTEA_CONV_BACKWARD_WEIGHTS] = { DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST },
    };
    const placed places[] = { { plan->x, x }, { plan->packed, packed }, { plan->y, y }, { plan->conv_pad, pad },
                              { plan->bias, bias } };
    dnnl_exec_arg_t args[] = { { names[plan->pass].x, plan->x }, { names[plan->pass].w, plan->packed },
                               { names[plan->pass].y, plan->y }, { DNNL_ARG_SCRATCHPAD, plan->conv_pad },
                               { DNNL_ARG_BIAS, plan->bias } };
    int n = bias != NULL ? 5 : 4;
    PROTEA_TRY(place(places, n));
    ONEDNN_TRY(dnnl_primitive_execute(plan->conv, plan->stream, n, args), "running a convolution");
    return PROTEA_OK;
}

protea_status protea_conv_plan_run(protea_conv_plan *plan, void *x, float *w, void *y, void *scratch)
{
    void *pad = (unsigned char *)scratch + plan->packed_bytes;
    if (plan->pass == PROTEA_CONV_BACKWARD_WEIGHTS) {
        PROTEA_TRY(run_conv(plan, x, scratch, NULL, y, pad));
        return run_reorder(plan, scratch, w, pad);
    }
    PROTEA_TRY(run_reorder(plan, scratch, w, pad));
    return run_conv(plan, x, scratch, NULL, y, pad);
}

size_t protea_conv_plan_packed(const protea_conv_plan *plan)
{
    return plan->packed_bytes;
}

protea_status protea_conv_plan_pack(protea_conv_plan *plan, void *packed, float *w, void *scratch)
{
    return run_reorder(plan, packed, w, scratch);
}

protea_status protea_conv_plan_run_packed(protea_conv_plan *plan, void *x, void *packed, float *bias, void *y, void *scratch)
{
    return run_conv(plan, x, packed, bias, y, scratch);
}
