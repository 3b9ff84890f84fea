/* Checked operations on whole activations and on rows. */
#include "tensor/ops.h"

#include <string.h>

#include "tensor/check.h"

static protea_status check_edge(const char *op, const protea_tensor *native, const protea_tensor *plain)
{
    PROTEA_TRY(protea_check_native(op, native));
    return protea_check_plain(op, "the plain side", plain, 4, native->dim);
}

protea_status protea_to_native(protea_ctx *cx, protea_tensor *y, const protea_tensor *x)
{
    PROTEA_TRY(check_edge("to_native", y, x));
    protea_map m = protea_map_of(y);
    if (!cx->planning)
        cx->be->k.to_native(cx->be, y->data, &m, protea_f32(x));
    return PROTEA_OK;
}

protea_status protea_from_native(protea_ctx *cx, protea_tensor *y, const protea_tensor *x)
{
    PROTEA_TRY(check_edge("from_native", x, y));
    protea_map m = protea_map_of(x);
    if (!cx->planning)
        cx->be->k.from_native(cx->be, protea_f32(y), x->data, &m);
    return PROTEA_OK;
}

protea_status protea_relu(protea_ctx *cx, protea_tensor *y, const protea_tensor *x)
{
    PROTEA_TRY(protea_check_same("relu", y, x));
    if (!cx->planning)
        cx->be->k.relu(cx->be, y->data, x->data, protea_count(x), x->dtype);
    return PROTEA_OK;
}

protea_status protea_relu_backward(protea_ctx *cx, protea_tensor *dx, const protea_tensor *y, const protea_tensor *dy)
{
    PROTEA_TRY(protea_check_same("relu_backward", dx, y));
    PROTEA_TRY(protea_check_same("relu_backward", dy, y));
    if (!cx->planning)
        cx->be->k.relu_backward(cx->be, dx->data, y->data, dy->data, protea_count(y), y->dtype);
    return PROTEA_OK;
}

protea_status protea_add(protea_ctx *cx, protea_tensor *y, const protea_tensor *a, const protea_tensor *b)
{
    PROTEA_TRY(protea_check_same("add", y, a));
    PROTEA_TRY(protea_check_same("add", y, b));
    if (!cx->planning)
        cx->be->k.add(cx->be, y->data, a->data, b->data, protea_count(y), y->dtype);
    return PROTEA_OK;
}

protea_status protea_gemm(protea_ctx *cx, protea_tensor *c, const protea_tensor *a, const protea_tensor *b, bool ta, bool tb,
                          float alpha, float beta)
{
    PROTEA_TRY(protea_check_plain("gemm", "a", a, 2, (const int64_t[]){ 0, 0 }));
    int64_t m = a->dim[ta ? 1 : 0], k = a->dim[ta ? 0 : 1];
    PROTEA_TRY(protea_check_plain("gemm", "b", b, 2, tb ? (const int64_t[]){ 0, k } : (const int64_t[]){ k, 0 }));
    int64_t n = b->dim[tb ? 0 : 1];
    PROTEA_TRY(protea_check_plain("gemm", "c", c, 2, (const int64_t[]){ m, n }));
    if (cx->planning)
        return PROTEA_OK;
    return cx->be->k.gemm(cx->be, protea_f32(c), protea_f32(a), protea_f32(b), ta, tb, m, n, k, alpha, beta, a->dim[1],
                          b->dim[1], n);
}

protea_status protea_add_bias(protea_ctx *cx, protea_tensor *y, const protea_tensor *bias)
{
    PROTEA_TRY(protea_check_plain("add_bias", "y", y, 2, (const int64_t[]){ 0, 0 }));
    PROTEA_TRY(protea_check_plain("add_bias", "bias", bias, 1, &y->dim[1]));
    if (!cx->planning)
        cx->be->k.add_bias(cx->be, protea_f32(y), protea_f32(bias), y->dim[0], y->dim[1]);
    return PROTEA_OK;
}

protea_status protea_bias_backward(protea_ctx *cx, protea_tensor *dbias, const protea_tensor *dy)
{
    PROTEA_TRY(protea_check_plain("bias_backward", "dy", dy, 2, (const int64_t[]){ 0, 0 }));
    PROTEA_TRY(protea_check_plain("bias_backward", "dbias", dbias, 1, &dy->dim[1]));
    if (!cx->planning)
        cx->be->k.bias_backward(cx->be, protea_f32(dbias), protea_f32(dy), dy->dim[0], dy->dim[1]);
    return PROTEA_OK;
}

static protea_status check_norm(const char *op, const protea_tensor *x, const protea_tensor *norm)
{
    PROTEA_TRY(protea_check_plain(op, "x", x, 2, (const int64_t[]){ 0, 0 }));
    return protea_check_plain(op, "norm", norm, 2, (const int64_t[]){ x->dim[0], 1 });
}

protea_status protea_l2norm(protea_ctx *cx, protea_tensor *y, protea_tensor *norm, const protea_tensor *x)
{
    PROTEA_TRY(check_norm("l2norm", x, norm));
    PROTEA_TRY(protea_check_same("l2norm", y, x));
    if (!cx->planning)
        cx->be->k.l2norm(cx->be, protea_f32(y), protea_f32(norm), protea_f32(x), x->dim[0], x->dim[1]);
    return PROTEA_OK;
}

protea_status protea_l2norm_backward(protea_ctx *cx, protea_tensor *dx, const protea_tensor *y, const protea_tensor *norm,
                                     const protea_tensor *dy)
{
    PROTEA_TRY(check_norm("l2norm_backward", y, norm));
    PROTEA_TRY(protea_check_same("l2norm_backward", dx, y));
    PROTEA_TRY(protea_check_same("l2norm_backward", dy, y));
    if (!cx->planning)
        cx->be->k.l2norm_backward(cx->be, protea_f32(dx), protea_f32(y), protea_f32(norm), protea_f32(dy), y->dim[0],
                                  y->dim[1]);
    return PROTEA_OK;
}

protea_status protea_fill(protea_ctx *cx, protea_tensor *y, float value)
{
    PROTEA_TRY(protea_check_plain("fill", "y", y, y->n_dims, (const int64_t[PROTEA_MAX_DIMS]){ 0 }));
    if (cx->planning)
        return PROTEA_OK;
    float *element = protea_f32(y);
    for (int64_t i = 0, n = protea_count(y); i < n; i++)
        element[i] = value;
    return PROTEA_OK;
}

bool protea_all_finite(const protea_tensor *t)
{
    const uint32_t exponent = 0x7f800000;
    const float *x = protea_f32(t);
    int64_t n = protea_count(t), bad = 0;
#pragma omp parallel for simd schedule(static) reduction(+ : bad) if (n >= 1 << 15)
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bad += (bits & exponent) == exponent;
    }
    return bad == 0;
}

protea_status protea_copy(protea_ctx *cx, protea_tensor *y, const protea_tensor *x)
{
    PROTEA_TRY(protea_check_same("copy", y, x));
    if (!cx->planning)
        memcpy(y->data, x->data, protea_bytes(x));
    return PROTEA_OK;
}
